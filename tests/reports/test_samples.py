"""Every sample on the page: searched, filtered and shown by its script, in a browser where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import registry
from benchmarks.harness.benchmark import Sample
from nextgpt.media import Audio, Video
from nextgpt.messages import Message, assistant
from reports.comparison import Report, build_report
from reports.overview import build_overview
from reports.pages import media_folder, render_html, write_page, write_pages
from tests.reports.invented import NASTY, SIZE, benchmark, play, right_below


def report_of(runs: Path, page: Path, **options: Any) -> Report:
    """The page of the invented runs, written; returns its report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "benchmark_of_run", lambda made: benchmark(made.benchmark))
        report = build_report(runs, **options)
    write_pages(report, page)
    return report


def test_every_sample_is_a_row_of_plain_text_and_scores(runs: Path, tmp_path: Path) -> None:
    report = report_of(runs, tmp_path / "page.html")
    rows = json.loads(report.browser.json)["rows"]
    assert len(rows) == SIZE
    (first,) = [row for row in rows if row[1] == "s00"]
    assert first[2] == "one object"
    assert first[3][0].startswith("what is <script>")
    assert first[3][1] == []  # no media but beside the page
    assert [answer[3][0] for answer in first[5]] == [1.0, 1.0]
    (failed,) = [row for row in rows if row[1] == "s39"]
    assert failed[5][1][2].startswith("plan: <script>")


def test_of_more_samples_than_asked_for_the_page_says_how_many_are_left_out(
    runs: Path, tmp_path: Path
) -> None:
    report = report_of(runs, tmp_path / "page.html", samples=30)
    assert (len(report.browser.rows), report.browser.left_out) == (30, SIZE - 30)
    assert "10 more are left out" in (tmp_path / "page.html").read_text()
    none = report_of(runs, tmp_path / "none.html", samples=0)
    assert none.browser.rows == ()
    assert "<script" not in render_html(none)


def test_a_page_of_a_thousand_samples_is_small(tmp_path: Path) -> None:
    """Long answers of two systems: 3 MB without media hold a thousand samples."""

    def long(sample: Sample) -> Message:
        return assistant("word " * 500)

    for name in ("first", "second"):
        play(tmp_path, name, long)
    report = report_of(tmp_path, tmp_path / "page.html", examples=0)
    share = len(report.browser.json) / SIZE
    rest = (tmp_path / "page.html").stat().st_size - len(report.browser.json)
    assert 1000 * share + rest < 3_000_000


def test_media_lie_beside_the_page_once_and_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clip = Video(rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8), 4.0)
    sound = Audio(np.zeros(1600, dtype=np.float32), 16000)
    play(tmp_path / "runs", "first", lambda sample: assistant("made", clip, sound))
    page = tmp_path / "page of mine.html"
    report = report_of(tmp_path / "runs", page, beside=media_folder(page))
    html = page.read_text()
    assert "data:image" not in html
    row = json.loads(report.browser.json)["rows"][0]
    kinds = [each[0] for each in row[5][0][1]]
    assert kinds == ["video", "audio"]
    for part in (row[3], row[4], row[5][0]):
        for _, file, *_ in part[1]:
            assert file.startswith("page%20of%20mine_media/")
            assert (tmp_path / "page of mine_media" / file.rpartition("/")[2]).is_file()
    assert "<audio src=" in html
    assert "<video src=" in html


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("page") / "page.html"
    report_of(runs, page, beside=media_folder(page))
    return page


@pytest.fixture
def opened(browser: Any, written: Path) -> Iterator[Any]:
    """The page, opened from its file; nothing may go wrong in it."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append("an answer ran"))
    page.goto(written.as_uri())
    yield page
    page.close()
    assert errors == []


def counted(page: Any) -> str:
    page.wait_for_timeout(100)
    return str(page.inner_text("#samples-count"))


def test_filters_leave_what_they_say(opened: Any) -> None:
    assert counted(opened) == "40 of 40 samples"
    opened.fill("input[name=search]", "TRUTH 3")
    assert counted(opened) == "11 of 40 samples"  # 3, and 30 to 39
    opened.fill("input[name=search]", "")
    opened.select_option("select[name=verdict]", "first")
    assert counted(opened) == "18 of 40 samples"
    opened.select_option("select[name=verdict]", "second")
    assert counted(opened) == "0 of 40 samples"
    opened.select_option("select[name=verdict]", "wrong")
    assert counted(opened) == "10 of 40 samples"
    opened.select_option("select[name=verdict]", "")
    opened.select_option("select[name=family]", "editing")
    assert counted(opened) == "40 of 40 samples"
    opened.select_option("select[name=metric]", "cider_d")
    opened.select_option("select[name=verdict]", "first")
    assert counted(opened) != "18 of 40 samples"


def test_more_is_shown_by_keyboard_and_foreign_text_is_text(opened: Any) -> None:
    assert opened.locator("#samples-list article").count() == 24
    opened.focus("#samples-more")
    opened.keyboard.press("Enter")
    assert opened.locator("#samples-list article").count() == 40
    assert opened.locator("#samples-list script").count() == 0
    assert NASTY[:20] in opened.inner_text("#samples-list")


def test_pictures_come_when_they_are_looked_at(opened: Any) -> None:
    opened.locator("#samples-list article").first.scroll_into_view_if_needed()
    opened.wait_for_timeout(300)
    assert opened.evaluate("document.querySelector('#samples-list img').naturalWidth > 0")
    assert opened.evaluate("[...document.images].every((image) => image.loading === 'lazy')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 500, 720, 1200])
def test_nothing_is_cut_at_any_width(opened: Any, width: int, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 900})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    cut = opened.evaluate(
        """[...document.querySelectorAll('.frame')].filter((frame) =>
            frame.querySelector('table.stack') && frame.scrollWidth > frame.clientWidth + 1)
            .map((frame) => frame.getAttribute('aria-label'))"""
    )
    if width < 736:  # below that tables are stacked, and have no reason to scroll
        assert cut == []


def test_paper_shows_no_filters(opened: Any) -> None:
    opened.emulate_media(media="print")
    assert not opened.locator(".filters").is_visible()
    assert opened.locator("#samples-list article").first.is_visible()


def test_a_difference_that_was_not_made_is_whole_on_a_phone(browser: Any, tmp_path: Path) -> None:
    """A long name of a benchmark and a row without a comparison, at the width at which they were cut."""
    long = benchmark(name="a_benchmark_of_a_long_name_without_a_place_to_break_it_0123456789")
    play(tmp_path / "runs", "one", right_below(30), on=long)
    play(tmp_path / "runs", "two", right_below(20), on=long)
    for name in ("results.json", "scores.parquet"):
        next((tmp_path / "runs").glob(f"two/*/{name}")).unlink()
    report_of(tmp_path / "runs", tmp_path / "page.html")
    page = browser.new_page(viewport={"width": 500, "height": 900})
    page.goto((tmp_path / "page.html").as_uri())
    assert "Not compared" in page.inner_text("#differences")
    inside = page.evaluate(
        """[...document.querySelectorAll('#differences caption, #differences td')].every((cell) =>
            cell.getBoundingClientRect().right <= cell.closest('.frame').getBoundingClientRect().right + 1)"""
    )
    page.close()
    assert inside


def test_the_start_page_sorts_and_filters(browser: Any, runs: Path, tmp_path: Path) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    write_page(
        build_overview(runs, tmp_path / "index.html"), "index.html.j2", tmp_path / "index.html", "index.js"
    )
    page.goto((tmp_path / "index.html").as_uri())
    values = "#index tbody tr:not([hidden]) td:nth-child(6)"
    page.click("#index thead button:text-is('Value')")
    shown = [float(text) for text in page.locator(values).all_inner_texts()]
    assert len(shown) == 6
    assert shown == sorted(shown)
    page.click("#index thead button:text-is('Value')")
    assert [float(text) for text in page.locator(values).all_inner_texts()] == sorted(shown, reverse=True)
    page.fill("input[name=search]", "TINY blind")
    assert page.locator(values).count() == 1
    assert page.inner_text("#index-count") == "1 of 6 runs"
    page.close()
    assert errors == []
