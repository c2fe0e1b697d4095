"""Curves: a value that changes with another, for several systems, each with its interval as a band.

Also pictures of calibration, where the diagonal is what is promised, and of coverage, where a level is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.plots.canvas import MUTED, Plot, axes, canvas, label, series_style, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 440, 296
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 424, 14, 240
_LINE = 18  # of the key, below


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Attributes:
        label: what it is, for the key and for the description.
        points: x, value, low and high of its 95 % interval, by rising x; None where there is no interval.
        series: which system it belongs to; chooses colour and shape.
    """

    label: str
    points: tuple[tuple[float, float, float | None, float | None], ...]
    series: int = 0


def curves(  # noqa: PLR0913 - what the axes are, and what is promised
    name: str,
    title: str,
    lines: Sequence[Curve],
    *,
    x: str,
    y: str,
    bounds: tuple[float, float] | None = None,
    level: float | None = None,
    diagonal: bool = False,
    logarithmic: bool = False,
) -> Plot:
    """Draw curves with their intervals and, below, a key.

    Args:
        name: unique on the page; the prefix of its element ids.
        title: what the plot shows, in one line.
        lines: the curves.
        x: what is to the right, with its unit.
        y: what is upwards, with its unit.
        bounds: ends of the upward axis; None to take them from the data.
        level: a value that is promised everywhere, such as 0.95 for the coverage of intervals.
        diagonal: y = x is what is promised, as for a judge's calibration.
        logarithmic: what is to the right is a size, and each doubling as wide as the next.

    Raises:
        ValueError: no point, or one that is not finite.

    Example:
        >>> line = Curve("a", ((1, 0.9, 0.8, 1.0), (2, 0.7, 0.6, 0.8)))
        >>> curves("carried", "Attributes", [line], x="attributes", y="right").description
        'a: 0.900 (0.800 to 1.000) at 1, 0.700 (0.600 to 0.800) at 2.'
    """
    from matplotlib.lines import Line2D

    points = [point for line in lines for point in line.points]
    if not points or not all(math.isfinite(at) and math.isfinite(value) for at, value, *_ in points):
        raise ValueError(f"plot {name}: needs at least one point, and finite values only")
    description = f"{'; '.join(map(_words, lines))}."
    with canvas(_WIDTH, _HEIGHT + _LINE * len(lines)) as figure:
        ax = axes(figure, _LEFT, _TOP, _RIGHT, _BOTTOM)
        ax.set(xlabel=x, ylabel=y)
        if bounds is not None:
            ax.set_ylim(bounds)
        if logarithmic:
            ax.set_xscale("log")
            ax.minorticks_off()
        if len({at for at, *_ in points}) <= 8 and not diagonal:
            ticks = sorted({at for at, *_ in points})
            ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        if level is not None:
            ax.axhline(level, color=MUTED, linewidth=1.25, linestyle="--")
        if diagonal:
            ax.axline((0, 0), slope=1, color=MUTED, linewidth=1.25, linestyle="--")
        for place, line in enumerate(lines):
            _draw(ax, line)
            below = 1 - (_HEIGHT + _LINE * place) / figure.bbox.height
            figure.text(_LEFT / _WIDTH + 0.04, below, label(line.label, 52), size=13, va="baseline")
            key = Line2D(
                [_LEFT / _WIDTH + 0.015], [below + 4 / figure.bbox.height], **series_style(line.series)
            )
            figure.add_artist(key)
        drawing = to_svg(figure, name, "only", title, description)
    return Plot(name, title, description, (drawing,))


def _draw(ax: Axes, line: Curve) -> None:
    """The band of the intervals where there are any, and over it the values."""
    look = series_style(line.series)
    at, values, low, high = zip(*line.points, strict=True)
    banded = [
        (a, lo, hi) for a, lo, hi in zip(at, low, high, strict=True) if lo is not None and hi is not None
    ]
    if banded:
        where, bottom, top = zip(*banded, strict=True)
        ax.fill_between(where, bottom, top, color=look["color"], alpha=0.18, linewidth=0)
    ax.plot(at, values, **look, clip_on=False)


def _words(line: Curve) -> str:
    from reports.tables import interval, number

    told = []
    for at, value, low, high in line.points:
        span = interval(low, high)
        told.append(f"{number(value)}{f' ({span})' if span else ''} at {at:g}")
    return f"{line.label}: {', '.join(told)}"
