"""A study on the local network: each rater a secret link, each answer on the disk before it is confirmed.

A link is all the right that a rater has: it shows that rater's own page, media and answers, and nothing else
is served. No address is written down. Answers lie in an SQLite file, a row for each rater and trial, so that
what is sent twice counts once, and a power cut after a confirmation loses nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness.storage import (
    RecordError,
    disk,
    parse_json,
    read_file,
    read_json,
    to_json,
    write_atomically,
)
from nextgpt.terminal import visible
from reports.study.records import RATERS, SERVED, Answer, Study, check_value
from reports.study.sheets import MEDIA, page_data, render_page

LINKS, ANSWERS = "links.json", "answers.sqlite"
_LARGEST = 64 * 1024  # bytes of a post: an answer and a comment
_PATIENCE = 15.0  # seconds within which a request must have come whole
_LINK = re.compile(r"/r/([\w-]{20,64})(?:/(answers|media/[0-9a-f]{16}\.(?:png|mp4|wav)))?")
_KINDS = {".png": "image/png", ".mp4": "video/mp4", ".wav": "audio/wav"}


class AnswerError(ValueError):
    """An answer that is none; the message says why."""


class SharedLinkError(ValueError):
    """An answer to what was answered otherwise by the same link in another browser."""


def links(study: Study) -> list[str]:
    """The secret part of each rater's link, drawn once and kept beside the study, for its owner alone.

    Raises:
        RecordError: the disk is full, or the file is damaged.
    """
    path = study.folder / SERVED / LINKS
    if path.exists():
        found: list[str] = read_json(path, list)
        return found
    drawn = [secrets.token_urlsafe(24) for _ in range(study.raters)]
    write_atomically(path, to_json(drawn))
    path.chmod(0o600)
    return drawn


class Store:
    """The answers of a study, as they were given."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._path = study.folder / SERVED / ANSWERS
        with disk(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._base() as base:
            base.execute(
                "CREATE TABLE IF NOT EXISTS answers (rater INTEGER, trial TEXT, said TEXT, seconds REAL, "
                "comment TEXT, PRIMARY KEY (rater, trial)) WITHOUT ROWID"
            )
            # By which browser, under a name that it drew for itself.
            base.execute(
                "CREATE TABLE IF NOT EXISTS seats (rater INTEGER, trial TEXT, seat TEXT, "
                "PRIMARY KEY (rater, trial)) WITHOUT ROWID"
            )
            base.commit()

    def save(self, rater: int, record: Any) -> None:
        """Write one answer, whole and on the disk, in place of an earlier one to the same trial.

        Raises:
            AnswerError: no trial of this rater, or a value that is not on its scale.
            SharedLinkError: another browser answered it otherwise; that answer stays.
        """
        if not isinstance(record, dict) or not isinstance(record.get("answer"), dict):
            raise AnswerError("an object with a trial and its answer is needed")
        fields = {trial.id: trial.fields for trial in self._study.trials[rater - 1]}.get(
            str(record.get("trial"))
        )
        if fields is None:
            raise AnswerError("no such trial")
        said = {}
        for name, value in record["answer"].items():
            if name not in fields:
                raise AnswerError("no such question")
            try:
                said[name] = check_value(self._study.criteria[fields[name]].scale, value)
            except ValueError as error:
                raise AnswerError(visible(error)) from error
        seconds, comment = record.get("seconds", 0), record.get("comment", "")
        if type(seconds) not in (int, float) or not 0 <= seconds < 1e7 or not isinstance(comment, str):
            raise AnswerError("seconds are a number, and a comment is text")
        seat = record.get("seat", "")
        if not isinstance(seat, str) or len(seat) > 64:
            raise AnswerError("a seat is a short text")
        row = (rater, record["trial"], json.dumps(said), float(seconds), visible(comment)[:2000])
        with self._base() as base:
            base.execute("BEGIN IMMEDIATE")
            if seat:
                self._sit(base, row[:3], seat)
            base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
            base.commit()

    def _sit(self, base: sqlite3.Connection, row: tuple[int, str, str], seat: str) -> None:
        """Note by which browser a trial is answered.

        Raises:
            SharedLinkError: it was another, and said otherwise.
        """
        rater, trial, said = row
        base.execute("INSERT OR IGNORE INTO seats VALUES (?, ?, ?)", (rater, trial, seat))
        before = base.execute(
            "SELECT seat, said FROM seats JOIN answers USING (rater, trial) WHERE rater = ? AND trial = ?",
            (rater, trial),
        ).fetchone()
        if before is not None and before[0] != seat and json.loads(before[1]) != json.loads(said):
            raise SharedLinkError("answered in another browser; what was said there stays")

    def seats(self, rater: int) -> int:
        """In how many browsers one rater's link was used to answer."""
        with self._base() as base:
            (count,) = base.execute(
                "SELECT COUNT(DISTINCT seat) FROM seats WHERE rater = ?", (rater,)
            ).fetchone()
            return int(count)

    def of(self, rater: int) -> dict[str, dict[str, Any]]:
        """What one rater has said, by trial."""
        with self._base() as base:
            rows = base.execute("SELECT trial, said, seconds, comment FROM answers WHERE rater = ?", (rater,))
            return {
                trial: {"answer": json.loads(said), "seconds": seconds, "comment": comment}
                for trial, said, seconds, comment in rows
            }

    def answered(self, rater: int) -> int:
        """How many trials one rater has answered in full."""
        trials = {trial.id: len(trial.fields) for trial in self._study.trials[rater - 1]}
        return sum(len(row["answer"]) == trials.get(trial, -1) for trial, row in self.of(rater).items())

    @contextmanager
    def _base(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as base:
                base.execute("PRAGMA journal_mode=WAL")
                base.execute("PRAGMA synchronous=FULL")
                yield base
        except sqlite3.Error as error:  # a full disk, or a file that is none of SQLite's
            raise RecordError(
                f"{self._path}: the answers can't be kept or read ({error}); make room, or put the file "
                "back; what was confirmed before is in it"
            ) from error


def read_served(study: Study) -> Iterator[tuple[int, dict[str, Answer], dict[str, float], dict[str, str]]]:
    """What the server has kept, for each rater who answered in full at least one trial."""
    if not (study.folder / SERVED / ANSWERS).exists():
        return
    store = Store(study)
    for rater, trials in enumerate(study.trials, start=1):
        rows = store.of(rater)
        full = {
            trial.id for trial in trials if len(rows.get(trial.id, {}).get("answer", {})) == len(trial.fields)
        }
        if full:
            yield (
                rater,
                {trial: rows[trial]["answer"] for trial in full},
                {trial: rows[trial]["seconds"] for trial in full},
                {trial: rows[trial]["comment"] for trial in full if rows[trial]["comment"]},
            )


class StudyServer(ThreadingHTTPServer):
    """Serves one study; `progress` is told of each answer."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, study: Study, host: str, port: int, progress: Any = None) -> None:
        self.study, self.store, self.progress = study, Store(study), progress
        self._raters = {_digest(link): number for number, link in enumerate(links(study), start=1)}
        super().__init__((host, port), _Handler)

    def rater(self, link: str) -> int | None:
        """Whose link it is. Hashes are compared, so that time tells nothing of how near a guess is."""
        return self._raters.get(_digest(link))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A rater who goes away in the middle is no error, and no address is printed."""


def _digest(link: str) -> bytes:
    return hashlib.sha256(link.encode()).digest()


class _Handler(BaseHTTPRequestHandler):
    """One request, one connection: nobody holds a thread for longer than a request may take."""

    server: StudyServer
    protocol_version = "HTTP/1.0"
    server_version, sys_version = "study", ""
    timeout = _PATIENCE

    def setup(self) -> None:
        super().setup()
        # A request that drips in byte by byte never times out by itself.
        self._alarm = threading.Timer(_PATIENCE, self._hang_up)
        self._alarm.daemon = True
        self._alarm.start()

    def finish(self) -> None:
        self._alarm.cancel()
        super().finish()

    def do_GET(self) -> None:
        self._alarm.cancel()
        found = self._whose()
        if found is None:
            return
        rater, what = found
        if not what:
            self._page(rater)
        elif what.startswith(f"{MEDIA}/"):
            self._medium(rater, what)
        else:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "answers are sent, not fetched")

    def do_POST(self) -> None:
        found = self._whose()
        if found is None:
            return
        rater, what = found
        if what != "answers":
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "nothing is sent to this address")
        elif self._foreign():
            self._refuse(HTTPStatus.FORBIDDEN, "sent by a page of another site")
        elif (body := self._body()) is not None:
            self._alarm.cancel()
            try:
                self.server.store.save(rater, parse_json(body))
            except SharedLinkError as error:
                self._refuse(HTTPStatus.CONFLICT, str(error))
            except RecordError:  # whose path is none of a rater's business
                self._refuse(HTTPStatus.INSUFFICIENT_STORAGE, "not saved: the disk is full or fails; tell us")
            except (AnswerError, ValueError) as error:
                self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
            else:
                self._send(HTTPStatus.OK, b'{"saved": true}\n', "application/json")
                if self.server.progress:
                    self.server.progress(rater)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it)
        """Nothing is logged: a log would hold addresses and links."""

    def _whose(self) -> tuple[int, str] | None:
        """The rater of the link and what is asked for; a false link gets the same answer as none."""
        match = _LINK.fullmatch(self.path)
        rater = self.server.rater(match[1]) if match else None
        if match is None or rater is None:
            self._refuse(HTTPStatus.NOT_FOUND, "nothing here; use the link that you were given, whole")
            return None
        return rater, match[2] or ""

    def _foreign(self) -> bool:
        """Whether a page of another site sent it: browsers say so, and let no page send JSON unasked."""
        origin, host = self.headers.get("Origin"), self.headers.get("Host", "")
        other = origin is not None and urlsplit(origin).netloc != host
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        return other or site != "same-origin" or self.headers.get_content_type() != "application/json"

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "say how long it is")
        elif int(length[:12]) > _LARGEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"an answer has at most {_LARGEST:,} bytes")
        else:
            try:
                body = self.rfile.read(int(length))
            except OSError:
                body = b""
            if len(body) == int(length):
                return body
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "it did not come whole")
        return None

    def _page(self, rater: int) -> None:
        study = self.server.study
        link = self.path
        known = read_json(study.folder / SERVED / f"{rater}.json", dict)
        data = page_data(study, rater, known["trials"], post=f"{link}/answers")
        data |= {"base": f"{link}/", "said": self.server.store.of(rater)}
        self._send(HTTPStatus.OK, render_page(data).encode(), "text/html; charset=utf-8")

    def _medium(self, rater: int, name: str) -> None:
        # The address has matched sixteen hex digits: it leads nowhere but into this rater's folder.
        path = self.server.study.folder / RATERS / f"rater-{rater}" / name
        if not path.is_file() or path.is_symlink():
            self._refuse(HTTPStatus.NOT_FOUND, "no such file")
            return
        self._send(HTTPStatus.OK, read_file(path), _KINDS[path.suffix])

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._send(status, f"{visible(why)}\n".encode(), "text/plain; charset=utf-8")

    def _hang_up(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
