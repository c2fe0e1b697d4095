"""The grid of input by output, and what became of every sample, on both pages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Sample
from nextgpt.messages import Failure, Message, assistant
from reports.comparison import Report, build_report
from reports.grid import EMPTY
from reports.pages import render_html, render_markdown
from reports.scores import NOT_RUN
from tests.reports.invented import benchmark, play, right_below

CELLS = ("text-to-image", "image-to-text", "audio-to-video", "image-to-audio")


def of_cells(sample: Sample) -> str:
    return CELLS[int(sample.id[1:]) % len(CELLS)]


def failing_on_pictures(sample: Sample) -> Message | Failure:
    if of_cells(sample) == "image-to-text":
        return Failure("encode", "cannot read image")
    return right_below(20)(sample)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    runs: Path = tmp_path_factory.mktemp("runs")
    on = benchmark("turned", slices=of_cells)
    for name, speak in (("able", right_below(40)), ("clumsy", failing_on_pictures)):
        play(runs, name, speak, on)
    return build_report(runs)


def test_each_system_has_a_grid_with_empty_cells_where_nothing_is_asked(report: Report) -> None:
    able, clumsy = report.grids
    assert (able.system, clumsy.system) == ("able", "clumsy")
    cells = {
        (given, wanted): cell
        for given, row in able.rows
        for wanted, cell in zip(able.wanted, row, strict=True)
    }
    assert len(cells) == 16
    held = {ends for ends, cell in cells.items() if cell != EMPTY}
    assert held == {tuple(name.split("-to-")) for name in CELLS}
    assert all(cells[ends].value == 1.0 for ends in held)  # type: ignore[union-attr]
    for page in (render_html(report), render_markdown(report, "media")):
        assert page.count(EMPTY) >= 24
        assert NOT_RUN not in page


def test_slices_that_are_no_conversions_make_no_grid(tmp_path: Path) -> None:
    play(tmp_path, "able", right_below(40))
    assert build_report(tmp_path).grids == ()


def test_failed_samples_are_counted_and_the_value_stands_with_and_without_them(report: Report) -> None:
    (row,) = report.scores
    clumsy = row.results[-1]
    assert (clumsy.n, clumsy.failed, clumsy.value) == (40, 10, 0.375)
    assert clumsy.answered == 0.5
    markdown = render_markdown(report, "media")
    assert "n 40, 10 failed, 0.500 without failed" in markdown
    html = render_html(report)
    assert "10 failed" in html
    assert "0.500 without failed" in html


def test_unjudged_samples_are_counted_on_both_pages(tmp_path: Path) -> None:
    on = benchmark("judged")
    (use, *_) = on.metrics
    judged = dataclasses.replace(use, prediction=lambda answer: answer.text or None, failure="left-out")
    on = benchmark("judged", metrics=(judged,))
    play(tmp_path, "silent", lambda s: assistant() if s.id < "s05" else right_below(40)(s), on)
    report = build_report(tmp_path)
    (row,) = report.scores
    assert row.results[0].unjudged == 5
    for page in (render_html(report), render_markdown(report, "media")):
        assert "5 unjudged" in page
