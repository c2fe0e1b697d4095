"""Results as tables: for people on a terminal, and the same rows as JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nextgpt.terminal import cell, one_line, say

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

_HEAD = ("metric", "value", "95 % interval", "n", "failed", "unjudged", "answered")
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
    """Print results: a table for each run, each slice below its whole, that fits eighty columns.

    Below the tables stand the metrics' signatures, each once, and why a value or an interval is missing. A
    column that would say nothing, such as one of failures where there are none, is left out.
    """
    results = list(results)
    runs: dict[tuple[str, str], list[Result]] = {}
    for result in sorted(results, key=_by_metric(results)):
        runs.setdefault((result.benchmark, result.system), []).append(result)
    if title:
        say(title)
    for (benchmark, system), members in runs.items():
        taken = next((each.seconds for each in members if each.slice is None), None)
        speed = "" if taken is None else f", {taken:.3f} s a sample"
        columns = [*zip(*map(_cells, members), strict=True)]
        told = [k for k, column in enumerate(columns) if k < 4 or set(column) - {"", "0"}]
        rows = zip(*(columns[k] for k in told), strict=True)
        print_rows([_HEAD[k] for k in told], rows, f"{benchmark}, {system}{speed}", range(1, len(told)))
    for signature in dict.fromkeys(each.signature for each in results if each.signature):
        say(one_line(f"signature: {signature}"))
    for remark in remarks(results):
        say(one_line(remark))


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.metric if result.slice is None else f"  {result.slice}",
        number(result.value),
        interval(result.low, result.high),
        str(result.n),
        str(result.failed),
        str(result.unjudged),
        number(result.answered) if result.failed else "",
    )


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
    """Print a table to standard output; columns in `numbers` are aligned to the right, and never folded."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    right = set(numbers)
    heading = cell(title) if title else None
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for position, name in enumerate(head):
        figures = position in right
        table.add_column(name, justify="right" if figures else "left", no_wrap=figures, overflow="fold")
    for row in rows:
        table.add_row(*map(cell, row))
    Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH).print(table)


def _by_metric(results: Sequence[Result]) -> Any:
    """Keep benchmarks, systems and metrics in order of appearance, each slice behind its metric."""
    places: dict[tuple[str, ...], int] = {}
    for result in results:
        places.setdefault((result.benchmark, result.system, result.metric), len(places))
    return lambda result: (places[result.benchmark, result.system, result.metric], result.slice or "")
