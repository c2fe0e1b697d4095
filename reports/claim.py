"""The claim as curves: how a score falls with how much has to be carried over, for each compared system.

A benchmark takes part whose slices count something: "3 attributes", or "order in time, 2 deeds".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.records import Result
from reports.evidence import Dossier, Evidence
from reports.plots import Curve, Plot, curves
from reports.tables import interval, metric_words, number

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


def claim_curves(dossier: Dossier) -> list[ClaimCurve]:
    """A curve for each benchmark whose slices count, over all systems that were scored on it."""
    found: list[ClaimCurve] = []
    for benchmark in dossier.benchmarks:
        entries = [entry for entry in dossier.on(benchmark) if entry.run.results]
        counted = _counted(entries)
        for what, unit in dict.fromkeys((what, unit) for what, unit, _ in counted):
            at = {count: name for (w, u, count), name in counted.items() if (w, u) == (what, unit)}
            if len(at) > 1:
                found.append(_curve(dossier, benchmark, entries, (what, unit), at, len(found)))
    return found


def _counted(entries: Sequence[Evidence]) -> dict[tuple[str, str, int], str]:
    """Slices by what they count and how many; empty unless all of them count."""
    names = {r.slice for entry in entries for r in entry.run.results if r.slice is not None}
    read = {name: _COUNTED.fullmatch(name) for name in sorted(names)}
    if not read or not all(read.values()):
        return {}
    return {(m["what"] or "", m["unit"], int(m["count"])): name for name, m in read.items() if m}


def _curve(
    dossier: Dossier,
    benchmark: str,
    entries: Sequence[Evidence],
    counted: tuple[str, str],
    at: dict[int, str],
    place: int,
) -> ClaimCurve:
    what, unit = counted
    metric = entries[0].about.headline
    results = {
        entry.system: {count: entry.result(metric, at[count]) for count in sorted(at)} for entry in entries
    }
    lines = [
        Curve(system, tuple(points), series)
        for series, (system, own) in enumerate(results.items())
        if (points := [_point(count, result) for count, result in own.items() if _known(result)])
    ]
    words = metric_words(metric)
    title = f"{benchmark}: {words} by number of {unit}s{f', {what}' if what else ''}, with 95 % intervals"
    plot = curves(f"claim-{place}", title, lines, x=f"{unit}s", y=words, bounds=(0.0, 1.0))
    rows = tuple((count, tuple(_cell(own[count]) for own in results.values())) for count in sorted(at))
    return ClaimCurve(benchmark, what, unit, tuple(results), plot, rows)


def _known(result: Result | None) -> bool:
    return result is not None and result.value is not None


def _point(count: int, result: Result | None) -> tuple[float, float, float | None, float | None]:
    assert result is not None
    assert result.value is not None
    return count, result.value, result.low, result.high


def _cell(result: Result | None) -> str:
    if result is None:
        return "not run"
    span = interval(result.low, result.high)
    return f"{number(result.value)}{f' ({span})' if span else ''}"
