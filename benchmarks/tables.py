"""Results as tables: for people on a terminal, and the same rows as JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextgpt.terminal import cell, one_line, say

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

Row = Mapping[str, Any]

HEAD = (
    *("benchmark", "system", "metric", "value", "95 % interval"),
    *("n", "failed", "unjudged", "without failed", "s/sample", "signature"),
)
_PLAIN_WIDTH = 160  # columns where the output is no terminal, so that files and logs are not wrapped


def number(value: float | None) -> str:
    """A value with four digits; what has none is undefined, and its method says why.

    Example:
        >>> number(0.83519), number(None), number(123.456)
        ('0.8352', 'undefined', '123.5')
    """
    if value is None:
        return "undefined"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval.

    Example:
        >>> interval(0.8, 0.9), interval(None, None)
        ('[0.8000, 0.9000]', '–')
    """
    return "–" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def print_results(results: Iterable[Result], title: str = "") -> None:
    """Print results, each slice below its whole, and why a value or an interval is missing."""
    results = list(results)
    rows = [
        (
            result.benchmark,
            result.system,
            result.metric if result.slice is None else f"  {result.slice}",
            number(result.value),
            interval(result.low, result.high),
            str(result.n),
            str(result.failed),
            str(result.unjudged),
            number(result.answered) if result.failed else "",
            "–" if result.seconds is None else f"{result.seconds:.3f}",
            result.signature,
        )
        for result in sorted(results, key=_by_metric(results))
    ]
    print_rows(HEAD, rows, title, numbers=range(3, len(HEAD) - 1))
    for remark in remarks(results):
        say(one_line(remark))


def remarks(results: Iterable[Result]) -> list[str]:
    """What a reader must know beside the numbers: failures, left-out samples, undefined values."""
    found: dict[str, list[str]] = {}
    for result in results:
        incomplete = result.value is None or result.low is None
        if incomplete or (result.slice is None and ";" in result.method):
            where = f"{result.system} on {result.benchmark}" + (f", {result.slice}" if result.slice else "")
            found.setdefault(f"{where}: {result.method}", []).append(result.metric)
    return [f"{line} ({', '.join(metrics)})" for line, metrics in found.items()]


def print_rows(
    head: Sequence[str], rows: Iterable[Sequence[str]], title: str = "", numbers: Iterable[int] = ()
) -> None:
    """Print a table to standard output; columns in `numbers` are aligned to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    right = set(numbers)
    table = Table(title=cell(title) if title else None, title_justify="left", box=SIMPLE_HEAD)
    for position, name in enumerate(head):
        table.add_column(name, justify="right" if position in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(cell, row))
    Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH).print(table)


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a JSON list.

    Raises:
        RecordError: the file can't be written.
    """
    from benchmarks.harness.storage import write_json

    write_json(path, [dict(row) for row in rows])


def _by_metric(results: Sequence[Result]) -> Any:
    """Keep benchmarks, systems and metrics in order of appearance, each slice behind its metric."""
    places: dict[tuple[str, ...], int] = {}
    for result in results:
        places.setdefault((result.benchmark, result.system, result.metric), len(places))
    return lambda result: (places[result.benchmark, result.system, result.metric], result.slice or "")
