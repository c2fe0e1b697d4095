"""``nextgpt-bench data check | overlap``: data sets as they lie in a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands import CsvFile, JsonFile
from nextgpt.terminal import say

if TYPE_CHECKING:
    from benchmarks.data.check import Finding

DataFolder = Annotated[Path, typer.Option("--data", help="Folder of the official files, or of such folders.")]

_SHOWN = 20  # near-duplicates on the terminal; all of them are in --json

app = typer.Typer(
    help="Check data sets against their cards, and against what a system was trained on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("check")
def check_command(
    names: Annotated[list[str], typer.Argument(help="Benchmarks or suites.")],
    *,
    data: DataFolder,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say file by file what is there, what is missing, and what differs from the official counts."""
    from benchmarks.cards import NOT_CONFIRMED
    from benchmarks.data.check import check
    from benchmarks.harness.storage import write_rows
    from benchmarks.registry import benchmark_names, load_benchmark
    from benchmarks.tables import print_rows

    chosen = dict.fromkeys(each for name in names for each in benchmark_names(name))
    findings = [(name, finding) for name in chosen for finding in check(load_benchmark(name), data)]
    rows = [
        (name, each.what, each.state, _count(each.found), _official(each), each.remark)
        for name, each in findings
    ]
    print_rows(("benchmark", "what", "state", "found", "official", "remark"), rows, numbers=(3, 4))
    if not all(each.confirmed for _, each in findings):
        say(f"a ? follows what is {NOT_CONFIRMED}: the card may be wrong; see nextgpt-bench list NAME")
    write_rows(({"benchmark": name, **asdict(each)} for name, each in findings), json, csv)
    if not all(each.good for _, each in findings):
        raise typer.Exit(1)


@app.command("overlap")
def overlap_command(
    name: Annotated[str, typer.Argument(help="A benchmark.")],
    *,
    training: Annotated[
        list[Path] | None, typer.Option(help="A training file: JSON, JSON lines or CSV; may be repeated.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the benchmark's official files.")] = None,
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1, help="Likeness from which two texts are near.")
    ] = 0.8,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say who is known to have learnt a benchmark, and which of its samples a training file holds."""
    from benchmarks.cards.contamination import KNOWN
    from benchmarks.data.overlap import overlaps, samples_of
    from benchmarks.harness.storage import write_rows
    from benchmarks.registry import load_benchmark
    from benchmarks.tables import print_rows

    benchmark = load_benchmark(name)
    known = [each for each in KNOWN if benchmark.name in each.benchmarks]
    if known:
        rows = [(", ".join(each.systems), each.verdict, each.why, each.source) for each in known]
        print_rows(("systems", "verdict", "known", "source"), rows)
    else:
        say(f"nothing is known here of systems that learnt {benchmark.name}; that does not clear any")
    found = []
    if training:
        if data is None:
            raise typer.BadParameter("--training is held against the benchmark's own files: name --data too")
        found = [near for path in training for near in overlaps(benchmark, data, path, threshold)]
        shown = sorted(found, key=lambda near: -near.likeness)[:_SHOWN]
        near = [(each.sample, f"{each.likeness:.2f}", each.text, each.other, each.record) for each in shown]
        print_rows(("sample", "likeness", "benchmark", "training", "where"), near, numbers=(1,))
        say(f"{samples_of(found)} samples of {benchmark.name} are in the training files, or nearly")
    write_rows(map(asdict, found), json, csv)
    if found:
        raise typer.Exit(1)


def _official(finding: Finding) -> str:
    return _count(finding.official) + ("" if finding.confirmed else "?")


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
