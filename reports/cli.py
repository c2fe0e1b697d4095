"""``nextgpt-report``: pages for people from folders of runs.

A summary and the paths go to standard output; notes and errors to standard error. What a person did wrong is
one line and a non-zero exit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nextgpt.terminal import cell, one_line, refusal, run_app, say
from reports.export import commands as export_commands
from reports.options import CsvFile, JsonFile, Own
from reports.study import commands as study_commands

if TYPE_CHECKING:
    from benchmarks.harness.records import Result
    from reports.comparison import Report

app = typer.Typer(
    help="Make pages, tables and plots from finished runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command("compare")
def compare_command(  # noqa: PLR0913 - one parameter for each option
    runs: Annotated[Path, typer.Argument(help="Folder that `nextgpt-bench run --out` wrote to.")],
    *,
    out: Annotated[Path | None, typer.Option(help="HTML file to write; Markdown goes beside it.")] = None,
    baseline: Annotated[str | None, typer.Option(help="System to compare the others with.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
    examples: Annotated[int, typer.Option(min=0, max=20, help="Gallery samples of each kind.")] = 2,
    samples: Annotated[
        int, typer.Option(min=0, max=100_000, help="Samples of each benchmark to search on the page.")
    ] = 1000,
    media: Annotated[
        Literal["inside", "beside"],
        typer.Option(help="A few pictures inside the page, or all media in a folder beside it."),
    ] = "inside",
    benchmark: Own = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Compare the systems of a folder of runs: one HTML page, and Markdown beside it."""
    from benchmarks.harness.provenance import command_line
    from benchmarks.harness.records import RecordError
    from benchmarks.harness.storage import write_rows
    from benchmarks.registry import RegistryError, load_benchmark
    from reports.comparison import build_report
    from reports.evidence import ReportError
    from reports.pages import media_folder, report_rows, write_pages, write_report_json

    page = runs / "comparison.html" if out is None else out
    if page.suffix != ".html":
        raise refusal(f"--out {page}: the page is an HTML file; name it {page.with_suffix('.html').name}")
    try:
        for own in benchmark or ():
            load_benchmark(own)
        report = build_report(
            runs,
            baseline=baseline,
            command=command_line(),
            examples=examples,
            data=data,
            samples=samples,
            beside=media_folder(page) if media == "beside" else None,
        )
        written = [*write_pages(report, page)]
        if json is not None:
            write_report_json(report, json, written)
            written.append(json)
        if csv is not None:
            write_rows(report_rows(report), None, csv)
            written.append(csv)
    except (ReportError, RecordError, RegistryError) as error:
        raise refusal(error) from error
    _print_summary(report)
    for path in written:
        say(path)
    if report.left_out:
        for line in report.left_out:
            say(f"left out: {one_line(line)}", err=True)
        raise typer.Exit(1)


@app.command("changes")
def changes_command(  # noqa: PLR0913 - one parameter for each option
    runs: Annotated[Path, typer.Argument(help="Folder of the runs of now.")],
    *,
    expected: Annotated[Path, typer.Option(help="Folder of the lines that are held.")],
    before: Annotated[Path | None, typer.Option(help="Folder of runs of then, for what was said.")] = None,
    out: Annotated[Path | None, typer.Option(help="HTML file to write [RUNS/changes.html].")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
    examples: Annotated[int, typer.Option(min=0, max=50, help="Flipped samples of each direction.")] = 4,
    benchmark: Own = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say what changed since the lines: in which family, how sure, which samples, side by side."""
    from benchmarks.harness.provenance import command_line
    from benchmarks.harness.records import RecordError
    from benchmarks.harness.storage import write_rows
    from benchmarks.registry import RegistryError, load_benchmark
    from reports.changes import build_changes
    from reports.evidence import ReportError
    from reports.pages import write_page

    page = out or runs / "changes.html"
    try:
        for own in benchmark or ():
            load_benchmark(own)
        found = build_changes(
            runs, expected, before=before, data=data, examples=examples, command=command_line()
        )
        write_page(found, "changes.html.j2", page)
        write_rows(found.rows, json, csv)
    except (ReportError, RecordError, RegistryError) as error:
        raise refusal(error) from error
    for change in found.changes:
        say(f"{change.result.system} on {change.result.benchmark}: {one_line(change.verdict.words)}")
    say(page)
    for line in found.left_out:
        say(f"left out: {one_line(line)}", err=True)


@app.command("index")
def index_command(
    runs: Annotated[Path, typer.Argument(help="Folder of many runs, at any depth.")],
    *,
    out: Annotated[Path | None, typer.Option(help="HTML file to write [RUNS/index.html].")] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Make a start page over many runs, to sort, filter and find them again."""
    from benchmarks.harness.records import RecordError
    from benchmarks.harness.storage import write_rows
    from reports.evidence import ReportError
    from reports.overview import build_overview
    from reports.pages import write_page

    page = out or runs / "index.html"
    try:
        found = build_overview(runs, page)
        write_page(found, "index.html.j2", page, "index.js")
        write_rows(found.rows, json, csv)
    except (ReportError, RecordError) as error:
        raise refusal(error) from error
    say(f"{len(found.entries)} runs")
    say(page)
    for line in found.left_out:
        say(f"left out: {one_line(line)}", err=True)


@app.command("calibration")
def calibration_command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of judges' runs, one for each version.")],
    *,
    out: Annotated[Path | None, typer.Option(help="HTML file to write [RUNS/calibration.html].")] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say how far judges are right where the truth is known, how well calibrated, and how they drift."""
    from benchmarks.harness.provenance import command_line
    from benchmarks.harness.records import RecordError
    from benchmarks.harness.storage import write_rows
    from reports.calibration import build_calibration
    from reports.evidence import ReportError
    from reports.pages import write_page

    page = out or runs[0] / "calibration.html"
    try:
        found = build_calibration(runs, command=command_line())
        write_page(found, "calibration.html.j2", page)
        write_rows(found.rows, json, csv)
    except (ReportError, RecordError) as error:
        raise refusal(error) from error
    for trial in found.trials:
        first = trial.whole[0]
        say(f"{one_line(first.system)} on {first.benchmark}: {first.metric} {_words(first)}")
    for drift in found.drifts:
        say(f"{one_line(drift.judge)} on {drift.benchmark}: {drift.changed.value:.1%} of verdicts changed")
    say(page)
    for line in found.left_out:
        say(f"left out: {one_line(line)}", err=True)


@app.command("tables")
def tables_command(
    *,
    paper: Annotated[Path, typer.Option(help="Folder that `nextgpt-bench run --out` wrote to.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to [that of the runs].")] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(help="ROW@SETTING=SYSTEM: whose run stands for a row of the paper; may be repeated."),
    ] = None,
    scored: Annotated[
        list[Path] | None,
        typer.Option(help="Rows of `nextgpt-bench score --json`, for a table of their own; may be repeated."),
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Write nothing; fail where this file or folder no longer follows.")
    ] = None,
) -> None:
    """Write the paper's tables, each published cell beside the measured one: Markdown, LaTeX, HTML, CSV."""
    from benchmarks.harness.records import RecordError
    from reports.evidence import ReportError
    from reports.paper.links import LinkError, parse_row
    from reports.paper.twin import build_twin
    from reports.paper.writers import differing, write_all

    try:
        twin = build_twin(paper, dict(map(parse_row, row or ())), scored or ())
        stale = [] if check is None else differing(twin, check)
        written = write_all(twin, out or paper) if check is None else []
    except (LinkError, ReportError, RecordError) as error:
        raise refusal(error) from error
    say(twin.summary)
    for path in written:
        say(path)
    for line in twin.left_out:
        say(f"left out: {one_line(line)}", err=True)
    for line in stale:
        say(f"error: {one_line(line)}; write it again", err=True)
    if stale or twin.left_out:
        raise typer.Exit(1)


app.command("export")(export_commands.export_command)
app.command("push")(export_commands.push_command)
app.command("sheets")(study_commands.sheets)
app.command("ratings")(study_commands.ratings)
app.command("power")(study_commands.power)
app.command("serve-study")(study_commands.serve_study)


def main() -> None:
    """Entry point of the console script."""
    run_app(app)


def _print_summary(report: Report) -> None:
    """The headline table and the differences, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table

    from reports.tables import metric_words

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("benchmark", *report.main):
        table.add_column(cell(name))
    for row in report.scores:
        what = f"{row.benchmark}\n{metric_words(row.metric)}{row.arrow}"
        table.add_row(*(cell(text) for text in (what, *map(_words, row.cells))))
    console.print(table)
    for finding in report.findings:
        console.print(cell(f"{finding.benchmark}: {finding.words}"))
    for note in report.notes:
        console.print(cell(f"Note: {note}"))


def _words(score: Result | str) -> str:
    from reports.tables import interval, number, undefined

    if isinstance(score, str):
        return score
    if score.value is None:
        return undefined(score.method)
    value = f"{number(score.value)}  {interval(score.low, score.high)}"
    return f"{value}\nn {score.n}, {score.failed} failed"


if __name__ == "__main__":
    main()
