"""Tables and plots of scores: headline metrics, every metric with its signature, slices.

Each table is a selection of the frame of results, with a column for each system.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from benchmarks.harness.records import Result
from reports.evidence import Dossier
from reports.plots import Band, Mark, Plot, forest
from reports.tables import LOWER_IS_BETTER, by_scale, interval, metric_words, number
from reports.tabular import plain, records, results_frame

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
Cell = Result | str  # a result, or why there is none


@dataclass(frozen=True)
class Row:
    """One metric of one benchmark or of one of its slices: for each system a result, or why there is none."""

    benchmark: str
    metric: str
    cells: tuple[Cell, ...]
    slice: str = ""

    @property
    def results(self) -> tuple[Result, ...]:
        """The results among the cells."""
        return tuple(cell for cell in self.cells if isinstance(cell, Result))

    @property
    def arrow(self) -> str:
        """Marks metrics of which less is better."""
        return " ↓" if self.metric in LOWER_IS_BETTER else ""

    @property
    def signatures(self) -> tuple[str, ...]:
        """The metric's signature; several where systems were scored differently."""
        return tuple(dict.fromkeys(result.signature for result in self.results if result.signature))

    @property
    def methods(self) -> str:
        """How the intervals were made, without what became of each system's failures."""
        scored = (result for result in self.results if result.value is not None)
        return " or ".join(dict.fromkeys(result.method.partition(";")[0] for result in scored))


@dataclass(frozen=True)
class MetricTable:
    """Every metric of one benchmark for every system that ran on it, and its speed."""

    benchmark: str
    systems: tuple[str, ...]
    rows: tuple[Row, ...]
    seconds: tuple[str, ...]


@dataclass(frozen=True)
class SliceTable:
    """The headline metric on the parts of one benchmark."""

    benchmark: str
    metric: str
    rows: tuple[Row, ...]


def page_results(dossier: Dossier) -> pd.DataFrame:
    """The frame of results that all tables of scores are taken from, in the order in which they are read."""
    entries = (entry for benchmark in dossier.benchmarks for entry in dossier.on(benchmark))
    return results_frame(
        ((entry.benchmark, entry.system), entry.run, entry.run.unscored) for entry in entries
    )


def headline_rows(dossier: Dossier, results: pd.DataFrame) -> list[Row]:
    """The headline metric of each benchmark for the systems that are compared."""
    chosen = of_headline(dossier, results) & results["slice"].isna() & results["system"].isin(dossier.main)
    return tabulate(results, chosen, dossier.main)


def metric_tables(dossier: Dossier, results: pd.DataFrame) -> list[MetricTable]:
    """Every metric of every benchmark, for all systems."""
    tables = []
    scored = results["signature"].notna()
    for benchmark in dossier.benchmarks:
        ours = scored & (results["benchmark"] == benchmark)
        systems = tuple(results["system"][ours].unique())
        whole = ours & results["slice"].isna()
        seconds = results[whole].groupby("system")["seconds"].first()
        rows = tabulate(results, whole, systems)
        spent = tuple(_seconds(seconds.get(name, math.nan)) for name in systems)
        tables.append(MetricTable(benchmark, systems, tuple(rows), spent))
    return tables


def slice_tables(dossier: Dossier, results: pd.DataFrame) -> list[SliceTable]:
    """The headline metric of each benchmark on its slices, for the systems that are compared."""
    chosen = of_headline(dossier, results) & results["slice"].notna() & results["system"].isin(dossier.main)
    rows = tabulate(results, chosen, dossier.main)
    tables = []
    for (benchmark, metric), members in groupby(rows, key=lambda row: (row.benchmark, row.metric)):
        ordered = sorted(members, key=lambda row: _reading_order(row.slice))
        tables.append(SliceTable(benchmark, metric, tuple(ordered)))
    return tables


def of_headline(dossier: Dossier, results: pd.DataFrame) -> pd.Series[bool]:
    """Which rows of the frame are of their benchmark's headline metric."""
    headlines = {name: dossier.on(name)[0].about.headline for name in dossier.benchmarks}
    return results["metric"] == results["benchmark"].map(headlines)


def tabulate(results: pd.DataFrame, chosen: pd.Series[bool], systems: Sequence[str]) -> list[Row]:
    """Rows of the frame of results as rows of a table, with a column for each system.

    Args:
        results: of all runs.
        chosen: which of its rows; each benchmark, metric and slice among them is one of the table's.
        systems: the columns.
    """
    silent = results["signature"].isna()
    runs = zip(results["benchmark"], results["system"], results["method"].where(silent, ""), strict=True)
    why = {(benchmark, system): method for benchmark, system, method in runs}
    keys = ((row["benchmark"], row["metric"], row["slice"]) for row in plain(results[chosen]))
    table: dict[tuple[str, str, str | None], dict[str, Cell]] = {key: {} for key in keys}
    for result in records(Result, results[chosen & ~silent]):
        table[result.benchmark, result.metric, result.slice].setdefault(result.system, result)
    rows = []
    for (benchmark, metric, part), found in table.items():
        without = f"no {metric_words(metric)} here"
        reasons = {system: why.get((benchmark, system), NOT_RUN) or without for system in systems}
        cells = tuple(found.get(system, reasons[system]) for system in systems)
        rows.append(Row(benchmark, metric, cells, part or ""))
    return rows


def score_plots(dossier: Dossier, rows: list[Row]) -> list[Plot]:
    """Headline scores with intervals: metrics from 0 to 1 on one axis, each other metric on its own."""
    plots: list[Plot] = []
    for metric, members in by_scale(rows).items():
        bands = [band for band in (_band(dossier, row) for row in members) if band.marks]
        if bands:
            title = f"Headline scores{f' in {metric_words(metric)}' if metric else ''} with 95 % intervals"
            plots.append(forest(f"scores-{len(plots)}", title, bands, bounds=_bounds(bands)))
    return plots


def _reading_order(part: str) -> tuple[int, str]:
    """``one object`` before ``two objects`` before ``three objects``; other slices by alphabet."""
    numbers = ("one", "two", "three")
    first = part.partition(" ")[0]
    return (numbers.index(first) if first in numbers else len(numbers), part)


def _band(dossier: Dossier, row: Row) -> Band:
    marks = [
        Mark(cell.system, cell.value, cell.low, cell.high, _text(cell), dossier.series(cell.system))
        for cell in row.results
        if cell.value is not None
    ]
    return Band(f"{row.benchmark} · {metric_words(row.metric)}{row.arrow}", tuple(marks))


def _bounds(bands: list[Band]) -> tuple[float, float] | None:
    """The whole scale, where all values lie on it."""
    values = [mark.value for band in bands for mark in band.marks]
    return (0.0, 1.0) if all(0.0 <= value <= 1.0 for value in values) else None


def _text(cell: Result) -> str:
    span = interval(cell.low, cell.high)
    return f"{number(cell.value)}{f' ({span})' if span else ''}"


def _seconds(seconds: float) -> str:
    if math.isnan(seconds):
        return "–"
    return "< 0.001" if seconds < 0.001 else f"{seconds:.2g}"
