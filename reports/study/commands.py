"""The commands of ``nextgpt-report`` that make studies, serve them, and read what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nextgpt.terminal import cell, one_line, refusal, say
from reports.options import CsvFile, JsonFile, Own

if TYPE_CHECKING:
    from reports.study.analysis import Findings, Result
    from reports.study.records import Study


Design = Literal["pairwise", "likert", "1to10", "paper", "mushra", "breaks"]


def sheets(  # noqa: PLR0913 - one parameter for each option
    runs: Annotated[list[Path], typer.Argument(help="Runs to judge, or folders that hold some.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder to write the study to.")],
    design: Annotated[Design, typer.Option(help="What raters are asked.")] = "pairwise",
    raters: Annotated[int, typer.Option(min=1, max=1000, help="People who will judge.")] = 5,
    items: Annotated[int | None, typer.Option(min=1, help="Items; by default as many as the design.")] = None,
    media: Annotated[
        Literal["inside", "beside"],
        typer.Option(help="Pictures, clips and sounds inside each page, or in files beside it."),
    ] = "inside",
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
    benchmark: Own = None,
    seed: Annotated[int, typer.Option(help="Draws items, order and sides.")] = 0,
) -> None:
    """Make a blind study of runs: for each rater a page, a workbook and a CSV file."""
    from benchmarks.harness.records import RecordError
    from benchmarks.registry import RegistryError, load_benchmark
    from reports.study.design import StudyError
    from reports.study.making import make_study
    from reports.study.material import gather
    from reports.study.protocols import PROTOCOLS
    from reports.study.sheets import write_sheets

    protocol = PROTOCOLS[design]
    try:
        for own in benchmark or ():
            load_benchmark(own)
        material = gather(runs, protocol, items=items or protocol.items, seed=seed, data=data)
        made = make_study(out, protocol, material, raters=raters, seed=seed)
        folders = write_sheets(made, media)
    except (StudyError, RecordError, RegistryError) as error:
        raise refusal(error) from error
    study = made.study
    each = len(study.trials[0])
    say(
        f"{protocol.title} {study.systems} systems, {study.items} items, {raters} raters, {each} trials each."
    )
    say(f"Sealed: {study.commitment} (SHA-256 of {out / 'key.json'}; publish it before the first rating)")
    say("Hand each rater one of these folders, and nothing else:")
    for folder in folders:
        say(folder)
    say(f"Put what comes back into {out / 'returned'}, then: nextgpt-report ratings {out}")


def ratings(
    study: Annotated[Path, typer.Argument(help="Folder of the study; or a file of another tool's votes.")],
    *,
    open_early: Annotated[
        bool, typer.Option("--open-early", help="Open the key although ratings are missing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the result; by default the study's, or the file's.")
    ] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Read what raters sent back, open the key, and say what it shows."""
    from benchmarks.harness.records import RecordError
    from benchmarks.harness.storage import write_rows
    from metrics.metric import MetricInputError
    from reports.study.analysis import Result, findings
    from reports.study.design import StudyError
    from reports.study.foreign import read_foreign, write_foreign
    from reports.study.opening import open_study, write_result
    from reports.study.page import write_page
    from reports.study.records import read_study

    complaints: tuple[str, ...] = ()
    try:
        if study.is_file():
            judgements = read_foreign(study)
            result = Result(study.name, "", "", findings(judgements), None)
        else:
            result, judgements, returned = open_study(read_study(study), early=open_early)
            complaints = returned.complaints
        folder = out or (study.parent if study.is_file() else study)
        written = [write_result(folder, result), write_page(folder / "result.html", result)]
        written += write_foreign(folder / "result", judgements)
        write_rows(result.rows, json, csv)
        written += [path for path in (json, csv) if path is not None]
    except (StudyError, RecordError, MetricInputError) as error:
        raise refusal(error) from error
    _print_result(result)
    for path in written:
        say(path)
    if complaints:
        for line in complaints:
            say(f"refused: {one_line(line)}", err=True)
        raise typer.Exit(1)


def power(  # noqa: PLR0913 - one parameter for each option
    difference: Annotated[
        float,
        typer.Argument(help="Smallest difference that matters: in points, or in win rate above one half."),
    ],
    *,
    design: Annotated[Design, typer.Option(help="What raters are asked.")] = "pairwise",
    raters: Annotated[
        list[int] | None, typer.Option(min=2, help="People who judge; may be repeated.")
    ] = None,
    systems: Annotated[int, typer.Option(min=2, help="Systems in the study.")] = 2,
    deviation: Annotated[
        float | None,
        typer.Option(min=0.0, help="Standard deviation of one judgement; by default the design's."),
    ] = None,
    taste: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of its variance that is the rater's taste.")
    ] = 0.01,
    hardness: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of its variance that comes with the item.")
    ] = 0.2,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say how many items and raters a difference needs, at 5 % and with 80 % power."""
    from benchmarks.harness.storage import RecordError, write_rows
    from metrics.metric import MetricInputError
    from reports.study.planning import planned

    try:
        plan = planned(design, systems, deviation, taste, hardness)
        rows = [
            dict[str, object](design=design, systems=systems, difference=difference, raters=count)
            | {"items": plan.items(difference, count), "assumed": plan.words}
            for count in raters or (3, 5, 10, 20, 50)
        ]
        write_rows(rows, json, csv)
    except (MetricInputError, RecordError) as error:
        raise refusal(error) from error
    say(plan.words)
    for row in rows:
        told = f"{row['items']:,} items" if row["items"] else "no number of items is enough: too few tastes"
        say(f"{row['raters']:>4} raters  {told}")


def serve_study(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    *,
    host: Annotated[
        str, typer.Option(help="Address to serve on; 0.0.0.0 lets the local network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8400,
) -> None:
    """Serve a study: each rater gets a secret link, and answers are saved as they are given."""
    from benchmarks.harness.records import RecordError
    from reports.study.design import StudyError
    from reports.study.records import read_study
    from reports.study.server import StudyServer, links

    try:
        found = read_study(study)
        server = StudyServer(found, host, port, _Progress(found))
    except (StudyError, RecordError) as error:
        raise refusal(error) from error
    except OSError as error:
        raise refusal(f"{host}:{port} can't be served on ({error.strerror}); choose another") from error

    name = f"{host}:{server.server_port}"
    say(f"Serving {found.protocol.title} Give each rater one link, and nobody two:")
    for rater, link in enumerate(links(found), start=1):
        say(f"rater {rater}: http://{name}/r/{link}")
    say("Stop with Ctrl-C; what was answered stays, and the links too.", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("stopped")
    finally:
        server.server_close()


class _Progress:
    """Says how far each rater has come, when a trial is finished."""

    def __init__(self, study: Study) -> None:
        from reports.study.server import Store

        self._store = Store(study)
        self._trials = [len(trials) for trials in study.trials]
        self._told: dict[int, int] = {}

    def __call__(self, rater: int) -> None:
        done = self._store.answered(rater)
        if self._told.get(rater) != done:
            self._told[rater] = done
            say(f"rater {rater}: {done} of {self._trials[rater - 1]} answered", flush=True)


def _print_result(result: Result) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    found = result.kept
    console.print(cell(f"{found.judgements} judgements by {found.raters} raters on {found.items} items"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("criterion", "system", "", "value", "95 % interval", "n"):
        table.add_column(cell(name))
    for row in _score_rows(found):
        table.add_row(*(cell(text) for text in row))
    console.print(table)
    for comparison in found.comparisons:
        console.print(cell(f"{comparison.criterion}: {comparison.words}"))
    for agreed in found.agreement:
        words = (
            agreed.method if agreed.value is None else f"{agreed.value:.2f} {_span(agreed.low, agreed.high)}"
        )
        console.print(cell(f"{agreed.criterion}: Krippendorff's alpha ({agreed.level}) {words}"))
    for each in result.quality:
        for reason in each.reasons:
            console.print(cell(f"rater {each.rater} is left out: {reason}"))
    for line in result.remarks:
        console.print(cell(f"Note: {line}"))


def _score_rows(found: Findings) -> list[tuple[str, ...]]:
    from reports.tables import number

    return [
        (
            s.criterion,
            s.system,
            s.kind,
            number(s.value) if s.value is not None else s.method,
            _span(s.low, s.high),
            str(s.n),
        )
        for s in found.scores
    ]


def _span(low: float | None, high: float | None) -> str:
    from reports.tables import interval

    return interval(low, high)
