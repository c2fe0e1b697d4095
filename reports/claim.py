"""The claim as curves: how a score falls with how much has to be carried over, for each compared system.

A benchmark takes part whose slices count something: "3 attributes", or "order in time, 2 deeds".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.evidence import Dossier
from reports.plots import Curve, Plot, curves
from reports.scores import Cell, Row, of_headline, tabulate
from reports.tables import interval, metric_words, number

if TYPE_CHECKING:
    import pandas as pd

_COUNTED = re.compile(r"(?:(?P<what>[^,]+), )?(?P<count>\d+) (?P<unit>[a-z]+?)s?")


@dataclass(frozen=True)
class ClaimCurve:
    """One plot, and the same as a table.

    Attributes:
        benchmark: whose slices these are.
        what: what is hard about them; empty where the benchmark says it.
        unit: what is counted: ``attribute``.
        systems: of the lines; the pipeline's truths are among them, which show where it lost what it lost.
        plot: the curves.
        rows: for each number, a cell for each system: the value with its interval.
    """

    benchmark: str
    what: str
    unit: str
    systems: tuple[str, ...]
    plot: Plot
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def claim_curves(dossier: Dossier, results: pd.DataFrame) -> list[ClaimCurve]:
    """A curve for each benchmark whose slices count, over all systems that were scored on it.

    Args:
        dossier: the evidence.
        results: its frame of results.
    """
    found: list[ClaimCurve] = []
    for benchmark in dossier.benchmarks:
        ours = (results["benchmark"] == benchmark) & results["signature"].notna()
        systems = tuple(results["system"][ours].unique())
        chosen = ours & of_headline(dossier, results) & results["slice"].notna()
        counted = _counted(tabulate(results, chosen, systems))
        for what, unit in dict.fromkeys((what, unit) for what, unit, _ in counted):
            at = {count: row for (w, u, count), row in counted.items() if (w, u) == (what, unit)}
            if len(at) > 1:
                found.append(_curve(systems, (what, unit), at, len(found)))
    return found


def _counted(rows: Sequence[Row]) -> dict[tuple[str, str, int], Row]:
    """Slices by what they count and how many; empty unless all of them count."""
    read = [(row, _COUNTED.fullmatch(row.slice)) for row in sorted(rows, key=lambda row: row.slice)]
    if not all(match for _, match in read):
        return {}
    return {(m["what"] or "", m["unit"], int(m["count"])): row for row, m in read if m}


def _curve(
    systems: tuple[str, ...], counted: tuple[str, str], at: Mapping[int, Row], place: int
) -> ClaimCurve:
    what, unit = counted
    first = next(iter(at.values()))
    cells = {system: {count: at[count].cells[k] for count in sorted(at)} for k, system in enumerate(systems)}
    lines = [
        Curve(system, tuple(points), series)
        for series, (system, own) in enumerate(cells.items())
        if (points := [point for count, cell in own.items() if (point := _point(count, cell))])
    ]
    words = metric_words(first.metric)
    title = (
        f"{first.benchmark}: {words} by number of {unit}s{f', {what}' if what else ''}, with 95 % intervals"
    )
    plot = curves(f"claim-{place}", title, lines, x=f"{unit}s", y=words, bounds=(0.0, 1.0))
    rows = tuple((count, tuple(_told(own[count]) for own in cells.values())) for count in sorted(at))
    return ClaimCurve(first.benchmark, what, unit, systems, plot, rows)


def _point(count: int, cell: Cell) -> tuple[float, float, float | None, float | None] | None:
    if isinstance(cell, str) or cell.value is None:
        return None
    return count, cell.value, cell.low, cell.high


def _told(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    span = interval(cell.low, cell.high)
    return f"{number(cell.value)}{f' ({span})' if span else ''}"
