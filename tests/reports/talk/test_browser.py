"""The page in a real browser: four media in and out, votes, cancel, keyboard alone, unfriendly answers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reports.study.foreign import read_foreign
from reports.talk.command import application
from reports.talk.page import Page
from reports.talk.shelf import Shelf
from reports.talk.votes import Ballot
from tests.reports.talk.players import breaks as breaking
from tests.reports.talk.players import clip, everything, first, picture, second, slow, sound

pytest.importorskip("gradio", reason="gradio is not installed (extra `serve`)")
api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import typer
from nextgpt.terminal import run_app
from reports.talk.command import serve
app = typer.Typer()
app.command()(serve)
run_app(app)
"""
PLAYERS = "tests.reports.talk.players"


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """The address of a running `nextgpt serve`."""
    command = [sys.executable, "-c", PROGRAM, "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if " at http://" not in line:
            raise AssertionError(line + process.communicate()[1])
        yield line.split(" at ")[1].split(" ;")[0]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def here(*systems: Any, votes: Path | None = None) -> Iterator[str]:
    """The same without a process of its own, which takes its time to start."""
    import uvicorn

    with Shelf() as shelf, socket.create_server(("127.0.0.1", 0)) as door:
        app = application(Page(systems, shelf, None if votes is None else Ballot(votes), 0), shelf)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/"
        server.should_exit = True
        thread.join(20)


def opened(browser: Any, address: str, scheme: str = "light", **context: Any) -> Any:
    page = browser.new_context(color_scheme=scheme, **context).new_page()
    page.goto(address)
    message(page).wait_for(timeout=60_000)
    api.expect(page.locator(".talk h2").first).to_be_visible()
    return page


def message(page: Any) -> Any:
    return page.get_by_label("Your message")


def say(page: Any, text: str) -> None:
    message(page).fill(text)
    page.get_by_role("button", name="Send").click()


def attach(page: Any, files: list[str]) -> None:
    page.locator("input[type=file]").set_input_files(files)
    api.expect(page.locator(".attached img, .attached video, .attached audio")).to_have_count(len(files))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    picture().save(tmp_path / "a.png")
    clip().save(tmp_path / "b.mp4")
    sound().save(tmp_path / "c.wav")
    return [str(tmp_path / name) for name in ("a.png", "b.mp4", "c.wav")]


def test_all_four_media_go_in_and_come_out_and_nothing_said_is_obeyed(browser: Any, files: list[str]) -> None:
    with here(everything()) as address:
        page = browser.new_context().new_page()
        elsewhere: list[str] = []
        page.on("request", lambda asked: elsewhere.append(asked.url))
        page.goto(address)
        message(page).wait_for(timeout=60_000)
        attach(page, files)
        say(page, "look <b>here</b>")
        answer = page.locator(".said.system").first
        api.expect(answer).to_contain_text("heard image, video, audio", timeout=30_000)
        for kind in ("img", "video", "audio"):
            for place in (".said.you", ".said.system"):
                assert page.locator(f"{place} {kind}").first.count() == 1
        assert page.locator(".said.system img").first.evaluate("e => e.naturalWidth") == 16
        api.expect(answer).to_contain_text("<script>window.owned=1</script>")
        api.expect(page.locator(".said.you").first).to_contain_text("look <b>here</b>")
        for kind in ("audio", "video"):
            page.wait_for_function(f"document.querySelector('.said.system {kind}').duration > 0")
        page.locator(".said.system audio").first.evaluate("e => { e.muted = true; return e.play(); }")
        page.wait_for_function("document.querySelector('.said.system audio').currentTime > 0")
        assert page.evaluate("window.owned") is None
        assert [url for url in elsewhere if not url.startswith((address, "data:", "blob:"))] == []


def test_two_systems_answer_unnamed_until_a_vote_that_ratings_reads(browser: Any, tmp_path: Path) -> None:
    votes = tmp_path / "votes.jsonl"
    with here(first(), second(), votes=votes) as address:
        page = opened(browser, address)
        left = page.get_by_role("button", name="Left is better")
        api.expect(left).to_be_disabled()
        for number in range(3):
            say(page, f"question {number}")
            api.expect(left).to_be_enabled(timeout=30_000)
            shown = page.content()
            assert "How it came about" not in shown
            assert page.locator(".talk h2").all_inner_texts() == ["Left", "Right"]
            is_first = "one: question" in page.locator(".said.system").first.inner_text()
            page.get_by_role("button", name="Left is better" if is_first else "Right is better").click()
            api.expect(page.locator(".talk h2").first).to_contain_text("first" if is_first else "second")
            api.expect(left).to_be_disabled()
    found = read_foreign(votes).votes
    assert [(vote.first, vote.outcome) for vote in found] == [("first", 1.0)] * 3
    done = subprocess.run(
        [sys.executable, "-m", "reports.cli", "ratings", str(votes)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 judgements by 1 raters on 3 items" in done.stdout
    assert json.loads((tmp_path / "study-result.json").read_text())["kept"]["judgements"] == 3


def test_an_answer_grows_and_is_stopped_by_keyboard_alone(browser: Any) -> None:
    with here(slow()) as address:
        page = opened(browser, address)
        for _ in range(30):  # by Tab alone to the message
            if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
                break
            page.keyboard.press("Tab")
        page.keyboard.type("go on")
        page.keyboard.press("Enter")
        api.expect(page.locator(".doing").first).to_contain_text("of 100", timeout=30_000)
        api.expect(page.locator(".said.system .text").first).to_contain_text("word ")
        for _ in range(10):
            if page.evaluate("document.activeElement.textContent").strip() == "Stop":
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        api.expect(page.locator(".failure").first).to_have_text("No answer (stopped): you stopped it")
        api.expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def test_what_a_system_raises_is_one_line_and_what_it_cannot_hear_is_refused(
    browser: Any, files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "d.png").write_bytes(b"no picture at all")
    with here(breaking()) as address:
        page = opened(browser, address)
        say(page, "hello")
        failure = page.locator(".failure").first
        api.expect(failure).to_contain_text("No answer (error): RuntimeError: <script>", timeout=30_000)
        assert "\n" not in failure.inner_text()
        page.locator("input[type=file]").set_input_files([str(tmp_path / "d.png")])
        alert = page.locator("[role=alert]")
        api.expect(alert).to_contain_text("d.png: not a picture")
        assert str(tmp_path) not in alert.inner_text()
        api.expect(page.locator(".attached img")).to_have_count(0)


@pytest.mark.weights
def test_nextgpt_tiny_reads_a_picture_and_draws_one_and_refuses_sounds(
    browser: Any, tmp_path: Path, files: list[str]
) -> None:
    from toyworld.render import render
    from toyworld.splits import scenes

    render(next(iter(scenes("test", 1)))).save(tmp_path / "scene.png")
    with serving("--system", "nextgpt-tiny") as address:
        page = opened(browser, address)
        attach(page, [str(tmp_path / "scene.png")])
        say(page, "what is in the picture ?")
        api.expect(page.locator(".said.system").first).to_contain_text(
            re.compile("a (small|large) [a-z]+ [a-z]+"), timeout=60_000
        )
        say(page, "draw a small red circle in the top left .")
        api.expect(page.locator(".said.system img")).to_have_count(1, timeout=60_000)
        attach(page, files[2:])
        say(page, "what is it ?")
        refused = "nextgpt-tiny reads no sounds: it reads text and pictures; take that back"
        api.expect(page.locator("[role=alert]")).to_contain_text(refused)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Any, serious: Callable[[Any], str], scheme: str, tmp_path: Path, files: list[str]
) -> None:
    with here(everything(), first(), votes=tmp_path / "votes.jsonl") as address:
        page = opened(browser, address, scheme, viewport={"width": 390, "height": 800})
        assert serious(page) == ""
        attach(page, files)
        assert serious(page) == ""
        say(page, "look")
        tie = page.get_by_role("button", name="Equally good")
        api.expect(tie).to_be_enabled(timeout=30_000)
        assert serious(page) == ""
        tie.click()
        api.expect(page.locator(".alert").first).to_contain_text("Your vote")
        assert serious(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_no_file_of_this_machine_and_no_other_address_is_reached_through_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")

    def ask(path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        request = urllib.request.Request(address.rstrip("/") + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    with serving("--system", f"{PLAYERS}:everything") as address:
        config = json.loads(ask("/config")[1])
        assert config["analytics_enabled"] is False
        sending = next(
            each["id"] for each in config["dependencies"] if any(t[1] == "upload" for t in each["targets"])
        )
        for path in (str(secret), "http://127.0.0.1:9/a.png", "/etc/passwd"):
            stolen = {"path": path, "meta": {"_type": "gradio.FileData"}}
            body = {"data": [[stolen]], "fn_index": sending, "session_hash": "thief"}
            status, _ = ask(
                "/gradio_api/queue/join", json.dumps(body).encode(), **{"Content-Type": "application/json"}
            )
            assert status in (200, 400, 422)
            if status == 200:
                _, told = ask("/gradio_api/queue/data?session_hash=thief")
                assert b"the secret" not in told
                assert b"process_completed" in told
                assert b'"success":false' in told.replace(b" ", b"")
        assert ask(f"/gradio_api/file={secret}")[0] == 404
        assert ask("/", Host="evil.example")[0] == 421
        assert ask("/gradio_api/upload", b"x" * 10, Origin="http://evil.example")[0] == 403


def test_a_port_that_is_taken_and_a_name_that_is_none_are_one_line() -> None:
    for arguments in (("--system", "nextgpt-tini"), ("--host", "203.0.113.7", "--system", "null")):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "--port", "0", *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
