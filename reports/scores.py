"""Tables and plots of scores: headline metrics, every metric with its signature, slices."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.harness.records import Result
from reports.evidence import Dossier, Evidence
from reports.plots import Band, Mark, Plot, forest
from reports.tables import LOWER_IS_BETTER, by_scale, interval, metric_words, number

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


def headline_rows(dossier: Dossier) -> list[Row]:
    """The headline metric of each benchmark for the systems that are compared."""
    return [_row(dossier, name, _headline(dossier, name)) for name in _compared(dossier)]


def metric_tables(dossier: Dossier) -> list[MetricTable]:
    """Every metric of every benchmark, for all systems."""
    tables = []
    for benchmark in dossier.benchmarks:
        entries = [entry for entry in dossier.on(benchmark) if entry.run.results]
        metrics = dict.fromkeys(result.metric for entry in entries for result in entry.run.results)
        rows = tuple(
            Row(benchmark, metric, tuple(_cell(entry, metric) for entry in entries)) for metric in metrics
        )
        seconds = tuple(_seconds(entry.run.results) for entry in entries)
        tables.append(MetricTable(benchmark, tuple(entry.system for entry in entries), rows, seconds))
    return tables


def slice_tables(dossier: Dossier) -> list[SliceTable]:
    """The headline metric of each benchmark on its slices, for the systems that are compared."""
    tables = []
    for benchmark in _compared(dossier):
        metric = _headline(dossier, benchmark)
        entries = [dossier.get(benchmark, system) for system in dossier.main]
        names = {
            result.slice
            for entry in entries
            if entry is not None
            for result in entry.run.results
            if result.metric == metric and result.slice is not None
        }
        rows = tuple(_row(dossier, benchmark, metric, name) for name in sorted(names, key=_reading_order))
        if rows:
            tables.append(SliceTable(benchmark, metric, rows))
    return tables


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


def _compared(dossier: Dossier) -> list[str]:
    """Benchmarks that at least one of the compared systems ran on."""
    return [name for name in dossier.benchmarks if any(dossier.get(name, system) for system in dossier.main)]


def _headline(dossier: Dossier, benchmark: str) -> str:
    return dossier.on(benchmark)[0].about.headline


def _row(dossier: Dossier, benchmark: str, metric: str, part: str | None = None) -> Row:
    entries = (dossier.get(benchmark, system) for system in dossier.main)
    cells = tuple(NOT_RUN if entry is None else _cell(entry, metric, part) for entry in entries)
    return Row(benchmark, metric, cells, part or "")


def _cell(entry: Evidence, metric: str, part: str | None = None) -> Cell:
    return entry.result(metric, part) or entry.run.unscored or f"no {metric_words(metric)} here"


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


def _seconds(results: tuple[Result, ...]) -> str:
    found = (result.seconds for result in results if result.slice is None and result.seconds is not None)
    seconds = next(found, None)
    if seconds is None:
        return "–"
    return "< 0.001" if seconds < 0.001 else f"{seconds:.2g}"
