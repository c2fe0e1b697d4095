"""``nextgpt-bench status | verify | expect``: runs that are kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands import CsvFile, DataFolder, JsonFile, Own, complain, show
from nextgpt.terminal import note


def status_command(
    runs: Annotated[Path, typer.Argument(help="Folder of one run, or of many.")],
    *,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say who computes what, and what is missing; nobody at work is disturbed."""
    from benchmarks.harness.status import standings
    from benchmarks.harness.storage import write_rows
    from benchmarks.tables import print_rows

    found = standings(runs)
    head = ("system", "benchmark", "part", "state", "answered", "failed", "missing")
    rows = [[getattr(each, name) for name in head] for each in found]
    print_rows(head, [["?" if value is None else str(value) for value in row] for row in rows])
    write_rows(map(asdict, found), json, csv)


def verify_command(
    run: Annotated[Path, typer.Argument(help="Folder of one scored run.")],
    *,
    data: DataFolder = None,
    system: Annotated[str | None, typer.Option(help="Also load this system, and compare it.")] = None,
    benchmark: Own = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Compute every number of a run again, without the model, and check all that it rests on."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.records import read_run
    from benchmarks.harness.storage import write_rows
    from benchmarks.harness.verify import verify
    from benchmarks.registry import benchmark_of_run, load_benchmark, load_system
    from benchmarks.tables import print_rows

    made = read_run(run)
    if benchmark:
        load_benchmark(benchmark)
    fingerprint = load_system(system).fingerprint if system else None
    checks = verify(made, benchmark_of_run(made.manifest), Options(data), fingerprint)
    rows = [("number" if each.cell else "ground", each.what, each.outcome, each.why) for each in checks]
    print_rows(("", "what", "outcome", "why"), rows)
    write_rows(map(asdict, checks), json, csv)
    if fallen := sum(not each.holds for each in checks):
        complain(
            f"error: {fallen} of {len(checks)} do not hold; find out why before you use a number of this run"
        )
        raise typer.Exit(1)


def expect_command(
    runs: Annotated[Path, typer.Argument(help="Folder of scored runs.")],
    *,
    margin: Annotated[float, typer.Option(min=0, help="A drop of the score that nobody minds.")] = 0.01,
    because: Annotated[str, typer.Option(help="Why a line may be lowered; kept in its file.")] = "",
    expected: Annotated[Path | None, typer.Option(help="Folder of the expectations.")] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Make finished runs the line that the regression tests hold; lowering it needs a reason."""
    from benchmarks.harness.expectations import FOLDER, expectation_of, renewed, write_expectation
    from benchmarks.harness.records import find_runs
    from benchmarks.registry import headline_falls

    found, folder = find_runs(runs), expected or FOLDER
    made = [
        expectation_of(run, margin, lower_is_better=headline_falls(run.manifest.benchmark)) for run in found
    ]
    for expectation in [renewed(each, folder, because) for each in made]:  # all or none are written
        lowered = f"; lowered: {expectation.because}" if expectation.because else ""
        note(f"wrote {write_expectation(expectation, folder)}{lowered}")
    headlines = {run.folder: run.manifest.headline for run in found}
    show([row for run in found for row in run.results if row.metric == headlines[run.folder]], json, csv)
