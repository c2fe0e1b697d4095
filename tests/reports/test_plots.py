"""Forest plots: what is drawn lies inside the picture and says what the numbers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots import Band, Mark, forest, nice_ticks

finite = st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False).map(lambda v: round(v, 6))


@given(finite, finite)
def test_ticks_are_few_rising_and_cover_the_range(a: float, b: float) -> None:
    low, high = sorted((a, b))
    ticks = nice_ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert 2 <= len(ticks) <= 9
    assert list(ticks) == sorted(set(ticks))
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack


@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=6), st.booleans())
def test_everything_is_drawn_inside_and_in_order(rows: list[tuple[float, float, float]], zero: bool) -> None:
    ordered = [sorted(row) for row in rows]
    marks = tuple(Mark("name", value, low, high, "text") for low, value, high in ordered)
    plot = forest("p", "title", [Band("heading", marks)], sides=("left", "right") if zero else None)
    for drawing in plot.drawings:
        for point in drawing.points:
            assert point.left is not None
            assert point.right is not None
            assert 0 <= point.left <= point.x <= point.right <= drawing.width
            assert drawing.top <= point.y <= drawing.bottom
        assert (drawing.zero is not None) == zero
        assert all(0 <= text.x <= drawing.width and 0 < text.y <= drawing.height for text in drawing.texts)


def test_an_infinite_interval_has_no_whisker_and_does_not_stretch_the_axis() -> None:
    plot = forest("p", "t", [Band("", (Mark("a", 0.5, float("-inf"), float("inf"), "0.5"),))])
    point = plot.drawings[0].points[0]
    assert point.left is None
    assert point.right is None


def test_a_value_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        forest("p", "t", [Band("", (Mark("a", float("nan"), None, None, ""),))])


def test_the_description_tells_every_number() -> None:
    marks = (Mark("a", 0.5, 0.4, 0.6, "0.500 (0.400 to 0.600)"), Mark("b", 0.1, None, None, "0.100"))
    plot = forest("p", "t", [Band("vqa", marks)])
    assert plot.description == "vqa: a 0.500 (0.400 to 0.600); vqa: b 0.100."
