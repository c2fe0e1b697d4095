"""What stands before the page: whoever asks for anything else than the page does is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from reports.talk import guard
from reports.talk.guard import Guard

HERE = {"host": "127.0.0.1:7860"}
JOIN = "/gradio_api/queue/join"


class Served:
    """An application that reads what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        headers = [(b"content-type", b"text/html"), (b"X-Frame-Options", b"ALLOW")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"served"})


def ask(
    method: str, path: str, headers: Mapping[str, str], parts: tuple[bytes, ...] = (b"",), wait: float = 0
) -> tuple[int, dict[str, str], Served]:
    """The status (0 for no answer), the headers, and what reached the application."""
    served, sent = Served(), list[Any]()
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting[-1]["more_body"] = False

    async def receive() -> Any:
        await asyncio.sleep(wait)
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(Guard(served, largest=1000)(scope, receive, send))
    told = {n.decode().lower(): v.decode() for n, v in sent[0]["headers"]} if sent else {}
    return sent[0]["status"] if sent else 0, told, served


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/assets/index-a1.js",
        "/gradio_api/queue/data",
        f"/media/{'0a' * 16}.png",
    ],
)
def test_what_the_page_asks_for_is_served_and_nobody_may_frame_it(path: str) -> None:
    status, headers, _ = ask("GET", path, HERE)
    assert status == 200
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=http://127.0.0.1:9/",
        "/gradio_api/proxy=http://127.0.0.1:9/",
        "/gradio_api/info",
        "/gradio_api/vibe-code/",
        "/gradio_api/runs",
        "/monitoring",
        "/docs",
        "/assets/../../secret",
        "/assets/%2e%2e/secret",
        "/media/../key.json",
        "/media/a.png",
        "/login",
    ],
)
def test_what_the_page_does_not_ask_for_is_not_there(path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, _, served = ask(method, path, HERE)
        assert (status, served.bodies) == (404, [])


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "a b"])
def test_a_name_that_somebody_else_leads_here_is_refused(host: str) -> None:
    assert ask("GET", "/", {"host": host})[0] == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_post_by_a_page_of_another_site_is_refused(headers: dict[str, str]) -> None:
    for path in (JOIN, "/gradio_api/upload"):
        status, _, served = ask("POST", path, HERE | headers)
        assert (status, served.bodies) == (403, [])


def test_a_post_of_the_page_itself_is_served() -> None:
    same = {"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin", "content-length": "4"}
    status, _, served = ask("POST", JOIN, HERE | same, (b"ab", b"cd"))
    assert (status, served.bodies) == (200, [b"abcd"])


@pytest.mark.parametrize("length", ["1001", "9" * 40, "-1", "ten"])
def test_an_upload_that_says_it_is_too_long_is_refused_unread(length: str) -> None:
    status, _, served = ask("POST", "/gradio_api/upload", HERE | {"content-length": length})
    assert (status, served.bodies) == (413, [])


def test_an_upload_that_turns_out_too_long_never_arrives() -> None:
    _, _, served = ask("POST", "/gradio_api/upload", HERE, (b"x" * 600, b"x" * 600))
    assert served.bodies == []


def test_a_post_that_drips_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_PATIENCE", 0.2)
    _, _, served = ask("POST", JOIN, HERE, tuple(b"x" for _ in range(50)), wait=0.05)
    assert served.bodies == []
