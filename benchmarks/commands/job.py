"""``nextgpt-bench job``: all that belongs to one job, with one line that says how far it is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands import CsvFile, JsonFile, show
from benchmarks.commands.engines import Engine, opened
from benchmarks.commands.run import evaluated
from nextgpt.terminal import note

if TYPE_CHECKING:
    from benchmarks.harness.records import Run


def job_command(
    name: Annotated[str, typer.Argument(help="Which job.")] = "bench",
    *,
    out: Annotated[Path, typer.Option(help="Folder of all runs; what is in it is continued.")] = Path("runs"),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many samples of each.")] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Run all systems of a job on their benchmarks; what lacks weights is left out by name."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.progress import tell_job, whole_job
    from benchmarks.harness.run import evaluate
    from benchmarks.jobs import JOBS, left_out, pairs, share
    from benchmarks.registry import load_benchmark, unknown

    if name not in JOBS:
        raise unknown("job", name, JOBS)
    chosen = pairs(JOBS[name])
    lacking = dict(left_out(chosen))
    for line in lacking.values():
        note(line)
    due = {system: names for system, names in chosen.items() if system not in lacking}
    shares = {each: share(each, limit) for names in due.values() for each in names}
    outcomes: list[Run | None] = []
    # A system may change the current folder.
    out, json, csv = out.absolute(), json and json.absolute(), csv and csv.absolute()
    evaluate_one = partial(evaluate, out=out, options=Options(None, limit))
    try:
        with whole_job(sum(shares[each] for names in due.values() for each in names)) as job:
            for system, names in due.items():
                with opened(system, Engine("local")) as loaded:
                    for each in names:
                        with job.part(shares[each]):
                            outcomes += evaluated(load_benchmark(each), loaded, evaluate_one)
                        tell_job(f"{system} on {each}")
    except KeyboardInterrupt:
        note(f"stopped; every finished batch is kept in {out}, and the same command does what is left")
        raise typer.Exit(130) from None
    finally:
        show([result for run in outcomes if run is not None for result in run.results], json, csv)
    if None in outcomes or not outcomes:
        raise typer.Exit(1)
