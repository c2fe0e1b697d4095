"""Forest plots: values with their intervals on one axis, as geometry for the SVG template.

Each plot is laid out twice, wide for desks and paper and narrow for phones; the style sheet shows
the one that fits. Colours come from the page, so a plot is readable on dark and on light, and each
series has a shape of its own, so it is readable without colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SHAPES = ("circle", "square", "diamond", "triangle")

_WIDE, _NARROW = 820, 340
_LABEL, _TEXT = 250, 190  # columns of the wide layout, left and right of the axis
_LONGEST_LABEL = 36
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


@dataclass(frozen=True)
class Text:
    """A piece of text in a drawing: ``anchor`` is SVG's, ``kind`` a class of the style sheet."""

    x: float
    y: float
    content: str
    kind: str
    anchor: str = "start"


@dataclass(frozen=True)
class Point:
    """A marker with its whisker, in drawing units (pixels of the natural size)."""

    x: float
    y: float
    left: float | None
    right: float | None
    series: int
    shape: str
    solid: bool


@dataclass(frozen=True)
class Drawing:
    """One layout of a plot."""

    kind: str
    width: float
    height: float
    top: float
    bottom: float
    grid: tuple[float, ...]
    zero: float | None
    texts: tuple[Text, ...]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Plot:
    """A forest plot in both layouts, with what a reader who can't see it is told."""

    name: str
    title: str
    description: str
    drawings: tuple[Drawing, Drawing]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[float, ...]
    left: float
    right: float

    def x(self, value: float) -> float:
        """Position of a value; what lies outside is drawn at the edge."""
        inside = min(max(value, self.low), self.high)
        return round(self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left), 2)


def forest(
    name: str,
    title: str,
    bands: Sequence[Band],
    *,
    bounds: tuple[float, float] | None = None,
    sides: tuple[str, str] | None = None,
) -> Plot:
    """Lay out a forest plot.

    Args:
        name: unique on the page; the prefix of its element ids.
        title: what the plot shows, in one line.
        bands: groups of marks from top to bottom.
        bounds: ends of the axis; None to take them from the data.
        sides: for differences, what the left and the right of zero mean; draws the line at zero.

    Raises:
        ValueError: no marks, or a value that is not finite.

    Example:
        >>> mark = Mark("a", 0.5, 0.4, 0.6, "0.500")
        >>> plot = forest("scores", "Scores", [Band("vqa", (mark,))], bounds=(0, 1))
        >>> [point.x for point in plot.drawings[0].points]
        [440.0]
    """
    marks = [mark for band in bands for mark in band.marks]
    if not marks or not all(math.isfinite(mark.value) for mark in marks):
        raise ValueError(f"plot {name}: needs at least one mark, and finite values only")
    low, high, ticks = _scale(marks, bounds)
    wide = _Axis(low, high, ticks, _LABEL, _WIDE - _TEXT)
    narrow = _Axis(low, high, ticks, _EDGE, _NARROW - _EDGE)
    drawings = (_layout("wide", wide, bands, sides), _layout("narrow", narrow, bands, sides))
    description = "; ".join(
        f"{band.heading}{': ' if band.heading else ''}{mark.label} {mark.text}"
        for band in bands
        for mark in band.marks
    )
    return Plot(name, title, f"{description}.", drawings)


def nice_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Round numbers from `low` to `high`, both covered, at most `most` steps.

    Example:
        >>> nice_ticks(-0.03, 0.41)
        (-0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    """
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / most))
    step = next(m * magnitude for m in (1, 2, 5, 10) if span / (m * magnitude) <= most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return tuple(round(k * step, digits) + 0.0 for k in range(first, max(last, first + 1) + 1))


def _scale(
    marks: Sequence[Mark], bounds: tuple[float, float] | None
) -> tuple[float, float, tuple[float, ...]]:
    """Ends and ticks of the axis, nought among them; infinite intervals do not stretch it."""
    if bounds is not None:
        ticks = nice_ticks(*bounds, most=5)
        return *bounds, ticks
    values = [v for m in marks for v in (m.value, m.low, m.high) if v is not None and math.isfinite(v)]
    ticks = nice_ticks(min(0.0, *values), max(0.0, *values), most=5)
    return ticks[0], ticks[-1], ticks


def _layout(kind: str, axis: _Axis, bands: Sequence[Band], sides: tuple[str, str] | None) -> Drawing:
    """Place everything from top to bottom; `kind` decides whether labels stand beside or above."""
    wide = kind == "wide"
    texts: list[Text] = []
    points: list[Point] = []
    y = 0.0
    if sides:
        y += 16
        texts.append(Text(axis.left, y - 2, f"← {sides[0]}", "side"))
        if not wide:
            y += 18
        texts.append(Text(axis.right, y - 2, f"{sides[1]} →", "side", "end"))
    top = y + 6
    y = top
    for band in bands:
        if band.heading:
            y += 24
            texts.append(Text(0, y - 4, _short(band.heading, 60 if wide else 46), "heading"))
        for mark in band.marks:
            y += 26 if wide else 22
            line = y - 8 if wide else y - 4
            texts.append(Text(0, line, _short(mark.label, _LONGEST_LABEL if wide else 26), "label"))
            texts.append(Text(_WIDE if wide else _NARROW, line, mark.text, "value", "end"))
            y += 0 if wide else 16
            points.append(_point(axis, mark, y - 12.5 if wide else y - 8))
    y += 8
    texts += [Text(axis.x(t), y + 16, _tick(t, axis.ticks), "tick", "middle") for t in axis.ticks]
    zero = axis.x(0) if sides else None
    grid = tuple(axis.x(tick) for tick in axis.ticks)
    return Drawing(kind, _WIDE if wide else _NARROW, y + 22, top, y, grid, zero, tuple(texts), tuple(points))


def _point(axis: _Axis, mark: Mark, y: float) -> Point:
    ends = (mark.low, mark.high)
    left, right = (None if end is None or not math.isfinite(end) else axis.x(end) for end in ends)
    shape = SHAPES[mark.series % len(SHAPES)]
    return Point(axis.x(mark.value), y, left, right, mark.series % len(SHAPES), shape, mark.solid)


def _tick(value: float, ticks: Sequence[float]) -> str:
    step = ticks[1] - ticks[0]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{abs(value):.{digits}f}"
    return f"−{text}" if value < 0 else text


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
