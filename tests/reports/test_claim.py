"""The claim as curves: one for each thing that slices count."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Sample
from reports.comparison import Report, build_report
from reports.pages import render_html, render_markdown
from tests.reports.invented import benchmark, play, right_below


def by_attributes(sample: Sample) -> str:
    count = int(sample.id[1:]) // 10 + 1
    return f"{count} attribute{'s' * (count > 1)}"


def by_what_is_hard(sample: Sample) -> str:
    what, count = ("order in time", "places")[int(sample.id[1:]) % 2], int(sample.id[1:]) // 20 + 1
    return f"{what}, {count} deed{'s' * (count > 1)}"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    runs: Path = tmp_path_factory.mktemp("runs")
    for name, slices in (("carried", by_attributes), ("hard", by_what_is_hard)):
        on = benchmark(name, slices=slices)
        for system, limit in (("able", 40), ("forgetful", 25), ("clumsy", 10)):
            play(runs, system, right_below(limit), on)
    return build_report(runs)


def test_scores_fall_with_what_has_to_be_carried_and_all_systems_are_on_one_plot(report: Report) -> None:
    curve = report.claim[0]
    assert (curve.benchmark, curve.unit, curve.what) == ("carried", "attribute", "")
    assert set(curve.systems) == {"able", "forgetful", "clumsy"}
    assert [count for count, _ in curve.rows] == [1, 2, 3, 4]
    of = curve.systems.index("forgetful")
    assert [cells[of].partition(" ")[0] for _, cells in curve.rows] == ["1.000", "1.000", "0.500", "0.000"]
    assert "forgetful: 1.000" in curve.plot.description
    assert "0.500 (" in curve.plot.description


def test_each_thing_that_is_counted_has_a_curve_of_its_own(report: Report) -> None:
    assert [(curve.what, curve.unit) for curve in report.claim[1:]] == [
        ("order in time", "deed"),
        ("places", "deed"),
    ]


def test_both_pages_show_the_curves(report: Report) -> None:
    html, markdown = render_html(report), render_markdown(report, "media")
    for curve in report.claim:
        assert curve.plot.title in html
        assert curve.plot.title in markdown
    assert html.count('<svg class="plot only"') >= 3


def test_slices_that_count_nothing_make_no_curve(tmp_path: Path) -> None:
    play(tmp_path, "able", right_below(40))
    assert build_report(tmp_path).claim == ()
