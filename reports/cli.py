"""``nextgpt-report``: pages for people from folders of runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from reports.comparison import Report

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """Pages, tables and plots from finished runs."""


@app.command()
def compare(
    runs: Annotated[Path, typer.Argument(help="Folder that `nextgpt-bench run --out` wrote to.")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write; Markdown goes beside it.")] = None,
    baseline: Annotated[str | None, typer.Option(help="System to compare the others with.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the numbers for programs.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of official data files, for the gallery's photographs.")
    ] = None,
    examples: Annotated[int, typer.Option(min=0, max=20, help="Gallery samples of each kind.")] = 2,
) -> None:
    """Compare the systems of a folder of runs: one self-contained HTML page, and Markdown beside it."""
    from benchmarks.harness.provenance import command_line
    from benchmarks.harness.records import RecordError
    from reports.comparison import build_report
    from reports.evidence import ReportError
    from reports.pages import write_pages, write_report_json

    page = runs / "comparison.html" if out is None else out
    if page.suffix != ".html":
        raise _refusal(f"--out {page}: the page is an HTML file; name it {page.with_suffix('.html').name}")
    try:
        report = build_report(runs, baseline=baseline, command=command_line(), examples=examples, data=data)
        written = [*write_pages(report, page)]
        if json is not None:
            write_report_json(report, json)
            written.append(json)
    except (ReportError, RecordError) as error:
        raise _refusal(str(error)) from error
    except OSError as error:
        raise _refusal(
            f"{error.filename or page}: {error.strerror or error}; choose another --out"
        ) from error
    _print_summary(report)
    for path in written:
        typer.echo(path)


def main() -> None:
    """Entry point of the console script."""
    app()


def _refusal(message: str) -> typer.Exit:
    """Print one line on standard error; raise what this returns to leave with status 1."""
    typer.echo(f"nextgpt-report: {' '.join(message.split())}", err=True)
    return typer.Exit(1)


def _print_summary(report: Report) -> None:
    """The headline table and the differences, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table

    from reports.tables import interval, metric_words, number

    console = Console(file=sys.stdout, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("benchmark")
    for name in report.main:
        table.add_column(name)
    for row in report.scores:
        cells = [
            "–"
            if cell is None
            else f"{number(cell.value)}  {interval(cell.low, cell.high)}\nn {cell.n}, {cell.failed} failed"
            for cell in row.cells
        ]
        table.add_row(f"{row.benchmark}\n{metric_words(row.metric)}{row.arrow}", *cells)
    console.print(table)
    for finding in report.findings:
        console.print(f"{finding.benchmark}: {finding.words}", markup=False)
    for note in report.notes:
        console.print(f"Note: {note}", markup=False)


if __name__ == "__main__":
    main()
