"""What quality costs: the headline metric of each benchmark against the seconds that an answer takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.evidence import Dossier
from reports.plots import SHAPES
from reports.tables import LOWER_IS_BETTER, interval, metric_words, number

_WIDTH, _HEIGHT = 400, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 40, 14, 30


@dataclass(frozen=True)
class CostPoint:
    """One system: where it stands on the plot, and the same in words."""

    system: str
    words: str
    x: float
    y: float
    low: float
    high: float
    series: int

    @property
    def shape(self) -> str:
        """Its shape, by which it is known without colour."""
        return SHAPES[self.series]


@dataclass(frozen=True)
class CostPlot:
    """One benchmark's systems: quality upwards, seconds per answer to the right, on a logarithmic axis."""

    name: str
    title: str
    quality: str
    points: tuple[CostPoint, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = _HEIGHT - _BOTTOM

    @property
    def words(self) -> str:
        """All points in words."""
        return "; ".join(point.words for point in self.points)


def cost_plots(dossier: Dossier) -> list[CostPlot]:
    """A plot for each benchmark on which at least one system says how long its answers took."""
    plots = list[CostPlot]()
    for name in dossier.benchmarks:
        plot = _plot(dossier, name, f"cost-{len(plots)}")
        if plot is not None:
            plots.append(plot)
    return plots


def _plot(dossier: Dossier, benchmark: str, name: str) -> CostPlot | None:
    entries = dossier.on(benchmark)
    metric = entries[0].about.headline
    found = [(entry.system, result) for entry in entries if (result := entry.result(metric)) is not None]
    measured = [
        (system, result.seconds, result.value, result)
        for system, result in found
        if result.seconds and result.value is not None
    ]
    if not measured:
        return None
    ends = [
        end for *_, value, result in measured for end in (value, result.low, result.high) if end is not None
    ]
    bounds = (0.0, 1.0) if all(0 <= end <= 1 for end in ends) else (min(ends), max(ends))
    seconds = [each for _, each, *_ in measured]
    first = math.floor(math.log10(min(seconds)))
    last = max(first + 1, math.ceil(math.log10(max(seconds))))
    down = metric in LOWER_IS_BETTER

    def x(value: float) -> float:
        share = (math.log10(value) - first) / (last - first)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        share = (value - bounds[0]) / ((bounds[1] - bounds[0]) or 1.0)
        return round(_TOP + (share if down else 1 - share) * (_HEIGHT - _TOP - _BOTTOM), 1)

    points = []
    for system, taken, value, result in measured:
        low, high = (value if end is None else end for end in (result.low, result.high))
        span = interval(result.low, result.high)
        words = f"{system}: {number(value)}{f' ({span})' if span else ''} at {taken:.2g} s"
        points.append(CostPoint(system, words, x(taken), y(value), y(low), y(high), dossier.series(system)))
    steps = [bounds[0] + (bounds[1] - bounds[0]) * part / 4 for part in range(5)]
    return CostPlot(
        name,
        f"{benchmark}: {metric_words(metric)}{' ↓' if down else ''} against seconds per answer",
        metric_words(metric),
        tuple(points),
        tuple((x(10.0**power), f"{10.0**power:g} s") for power in range(first, last + 1)),
        tuple((y(step), number(step)) for step in steps),
    )
