"""Scatter plots: each system a point, what it costs to the right, how good it is upwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.plots.canvas import Plot, axes, canvas, series_style, to_svg

_WIDTH, _HEIGHT = 400, 264
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 372, 14, 220


@dataclass(frozen=True)
class Dot:
    """One system on a scatter plot.

    Attributes:
        x: what it costs; above nought.
        y, low, high: how good it is, with its 95 % interval; None where there is no interval.
        words: the same in words.
        series: which system it is; chooses colour and shape.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    words: str
    series: int = 0


def scatter(name: str, title: str, dots: Sequence[Dot], *, x: str, y: str, falls: bool = False) -> Plot:
    """Draw dots over a logarithmic axis.

    Args:
        name: unique on the page; the prefix of its element ids.
        title: what the plot shows, in one line.
        dots: one for each system.
        x: what is to the right, with its unit.
        y: what is upwards, with its unit.
        falls: less is better, and so less is drawn higher.

    Raises:
        ValueError: no dots, or one whose place is not finite or whose cost is not above nought.

    Example:
        >>> scatter("cost", "Cost", [Dot(0.5, 0.9, 0.8, 1.0, "a: 0.900 at 0.5 s")], x="s", y="F1").description
        'a: 0.900 at 0.5 s.'
    """
    if not dots or not all(0 < dot.x < math.inf and math.isfinite(dot.y) for dot in dots):
        raise ValueError(f"plot {name}: needs at least one dot, with a cost above nought and finite values")
    spans = [
        (dot.y, dot.y)
        if dot.low is None or dot.high is None or not math.isfinite(dot.high - dot.low)
        else (dot.low, dot.high)
        for dot in dots
    ]
    ends = [end for span in spans for end in span]
    # The whole scale where all values lie on it: a small difference is not to look like a large one.
    bounds = (0.0, 1.0) if all(0 <= end <= 1 for end in ends) else (min(ends), max(ends))
    first = math.floor(math.log10(min(dot.x for dot in dots)))
    last = max(first + 1, math.ceil(math.log10(max(dot.x for dot in dots))))
    words = [dot.words for dot in dots]
    description = f"{'; '.join(words)}."
    with canvas(_WIDTH, _HEIGHT) as figure:
        ax = axes(figure, _LEFT, _TOP, _RIGHT, _BOTTOM)
        ax.set(xscale="log", xlim=(10.0**first, 10.0**last), xlabel=x, ylabel=y)
        ax.set_xticks(
            [10.0**power for power in range(first, last + 1)],
            [f"{10.0**power:g}" for power in range(first, last + 1)],
        )
        ax.minorticks_off()
        ax.set_ylim(bounds if bounds[0] < bounds[1] else (bounds[0] - 0.5, bounds[1] + 0.5))
        if falls:
            ax.invert_yaxis()
        for place, (dot, span) in enumerate(zip(dots, spans, strict=True)):
            look = series_style(dot.series)
            ax.plot([dot.x, dot.x], span, color=look["color"], clip_on=False)
            ax.plot([dot.x], [dot.y], **look, clip_on=False, gid=f"point-{place}")
        drawing = to_svg(figure, name, "only", title, description, words)
    return Plot(name, title, description, (drawing,))
