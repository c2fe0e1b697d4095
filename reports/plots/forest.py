"""Forest plots: values with their intervals on one axis.

Each is drawn twice, wide for desks and paper and narrow for phones; the style sheet shows the one that fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nextgpt.terminal import one_line
from reports.plots.canvas import MUTED, Kind, Plot, axes, canvas, label, series_style, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KINDS: tuple[Kind, Kind] = ("wide", "narrow")
_WIDE, _NARROW = 820, 340
_LABEL, _TEXT = 250, 190  # columns of the wide layout, left and right of the axis
_EDGE = 12  # keeps markers at the ends of the axis inside the picture


@dataclass(frozen=True)
class Mark:
    """One value on a plot.

    Attributes:
        label: what it is the value of.
        value, low, high: the value and its 95 % interval; None where there is no interval.
        text: the same in words, printed beside it.
        series: which system it belongs to; chooses colour and shape.
        solid: a hollow marker says that the interval tells nothing apart.
    """

    label: str
    value: float
    low: float | None
    high: float | None
    text: str
    series: int = 0
    solid: bool = True


@dataclass(frozen=True)
class Band:
    """Marks under one heading; the heading may be empty."""

    heading: str
    marks: tuple[Mark, ...]


def forest(
    name: str,
    title: str,
    bands: Sequence[Band],
    *,
    bounds: tuple[float, float] | None = None,
    sides: tuple[str, str] | None = None,
) -> Plot:
    """Draw a forest plot.

    Args:
        name: unique on the page; the prefix of its element ids.
        title: what the plot shows, in one line.
        bands: groups of marks from top to bottom.
        bounds: ends of the axis, at which what lies outside is drawn; None to take them from the data.
        sides: for differences, what the left and the right of zero mean; draws the line at zero.

    Raises:
        ValueError: no marks, or a value that is not finite.

    Example:
        >>> mark = Mark("a", 0.5, 0.4, 0.6, "0.500")
        >>> plot = forest("scores", "Scores", [Band("vqa", (mark,))], bounds=(0, 1))
        >>> plot.description, len(plot.drawings)
        ('vqa: a 0.500.', 2)
    """
    marks = [mark for band in bands for mark in band.marks]
    if not marks or not all(math.isfinite(mark.value) for mark in marks):
        raise ValueError(f"plot {name}: needs at least one mark, and finite values only")
    description = "; ".join(
        f"{band.heading}{': ' if band.heading else ''}{mark.label} {mark.text}"
        for band in bands
        for mark in band.marks
    )
    description = f"{description}."
    ends = scale(marks) if bounds is None else bounds
    drawings = []
    for kind in _KINDS:
        layout = _Layout(bands, ends, sides, wide=kind == "wide")
        with canvas(layout.width, layout.bottom + 24) as figure:
            layout.draw(figure)
            drawings.append(to_svg(figure, name, kind, title, description))
    return Plot(name, title, description, tuple(drawings))


def scale(marks: Sequence[Mark]) -> tuple[float, float]:
    """Ends of an axis, nought between them; infinite intervals do not stretch it.

    Example:
        >>> scale([Mark("a", 0.2, -0.03, float("inf"), "")])
        (-0.05, 0.2)
    """
    from matplotlib.ticker import MaxNLocator

    values = [v for m in marks for v in (m.value, m.low, m.high) if v is not None and math.isfinite(v)]
    low, high = min(0.0, *values), max(0.0, *values)
    ticks = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high if high > low else low + 1.0)
    return float(ticks[0]), float(ticks[-1])


class _Layout:
    """Where everything stands, in pixels from the left and the top; narrow, labels stand above the axis."""

    def __init__(
        self,
        bands: Sequence[Band],
        ends: tuple[float, float],
        sides: tuple[str, str] | None,
        *,
        wide: bool,
    ) -> None:
        self._bands, self._ends, self._sides, self._wide = bands, ends, sides, wide
        self.width = _WIDE if wide else _NARROW
        self._left, self._right = (_LABEL, _WIDE - _TEXT) if wide else (_EDGE, _NARROW - _EDGE)
        self._row = 26 if wide else 38
        self._side = 0 if not sides else 16 if wide else 34
        self._top = self._side + 6
        rows = sum(24 * bool(band.heading) + self._row * len(band.marks) for band in bands)
        self.bottom = self._top + rows + 8

    def draw(self, figure: Figure) -> None:
        """Draw from top to bottom."""
        ax = axes(figure, self._left, self._top, self._right, self.bottom)
        ax.set(xlim=self._ends, ylim=(self.bottom, self._top), yticks=[])
        ax.locator_params(axis="x", nbins=5, steps=[1, 2, 5, 10])
        ax.spines[:].set_visible(False)
        if self._sides:
            ax.axvline(0, color=MUTED, linewidth=1.25, gid="zero")
            self._write(figure, self._left, 14, f"← {self._sides[0]}", color=MUTED)
            self._write(figure, self._right, self._side - 2, f"{self._sides[1]} →", color=MUTED, ha="right")
        y, place, wide = float(self._top), 0, self._wide
        for band in self._bands:
            if band.heading:
                y += 24
                heading = label(band.heading, 60 if wide else 46)
                self._write(figure, 0, y - 4, heading, weight="bold", size=13)
            for mark in band.marks:
                y += self._row
                line = y - 8 if wide else y - 20
                self._write(figure, 0, line, label(mark.label, 36 if wide else 26), size=13)
                self._write(figure, self.width, line, mark.text, size=13, ha="right")
                self._point(ax, mark, y - 12.5 if wide else y - 8, f"point-{place}")
                place += 1

    def _write(self, figure: Figure, x: float, y: float, text: str, **look: Any) -> None:
        height = self.bottom + 24
        figure.text(x / self.width, 1 - y / height, one_line(text), va="baseline", **look)

    def _point(self, ax: Axes, mark: Mark, y: float, gid: str) -> None:
        """A marker with its whisker; what lies outside of the axis is drawn at its end."""
        look = series_style(mark.series, solid=mark.solid)
        low, high = (math.nan if end is None else end for end in (mark.low, mark.high))
        if math.isfinite(low) and math.isfinite(high):
            ax.plot([self._inside(low), self._inside(high)], [y, y], color=look["color"], clip_on=False)
        ax.plot([self._inside(mark.value)], [y], **look, clip_on=False, gid=gid)

    def _inside(self, value: float) -> float:
        return min(max(value, self._ends[0]), self._ends[1])
