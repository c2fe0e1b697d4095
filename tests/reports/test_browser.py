"""Pages in a real browser: axe-core finds nothing serious, and they stay quick with ten thousand samples."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.expectations import expectation_of, write_expectation
from benchmarks.harness.records import find_runs
from reports.changes import build_changes
from reports.comparison import Report, build_report
from reports.overview import build_overview
from reports.pages import write_page, write_pages
from reports.study.opening import open_study, write_result
from reports.study.page import write_page as write_study_page
from tests.reports.invented import play, right_below
from tests.reports.study.raters import answers, prefers, send_json, study_of

WAITED = """async (change) => {
  const form = document.getElementById("samples-form");
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const began = performance.now();
  form[change[0]].value = change[1];
  form.dispatchEvent(new Event("input", {bubbles: true}));
  await frame(); await frame();
  return [performance.now() - began, document.getElementById("samples-count").textContent];
}"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that came back."""
    made = study_of(tmp_path_factory.mktemp("study"), "likert", raters=3, items=24)
    for rater in range(1, 4):
        send_json(made.study, rater, answers(made.study, made.key, rater, prefers(noise=0.5, seed=rater)))
    write_result(made.study.folder, open_study(made.study)[0])
    return made.study.folder


def comparison(runs: Path, folder: Path, study: Path) -> Path:
    (folder / "study-result.json").write_bytes((study / "study-result.json").read_bytes())
    shutil.copytree(runs, folder, dirs_exist_ok=True)
    write_pages(build_report(folder), folder / "comparison.html")
    return folder / "comparison.html"


def changes(runs: Path, folder: Path, study: Path) -> Path:
    for when, limit in (("then", 30), ("now", 10)):
        play(folder / when, "one", right_below(limit))
    for run in find_runs(folder / "then"):
        write_expectation(expectation_of(run), folder / "expected")
    found = build_changes(folder / "now", folder / "expected", before=folder / "then")
    write_page(found, "changes.html.j2", folder / "changes.html")
    return folder / "changes.html"


def index(runs: Path, folder: Path, study: Path) -> Path:
    write_page(
        build_overview(runs, folder / "index.html"), "index.html.j2", folder / "index.html", "index.js"
    )
    return folder / "index.html"


def result(runs: Path, folder: Path, study: Path) -> Path:
    from reports.study.opening import read_result

    return write_study_page(folder / "result.html", read_result(study / "study-result.json"))


@pytest.mark.parametrize("make", [comparison, changes, index, result])
def test_axe_finds_nothing_serious_in_light_and_dark_wide_and_on_a_phone(
    make: Callable[[Path, Path, Path], Path],
    runs: Path,
    study: Path,
    tmp_path: Path,
    browser: Any,
    serious: Callable[[Any], str],
) -> None:
    path = make(runs, tmp_path, study)
    for scheme, width in (("light", 1200), ("dark", 390)):
        size = {"width": width, "height": 900}
        page = browser.new_context(color_scheme=scheme, viewport=size).new_page()
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        assert serious(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.emulate_media(media="print")
        assert page.locator("h1").first.is_visible()
        page.close()


def many(runs: Path, path: Path, count: int) -> Report:
    """A page of so many samples, those of the invented runs again and again under names of their own."""
    report = build_report(runs, examples=0)
    rows = report.browser.rows
    more = tuple(
        [row[0], f"sample-{number:05d}", *row[2:]]
        for number in range(count)
        for row in [rows[number % len(rows)]]
    )
    made = replace(report, browser=replace(report.browser, rows=more))
    write_pages(made, path)
    return made


def test_a_page_of_a_thousand_samples_is_small_and_there_at_once(
    runs: Path, tmp_path: Path, browser: Any
) -> None:
    path = tmp_path / "page.html"
    many(runs, path, 1000)
    assert path.stat().st_size < 3_000_000
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2000
    assert page.inner_text("#samples-count") == "1000 of 1000 samples"


def test_ten_thousand_samples_are_searched_and_filtered_in_a_moment(
    runs: Path, tmp_path: Path, browser: Any
) -> None:
    path = tmp_path / "page.html"
    many(runs, path, 10_000)
    page = browser.new_page()
    page.goto(path.as_uri())
    took: dict[str, float] = {}
    for _ in range(2):  # the first look at a page warms it up, and a busy machine disturbs one of them
        for change, found in (
            (("search", "sample-0099"), "10 of 10000 samples"),
            (("search", ""), "10000 of 10000 samples"),
            (("verdict", "failed"), None),
            (("verdict", ""), "10000 of 10000 samples"),
        ):
            seconds, count = page.evaluate(WAITED, list(change))
            took[str(change)] = min(seconds, took.get(str(change), seconds))
            assert found is None or count == found
    assert max(took.values()) < 300
    assert page.locator("#samples-list article").count() <= 24
