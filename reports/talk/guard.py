"""What stands before the page: who may ask, for what, how much and how slowly."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST = 64 * 2**20  # bytes of an upload
_LARGEST_WORDS = 2**20  # bytes of any other post
_PATIENCE = 60.0  # seconds within which a post must have come whole
# All that the page itself asks for. Gradio serves more: files by path, a proxy, an editor, documentation.
_ASKED = re.compile(
    r"/|/config|/theme\.css|/favicon\.ico|/manifest\.json|/(assets|static)/[\w./-]+|/media/[0-9a-f]{32}\.(png|mp4|wav)"
    r"|/gradio_api/(startup-events|app_id|heartbeat/\w+|queue/data|upload_progress)"
)
_POSTED = re.compile(r"/gradio_api/(queue/join|upload|cancel|reset)/?")
_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Refuses what no page of ours asks for, and lets answers be used by no page of another site.

    Args:
        app: what is served.
        largest: bytes of an upload.
    """

    def __init__(self, app: App, largest: int = LARGEST) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; see ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused = _refusal(scope["method"], scope["path"], headers)
        most = self._largest if scope["path"].startswith("/gradio_api/upload") else _LARGEST_WORDS
        length = headers.get("content-length", "0")
        if refused is None and (not length.isdigit() or int(length[:15]) > most):
            refused = 413, f"at most {most:,} bytes"
        if refused is not None:
            await _answer(send, *refused)
            return
        await self._app(scope, _bounded(receive, most), _with_headers(send))


def _refusal(method: str, path: str, headers: dict[str, str]) -> tuple[int, str] | None:
    """Why a request is refused, None where it is not."""
    host = headers.get("host", "")
    if not known_host(host):
        return 421, "this page is not served under that name"
    if method in ("GET", "HEAD"):
        return None if _ASKED.fullmatch(path) and ".." not in path else (404, "nothing here")
    if method != "POST" or not _POSTED.fullmatch(path):
        return 404, "nothing here"
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != host
    if foreign or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, "sent by a page of another site"
    return None


def known_host(host: str) -> bool:
    """Whether a page may be asked for under this name: an address, localhost, or this machine's own name.

    A page of another site can be given any name that its owner's name server leads here, but none of these.

    Example:
        >>> [known_host(name) for name in ("127.0.0.1:8500", "localhost", "[::1]:80", "evil.example")]
        [True, True, True, False]
    """
    name = urlsplit(f"//{host}").hostname if re.fullmatch(r"[\w.:\[\]-]{1,253}", host) else None
    if name is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in ("localhost", socket.gethostname().lower())
    return True


def _bounded(receive: Receive, most: int) -> Receive:
    """The request's body, cut off where it becomes too long or takes too long."""
    seen = 0
    ends = asyncio.get_running_loop().time() + _PATIENCE
    whole = False

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal seen, whole
        if whole:  # what follows the body is only that the asker goes away
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        seen += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        return message if seen <= most else {"type": "http.disconnect"}

    return bounded


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].decode("latin-1").lower() not in _HEADERS]
            ours = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return sending


async def _answer(send: Send, status: int, why: str) -> None:
    body = f"{why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
