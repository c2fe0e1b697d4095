"""A rater's page in a real browser: by keyboard, closed and opened again, offline and served."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.study.making import Made, make_study
from reports.study.protocols import PROTOCOLS
from reports.study.ratings import read_returned
from reports.study.server import Store, links
from reports.study.sheets import write_sheets
from tests.reports.study.raters import material, study_of
from tests.reports.study.test_server import free_port, start

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")


def go_on(page: Any, place: int) -> None:
    """Answer the trial before the page as its check asks, or with the first point."""
    asked = page.inner_text("#main .card >> nth=0")
    wanted = asked.rstrip().rpartition("better? ")[2] if "answer exactly this" in asked else "left"
    page.keyboard.press(str(["left", "right", "tie", "both bad"].index(wanted) + 1))
    page.keyboard.press("Enter")
    api.expect(page.locator("#count")).to_contain_text(f"{place + 1} of")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return study_of(tmp_path / "study", "pairwise", raters=5, items=8)


def test_a_page_closed_half_way_goes_on_and_its_file_sent_twice_counts_once(
    made: Made, browser: Any, tmp_path: Path
) -> None:
    context = browser.new_context(accept_downloads=True)
    problems: list[str] = []
    sheet = (made.study.folder / "raters" / "rater-1" / "sheet.html").as_uri()
    page = context.new_page()
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(sheet)
    page.get_by_role("button", name="Begin").click()
    count = len(made.study.trials[0])
    for place in range(count // 2):
        go_on(page, place)
    page.close()
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(sheet)
    api.expect(page.locator("#count")).to_have_text(f"{count // 2} of {count} answered")
    api.expect(page.locator("#main h2").first).to_have_text(f"Trial {count // 2 + 1} of {count}")
    for place in range(count // 2, count - 1):
        go_on(page, place)
    with page.expect_download() as saved:  # nobody is asked: the file comes with the last answer
        go_on(page, count - 1)
    for name in ("answers.json", "answers (1).json"):
        saved.value.save_as(made.study.folder / "returned" / name)
    returned = read_returned(made.study)
    assert problems == []
    assert returned.complaints == ()
    assert [(sheet.rater, len(sheet.answers)) for sheet in returned.sheets] == [(1, count)]
    assert sum("counted once" in remark for remark in returned.remarks) == 1


def test_nothing_on_a_page_runs_or_reaches_out(tmp_path: Path, browser: Any) -> None:
    attack = "</script><script>window.owned=1</script><img src=http://127.0.0.1:9/x onerror='window.owned=1'>"
    shown = material(items=6)
    for item in shown.items:
        item.answers["good"] = (attack,)  # type: ignore[index]
    made = make_study(tmp_path / "study", PROTOCOLS["pairwise"], shown, raters=1)
    write_sheets(made)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "study" / "raters" / "rater-1" / "sheet.html").as_uri())
    page.get_by_role("button", name="Begin").click()
    for place in range(len(made.study.trials[0]) - 1):
        go_on(page, place)
    assert page.evaluate("window.owned") is None
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_five_raters_in_five_browsers_lose_no_answer_when_the_server_is_killed(
    made: Made, browser: Any
) -> None:
    port, secret = free_port(), links(made.study)
    process = start(made.study.folder, port)
    pages = []
    for link in secret:
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{port}/r/{link}")
        page.get_by_role("button", name="Begin").click()
        pages.append(page)
    count = len(made.study.trials[0])
    for place in range(count):
        if place == count // 2:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        if place == count // 2 + 2:  # two trials are answered while nobody listens
            api.expect(pages[0].locator("#saved")).to_contain_text("Not saved yet")
            process = start(made.study.folder, port)
        for page in pages:
            go_on(page, place)
    try:
        for page in pages:
            api.expect(page.locator("#saved")).to_have_text("All is saved.", timeout=30_000)
        pages[2].reload()
        api.expect(pages[2].locator("#count")).to_have_text(f"{count} of {count} answered")
    finally:
        process.kill()
        process.wait()
    for rater in range(1, 6):
        assert Store(made.study).answered(rater) == count
    assert [len(sheet.answers) for sheet in read_returned(made.study).sheets] == [count] * 5


def test_two_browsers_of_one_link_are_kept_apart(made: Made, browser: Any) -> None:
    port, secret = free_port(), links(made.study)
    process = start(made.study.folder, port)
    try:
        pages = [browser.new_context().new_page() for _ in range(2)]
        for page in pages:
            page.goto(f"http://127.0.0.1:{port}/r/{secret[0]}")
            page.get_by_role("button", name="Begin").click()
        pages[0].keyboard.press("1")
        api.expect(pages[0].locator("#saved")).to_have_text("All is saved.")
        pages[1].keyboard.press("2")
        api.expect(pages[1].locator("#saved")).to_contain_text("answered otherwise in another browser")
        assert [row["answer"] for row in Store(made.study).of(1).values()] == [{"preference": "left"}]
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_a_page(
    tmp_path: Path, browser: Any, serious: Callable[[Any], str], scheme: str
) -> None:
    for design in ("pairwise", "likert", "paper"):
        made = study_of(tmp_path / design, design, raters=1, items=6)
        page = browser.new_context(color_scheme=scheme).new_page()
        page.goto((made.study.folder / "raters" / "rater-1" / "sheet.html").as_uri())
        assert serious(page) == ""
        page.get_by_role("button", name="Begin").click()
        assert serious(page) == ""
