"""The study's server: secret links, answers on the disk before they are confirmed, unfriendly people."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.storage import RecordError
from reports.study import server as served
from reports.study.making import Made
from reports.study.ratings import read_returned
from reports.study.server import Store, StudyServer, links
from tests.reports.study.raters import answers, prefers, study_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return study_of(tmp_path / "study", "pairwise", raters=3, items=12)


@pytest.fixture
def server(made: Made) -> Iterator[StudyServer]:
    running = StudyServer(made.study, "127.0.0.1", 0)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def ask(
    port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    try:
        connection.request(method, path, data, headers if headers is not None else JSON if data else {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def answer(made: Made, rater: int, place: int = 0) -> dict[str, Any]:
    trial = made.study.trials[rater - 1][place].id
    said = answers(made.study, made.key, rater, prefers())[trial]
    return {"trial": trial, "answer": said, "seconds": 4.5, "comment": ""}


def test_a_link_shows_its_rater_s_page_and_keeps_what_is_answered(made: Made, server: StudyServer) -> None:
    link = f"/r/{links(made.study)[1]}"
    status, page = ask(server.server_port, "GET", link)
    assert status == 200
    assert made.study.trials[1][0].id.encode() in page
    assert made.study.trials[0][0].id.encode() not in page
    assert ask(server.server_port, "POST", f"{link}/answers", answer(made, 2))[0] == 200
    assert (
        answer(made, 2)["trial"].encode() in ask(server.server_port, "GET", link)[1].partition(b'"said"')[2]
    )
    (sheet,) = read_returned(made.study).sheets
    assert (sheet.rater, len(sheet.answers)) == (2, 1)


def test_an_answer_sent_twice_counts_once_and_a_changed_one_is_the_last(
    made: Made, server: StudyServer
) -> None:
    link, said = f"/r/{links(made.study)[0]}/answers", answer(made, 1)
    for value in ("left", "left", "tie"):
        assert ask(server.server_port, "POST", link, said | {"answer": {"preference": value}})[0] == 200
    assert [row["answer"] for row in Store(made.study).of(1).values()] == [{"preference": "tie"}]


def test_who_uses_another_s_link_changes_no_answer_and_is_told_of(made: Made, server: StudyServer) -> None:
    link, port = f"/r/{links(made.study)[0]}/answers", server.server_port
    first, second = answer(made, 1), answer(made, 1, 1)
    for value in ("left", "tie"):  # whoever answered first may change it
        body = first | {"answer": {"preference": value}, "seat": "home"}
        assert ask(port, "POST", link, body)[0] == 200
    status, why = ask(port, "POST", link, first | {"answer": {"preference": "right"}, "seat": "elsewhere"})
    assert (status, why) == (409, b"answered in another browser; what was said there stays\n")
    assert ask(port, "POST", link, first | {"answer": {"preference": "tie"}, "seat": "elsewhere"})[0] == 200
    assert ask(port, "POST", link, second | {"seat": "elsewhere"})[0] == 200
    assert ask(port, "POST", link, second | {"seat": 5})[0] == 422
    assert Store(made.study).of(1)[first["trial"]]["answer"] == {"preference": "tie"}
    (told, _) = read_returned(made.study).remarks
    assert told == "rater 1: the link was used in 2 browsers; did it go to others?"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/r/",
        "/key.json",
        "/r/{0}/../../key.json",
        "/r/{0}/media/../../../key.json",
        "/r/{0}/media/%2e%2e%2f%2e%2e%2fkey.json",
        "/r/{0}/media/0123456789abcdef.png",
        "/r/{0}x",
        "/r/{0}/",
        "/r/" + "A" * 32,
        "/r/{0}/answers/../answers",
        "/r/{0}?other=1",
        "/" + "a" * 60_000,
    ],
)
def test_forged_links_and_paths_in_links_lead_nowhere(path: str, made: Made, server: StudyServer) -> None:
    status, body = ask(server.server_port, "GET", path.format(links(made.study)[0]))
    assert status in (404, 414)
    assert made.key.nonce.encode() not in body


def test_nobody_reads_another_s_answers_or_media(tmp_path: Path, server: StudyServer, made: Made) -> None:
    first, second = links(made.study)[:2]
    assert len({*links(made.study)}) == 3
    media = made.study.folder / "raters" / "rater-1" / "media"
    media.mkdir()
    (media / "0123456789abcdef.png").write_bytes(b"png")
    assert ask(server.server_port, "GET", f"/r/{first}/media/0123456789abcdef.png") == (200, b"png")
    assert ask(server.server_port, "GET", f"/r/{second}/media/0123456789abcdef.png")[0] == 404
    foreign = answer(made, 1)
    assert ask(server.server_port, "POST", f"/r/{second}/answers", foreign)[0] == 422
    assert ask(server.server_port, "GET", f"/r/{first}/answers")[0] == 405
    link = media / "fedcba9876543210.png"
    link.symlink_to(made.study.folder / "key.json")
    assert ask(server.server_port, "GET", f"/r/{first}/media/fedcba9876543210.png")[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON | {"Origin": "http://evil.example"}, 403),
        (JSON | {"Origin": "null"}, 403),
        (JSON | {"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 403),  # what a form of another site can send unasked
        ({"Content-Type": "application/x-www-form-urlencoded"}, 403),
        (JSON | {"Origin": "http://127.0.0.1:{port}"}, 200),
    ],
)
def test_a_post_by_another_site_is_refused(
    headers: dict[str, str], status: int, made: Made, server: StudyServer
) -> None:
    sent = {name: value.format(port=server.server_port) for name, value in headers.items()}
    link = f"/r/{links(made.study)[0]}/answers"
    assert ask(server.server_port, "POST", link, answer(made, 1), sent)[0] == status
    assert len(Store(made.study).of(1)) == (status == 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b"[" * 60_000, 422),
        (b"\xff", 422),
        ({"trial": "no", "answer": {}}, 422),
        ({"answer": {"preference": "middle"}}, 422),
        ({"answer": {"mood": "left"}}, 422),
        ({"seconds": -1}, 422),
        ({"seconds": float("nan")}, 422),
        ({"comment": ["x"]}, 422),
        ({"comment": "x" * 100_000}, 413),
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_is_kept(
    body: Any, status: int, made: Made, server: StudyServer
) -> None:
    sent = answer(made, 1) | body if isinstance(body, dict) else body
    link = f"/r/{links(made.study)[0]}/answers"
    assert ask(server.server_port, "POST", link, sent, JSON)[0] == status
    assert Store(made.study).of(1) == {}


def test_a_post_without_length_or_longer_than_it_says_is_refused(made: Made, server: StudyServer) -> None:
    link = f"/r/{links(made.study)[0]}/answers"
    for header in (
        "",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: ٣\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as line:
            line.sendall(f"POST {link} HTTP/1.1\r\nContent-Type: application/json\r\n{header}\r\n".encode())
            assert line.recv(100).split()[1] in (b"411", b"413")


def test_a_slow_post_is_hung_up_on_and_others_are_served(
    made: Made, server: StudyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_PATIENCE", 1.0)
    link = f"/r/{links(made.study)[0]}/answers"
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as slow:
        head = f"POST {link} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 500"
        slow.sendall(f"{head}\r\n\r\n{{".encode())
        assert ask(server.server_port, "POST", link, answer(made, 1))[0] == 200
        began, reply = time.monotonic(), b"?"
        try:
            while reply and time.monotonic() - began < 15:
                slow.sendall(b" ")  # a byte at a time never times out by itself
                time.sleep(0.1)
                slow.settimeout(0.1)
                try:
                    reply = slow.recv(100)
                except TimeoutError:
                    continue
                break
        except OSError:
            pass
        assert time.monotonic() - began < 15
    assert len(Store(made.study).of(1)) == 1


def test_no_address_is_kept(made: Made, server: StudyServer, capfd: pytest.CaptureFixture[str]) -> None:
    link = f"/r/{links(made.study)[0]}/answers"
    ask(server.server_port, "POST", link, answer(made, 1), JSON | {"User-Agent": "Mozilla of Jane"})
    ask(server.server_port, "GET", "/forged")
    assert capfd.readouterr() == ("", "")
    for path in (made.study.folder / "served").iterdir():
        assert b"127.0.0.1" not in path.read_bytes()
        assert b"Jane" not in path.read_bytes()
    assert (made.study.folder / "served" / "links.json").stat().st_mode & 0o077 == 0


# --- kill -9 --------------------------------------------------------------------------------------


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    """A server in a process of its own, ready to answer."""
    program = "from reports.cli import main; main()"
    words = ["serve-study", str(folder), "--port", str(port)]
    process = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Stop with"):
            return process
    raise AssertionError("the server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_kept(port: int, path: str, body: Any) -> None:
    """Send an answer again and again until it is confirmed, as the page does."""
    for _ in range(400):
        try:
            if ask(port, "POST", path, body)[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    raise AssertionError("never confirmed")


def test_a_killed_server_loses_no_confirmed_answer_and_doubles_none(tmp_path: Path) -> None:
    made = study_of(tmp_path / "study", "pairwise", raters=5, items=40)
    port, secret = free_port(), links(made.study)
    process = start(made.study.folder, port)
    confirmed: dict[int, set[str]] = {rater: set() for rater in range(1, 6)}
    enough = threading.Event()

    def rate(rater: int) -> None:
        for trial, said in answers(made.study, made.key, rater, prefers()).items():
            body = {"trial": trial, "answer": said, "seconds": 2.0, "comment": ""}
            until_kept(port, f"/r/{secret[rater - 1]}/answers", body)
            confirmed[rater].add(trial)
            if sum(map(len, confirmed.values())) > 60:
                enough.set()

    threads = [threading.Thread(target=rate, args=(rater,)) for rater in confirmed]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    before = {rater: set(trials) for rater, trials in confirmed.items()}
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {rater: set(Store(made.study).of(rater)) for rater in confirmed}
    assert all(before[rater] <= kept[rater] for rater in confirmed)
    again = start(made.study.folder, port)
    try:
        for thread in threads:
            thread.join(120)
    finally:
        again.kill()
        again.wait()
    returned = read_returned(made.study)
    assert returned.complaints == ()
    assert [sheet.rater for sheet in returned.sheets] == [1, 2, 3, 4, 5]
    for sheet in returned.sheets:
        assert sheet.answers == answers(made.study, made.key, sheet.rater, prefers())


def test_answers_that_the_disk_does_not_take_are_not_confirmed(made: Made, server: StudyServer) -> None:
    link, said = f"/r/{links(made.study)[0]}/answers", answer(made, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        status, words = ask(server.server_port, "POST", link, said)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (status, words) == (507, b"not saved: the disk is full or fails; tell us\n")
    assert ask(server.server_port, "POST", link, said)[0] == 200
    assert len(Store(made.study).of(1)) == 1


def test_a_file_of_answers_that_is_none_is_a_line(made: Made) -> None:
    Store(made.study)
    path = made.study.folder / "served" / "answers.sqlite"
    path.write_bytes(b"no data base" * 100)
    with pytest.raises(RecordError, match=r"answers\.sqlite: the answers can't be kept or read"):
        read_returned(made.study)
