"""Plots: what is drawn lies inside of the picture, says what the numbers say, and is safe on any page."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.plots import Band, Curve, Dot, Mark, Plot, curves, forest, scatter, standalone
from reports.plots.forest import scale
from tests.reports.drawn import parse, points, size, texts, zero

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOSTILE = "<script>alert(1)</script> $\\frac{1}{2}$ --> ]]> \x1b[2J\u202e & \"'"
finite = st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False).map(lambda v: round(v, 6))


@given(finite, finite)
def test_an_axis_holds_all_values_and_nought(a: float, b: float) -> None:
    low, high = scale([Mark("a", a, None, None, ""), Mark("b", b, None, None, "")])
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert low <= min(0.0, a, b) + slack
    assert high >= max(0.0, a, b) - slack
    assert low < high


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=6), st.booleans())
def test_everything_is_drawn_inside_and_in_order(
    rows: list[tuple[float, float, float]], at_zero: bool
) -> None:
    ordered = [sorted(row) for row in rows]
    marks = tuple(Mark("name", value, low, high, "text") for low, value, high in ordered)
    plot = forest("p", "title", [Band("heading", marks)], sides=("left", "right") if at_zero else None)
    for drawing in plot.drawings:
        found = points(drawing)
        width, height = size(drawing)
        assert len(found) == len(marks)
        assert all(0 <= point.x <= width and 0 < point.y < height for point in found)
        assert [point.y for point in found] == sorted(point.y for point in found)
        by_value = sorted(zip((mark.value for mark in marks), (point.x for point in found), strict=True))
        assert [x for _, x in by_value] == sorted(x for _, x in by_value)
        assert (zero(drawing) is not None) == at_zero


def test_an_infinite_interval_has_no_whisker_and_does_not_stretch_the_axis() -> None:
    with_ends = Mark("a", 0.5, float("-inf"), float("inf"), "0.5")
    assert scale([with_ends]) == scale([replace(with_ends, low=None, high=None)])
    one, other = (
        forest("p", "t", [Band("", (mark,))]) for mark in (with_ends, replace(with_ends, low=None, high=None))
    )
    assert one.drawings == other.drawings


@pytest.mark.parametrize("draw", ["forest", "scatter", "curves"])
def test_a_value_that_is_not_finite_is_refused(draw: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        _one(draw, "a", float("nan"))


def test_a_cost_of_nought_has_no_place_on_a_logarithmic_axis() -> None:
    with pytest.raises(ValueError, match="above nought"):
        scatter("p", "t", [Dot(0.0, 0.5, None, None, "a")], x="s", y="F1")


def test_the_description_tells_every_number() -> None:
    marks = (Mark("a", 0.5, 0.4, 0.6, "0.500 (0.400 to 0.600)"), Mark("b", 0.1, None, None, "0.100"))
    plot = forest("p", "t", [Band("vqa", marks)])
    assert plot.description == "vqa: a 0.500 (0.400 to 0.600); vqa: b 0.100."


@pytest.mark.parametrize("draw", ["forest", "scatter", "curves"])
def test_hostile_names_stay_text_and_no_formula(draw: str) -> None:
    plot = _one(draw, HOSTILE, 0.5)
    for drawing in plot.drawings:
        tree = parse(drawing)  # well formed
        assert not [
            element for element in tree.iter() if element.tag.endswith(("script", "metadata", "style"))
        ]
        assert "\x1b" not in drawing
        assert "\u202e" not in drawing
    if draw != "scatter":  # whose points are named by the description alone
        assert any(text.startswith("<script>") for text in texts(plot.drawings[0]))


@pytest.mark.parametrize("draw", ["forest", "scatter", "curves"])
def test_two_plots_on_a_page_share_no_id_and_a_plot_is_the_same_each_time(draw: str) -> None:
    plot, other = _one(draw, "a", 0.5), _one(draw, "a", 0.5, name="q")
    found = [re.findall(r'\sid="([^"]+)"', drawing) for each in (plot, other) for drawing in each.drawings]
    flat = [each for ids in found for each in ids]
    assert len(flat) == len(set(flat)) > 0
    assert plot == _one(draw, "a", 0.5)


@pytest.mark.parametrize("draw", ["forest", "scatter", "curves"])
def test_colours_are_those_of_the_page(draw: str) -> None:
    for drawing in _one(draw, "a", 0.5).drawings:
        assert "var(--s1)" in drawing
        assert not re.search(r"(fill|stroke): #", drawing)
        assert "font-family" not in drawing


def test_where_less_is_better_less_is_drawn_higher() -> None:
    dots = [Dot(1.0, 3.0, None, None, "near"), Dot(1.0, 9.0, None, None, "far")]
    for falls in (True, False):
        near, far = points(scatter("p", "t", dots, x="s", y="FID", falls=falls).drawings[0])
        assert (near.y < far.y) == falls


def test_a_level_that_is_promised_is_a_line_of_its_own() -> None:
    line = Curve("a", ((10, 0.94, 0.93, 0.95), (100, 0.95, 0.94, 0.96)))
    without = curves("p", "t", [line], x="n", y="coverage", bounds=(0.8, 1))
    assert curves("p", "t", [line], x="n", y="coverage", bounds=(0.8, 1), level=0.95) != without
    assert curves("p", "t", [line], x="n", y="coverage", bounds=(0.8, 1), diagonal=True) != without


def _one(draw: str, words: str, value: float, name: str = "p") -> Plot:
    if draw == "forest":
        return forest(name, words, [Band(words, (Mark(words, value, None, None, words, 1),))])
    if draw == "scatter":
        return scatter(name, words, [Dot(1.0, value, None, None, words, 1)], x="s", y="F1")
    return curves(name, words, [Curve(words, ((1.0, value, None, None),), 1)], x="n", y="F1")


def test_a_plot_as_a_file_brings_its_colours_for_light_and_dark() -> None:
    alone = standalone(_one("curves", "a", 0.5))
    tree = ET.fromstring(alone)
    style = next(element.text or "" for element in tree.iter() if element.tag.endswith("style"))
    assert style.count("--s1:") == 2
    assert "prefers-color-scheme:dark" in style
    assert {*re.findall(r"var\((--\w+)\)", alone)} <= {*re.findall(r"(--\w+):", style)}


def test_the_picture_of_coverage_is_made_by_its_command(tmp_path: Path) -> None:
    made = tmp_path / "coverage.svg"
    command = [sys.executable, str(DOCS / "coverage.py"), "--studies", "4", "--out", str(made)]
    subprocess.run(command, check=True, cwd=tmp_path)
    there = [
        [label for label in texts_of(file) if any(letter.isalpha() for letter in label)]
        for file in (made, DOCS / "coverage.svg")
    ]
    assert there[0] == there[1]
    assert len(there[0]) == 5  # two axes and a key of three


def test_intervals_hold_what_the_picture_of_coverage_promises() -> None:
    tree = ET.fromstring((DOCS / "coverage.svg").read_text(encoding="utf-8"))
    told = next(element.text or "" for element in tree.iter() if element.tag.endswith("desc"))
    for name in ("right or wrong", "right or wrong, five questions to a picture", "scores with a long tail"):
        points = re.search(rf"{name}: ([^;]*)", told)
        assert points is not None
        found = re.findall(r"([\d.]+) \([^)]*\) at (\d+)", points[1])
        shares = {int(at): float(share) for share, at in found}
        assert sorted(shares) == [10, 20, 50, 100, 200, 500]
        assert all(0.93 <= shares[size] <= 0.97 for size in (50, 100, 200, 500))


def texts_of(file: Path) -> list[str]:
    tree = ET.fromstring(file.read_text(encoding="utf-8"))
    return ["".join(element.itertext()) for element in tree.iter() if element.tag.endswith("}text")]
