"""What the commands of ``nextgpt-bench`` share: options, rows that are shown and kept, errors in a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nextgpt.terminal import error_line, say

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file, as JSON.")]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Likewise, as CSV.")]
Own = Annotated[
    str | None, typer.Option("--benchmark", help="package.module:NAME, if it is a benchmark of your own.")
]
DataFolder = Annotated[Path | None, typer.Option("--data", help="Folder of the data set's official files.")]

MENDABLE = (ValueError, OSError, RuntimeError)


def complaint(error: Exception) -> str:
    """The line that a person gets for an error.

    An `OSError` names its file; what else is not written for people is a bug, and is raised again with its
    trace.

    >>> complaint(FileNotFoundError(2, "No such file", "runs"))
    "error: [Errno 2] No such file: 'runs'"
    """
    from benchmarks.outside import is_written_for_people

    if not isinstance(error, OSError) and not is_written_for_people(error):
        raise error
    return f"error: {error_line(error)}"


def show(results: Iterable[Result], json: Path | None, csv: Path | None) -> None:
    """Print results, and write the same rows where they are asked for."""
    from benchmarks.harness.storage import write_rows
    from benchmarks.tables import print_results

    results = list(results)
    if results:
        print_results(results)
    write_rows((asdict(result) for result in results), json, csv)


def complain(text: str) -> None:
    """Say what went wrong, on standard error, however quiet it is to be."""
    say(text, err=True)
