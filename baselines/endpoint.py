"""Requests to a server over HTTP: bounded in time and size, sent again where that helps, the key kept.

Sent again is what a server was too busy for (429, 5xx) and what broke on the way; the wait doubles, with
chance in it so that many clients don't come back at once, and is as long as the server asks for where it
does (``Retry-After``): for every request of this client, since the limit is the client's. What a server
refuses (400, 401, 404) stays refused.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nextgpt.errors import ConfigError, UserError

KEY = "OPENAI_API_KEY"
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds
_LARGEST_REPLY = 64 * 2**20  # bytes
_LOCAL = ("localhost", "127.0.0.1", "::1")


class EndpointError(UserError):
    """A request that brought no answer; the message says why.

    Attributes:
        stage: of a failure: "endpoint", or "reply" where an answer came and can't be used.
        again: whether the same request may fare better later.
        after: seconds that the server asks to wait.
    """

    def __init__(
        self, reason: str, *, stage: str = "reply", again: bool = False, after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.stage, self.again, self.after = stage, again, after


@dataclass(frozen=True)
class Manner:
    """How a server is reached.

    Attributes:
        concurrency: requests at the same time.
        tries: how often one may fail; waits that the server asks for are bounded by the timeout alone.
        timeout: seconds for one request, all tries and waits together.
    """

    concurrency: int = 8
    tries: int = 5
    timeout: float = 300.0

    def __post_init__(self) -> None:
        if min(self.concurrency, self.tries) < 1 or not 0 < self.timeout <= 86_400:
            raise ConfigError(
                f"options: concurrency and tries are at least 1, timeout 0 to 86,400 seconds; got "
                f"{self.concurrency}, {self.tries} and {self.timeout:g}"
            )


class Endpoint:
    """A server.

    Args:
        url: such as ``https://host/v1``; ``/v1`` is added where there is no path.
        manner: how it is reached.

    Attributes:
        url: without its options.
        again: how many requests were sent again.
        lock: for whoever counts across threads.

    Raises:
        ConfigError: no address, one that holds a secret, or one to which the key would travel in the clear.
    """

    def __init__(self, url: str, manner: Manner) -> None:
        try:
            split = urlsplit(url)
            host, port = split.hostname, split.port
        except ValueError:
            split, host, port = urlsplit(""), None, None
        if split.scheme not in ("http", "https") or not host:
            raise ConfigError("the address of an endpoint begins with http:// or https:// and a host")
        if "@" in split.netloc:
            raise ConfigError(f"an address holds no user or password; put the key into {KEY}")
        self._key = os.environ.get(KEY, "").strip()
        if self._key and split.scheme == "http" and host not in _LOCAL:
            raise ConfigError(
                f"the key in {KEY} would travel to {host} in the clear; use https, or unset {KEY}"
            )
        self._host, self._port, self._tls = host, port, split.scheme == "https"
        self._path = split.path.rstrip("/") or "/v1"
        self.url = f"{split.scheme}://{split.netloc}{self._path}"
        self._manner = manner
        self._not_before = 0.0
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.again = 0

    def stop(self) -> None:
        """End all waits, and what is under way: nothing is sent any more."""
        self._stopped.set()
        for sock in tuple(self._open):
            _shut(sock)

    def get(self, path: str) -> Any:
        """The JSON behind a path, at the first try.

        Raises:
            EndpointError: there is none.
        """
        return self._once("GET", path, None, time.monotonic() + min(self._manner.timeout, 30.0))

    def post(self, path: str, body: Any) -> Any:
        """Send JSON, and have JSON back.

        Raises:
            EndpointError: none came in time, or one that is none.
        """
        deadline = time.monotonic() + self._manner.timeout
        data = json.dumps(body).encode()
        sent = failed = 0
        while True:
            self._wait(deadline)
            try:
                sent += 1
                return self._once("POST", path, data, deadline)
            except EndpointError as error:
                failed += error.after is None  # a wait that the server asks for is no failure
                chance = random.uniform(0.5, 1.0)
                wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (failed - 1))
                wait = chance * wait if error.after is None else error.after + chance * _FIRST_WAIT
                late = time.monotonic() + wait > deadline
                if not error.again or failed == self._manner.tries or late or self._stopped.is_set():
                    raise EndpointError(_after(error, sent, late=late), stage=error.stage) from None
                with self.lock:
                    self.again += 1
                    if error.after is not None:
                        self._not_before = max(self._not_before, time.monotonic() + wait)
                if error.after is None:
                    self._stopped.wait(wait)

    def _wait(self, deadline: float) -> None:
        """Wait as long as the server has asked this client to."""
        while (left := min(self._not_before, deadline) - time.monotonic()) > 0:
            if self._stopped.wait(left):
                return

    def _once(self, method: str, path: str, data: bytes | None, deadline: float) -> Any:
        try:
            with self._connected(deadline) as connection:
                connection.request(method, f"{self._path}/{path}", data, self._headers())
                reply = connection.getresponse()
                body = reply.read(_LARGEST_REPLY + 1)
                if reply.length and len(body) <= _LARGEST_REPLY:  # what is still to come
                    raise http.client.IncompleteRead(body, reply.length)
        except http.client.IncompleteRead as error:
            reason = f"the reply broke off after {len(error.partial):,} bytes"
            raise EndpointError(self._late(deadline) or reason, stage="endpoint", again=True) from None
        except (OSError, http.client.HTTPException) as error:
            reason = self._late(deadline) or f"no reply: {str(error) or type(error).__name__}"
            raise EndpointError(reason, stage="endpoint", again=True) from None
        if late := self._late(deadline):  # its connection was shut: what came may be half of it
            raise EndpointError(late, stage="endpoint", again=True)
        return self._judged(reply, body)

    def _late(self, deadline: float) -> str:
        return "" if time.monotonic() < deadline else f"no reply within {self._manner.timeout:g} s"

    @contextlib.contextmanager
    def _connected(self, deadline: float) -> Iterator[http.client.HTTPConnection]:
        """A connection that is shut at the deadline, however slowly bytes drip through it."""
        left = max(deadline - time.monotonic(), 0.001)
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=left)  # certificates are checked
        with contextlib.closing(connection):
            connection.connect()
            sock = connection.sock
            watch = threading.Timer(max(deadline - time.monotonic(), 0.001), _shut, [sock])
            watch.daemon = True
            watch.start()
            self._open.add(sock)
            try:
                if self._stopped.is_set():
                    raise EndpointError("stopped", stage="endpoint")
                yield connection
            finally:
                watch.cancel()
                self._open.discard(sock)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def _judged(self, reply: http.client.HTTPResponse, body: bytes) -> Any:
        """The JSON of a reply; anything else is an error that shows how it begins."""
        if len(body) > _LARGEST_REPLY:
            raise EndpointError(f"the reply is larger than {_LARGEST_REPLY // 2**20} MiB")
        text = body.decode("utf-8", errors="replace")
        if self._key:  # some servers repeat it, in full, where it is wrong
            text = text.replace(self._key, "***")
        begins = " ".join(text[:300].split())[:160] or "an empty body"
        if reply.status != 200:
            raise EndpointError(
                f"HTTP {reply.status} {reply.reason}: {_message(text) or begins}",
                stage="endpoint",
                again=reply.status in _BUSY,
                after=_seconds(reply.headers.get("Retry-After")) if reply.status in (429, 503) else None,
            )
        kind = reply.headers.get_content_type()
        if kind == "text/event-stream":
            raise EndpointError(f"a stream was sent, and none was asked for: {begins}")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise EndpointError(f"the reply is no JSON but {kind}: {begins}") from None


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _after(error: EndpointError, sent: int, *, late: bool) -> str:
    """What an error says, and how often the request was sent."""
    if not error.again:
        return str(error)
    asked = "" if error.after is None else f", which asks to wait {error.after:g} s"
    times = "once" if sent == 1 else f"{sent} times"
    return f"{error}{asked} (sent {times}{'; no time is left' if late else ''})"


def _message(text: str) -> str:
    """The message of an error in the forms that servers give it; empty where there is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    return " ".join(found.split())[:300] if isinstance(found, str) else ""


def _seconds(value: str | None) -> float | None:
    """How long ``Retry-After`` says to wait: seconds, or a time of day.

    Example:
        >>> _seconds("3"), _seconds("soon"), _seconds("Fri, 01 Jan 1999 00:00:00 GMT")
        (3.0, None, 0.0)
    """
    if value is None:
        return None
    try:
        wait = float(value)
    except ValueError:
        try:
            wait = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(wait, 0.0) if wait < 86_400 else 86_400.0
