"""Votes as they are given: a line each in a file that ``nextgpt-report ratings`` reads."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import BinaryIO

from benchmarks.harness.storage import RecordError, disk, parse_json, to_json
from reports.study.foreign import arena_record
from reports.study.judgements import Vote


class Ballot:
    """Appends votes to a file; each is on the disk before it is confirmed.

    The first system of a vote stood on the left, so that a preference for a side can be told later.

    Args:
        path: of JSON lines; votes of earlier days stay, but for a last line that was only half written.

    Raises:
        RecordError: the file can't be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from reports.study.foreign import read_foreign
        >>> with TemporaryDirectory() as folder:
        ...     ballot = Ballot(Path(folder) / "votes.jsonl")
        ...     ballot.add(Vote("visitor-1", "item", "preference", "b", "a", 1.0))
        ...     read_foreign(ballot.path).votes[0].outcome
        0.0
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                raise RecordError(f"{path}: a folder, a pipe or a device; name a file")
            with path.open("ab+") as file:
                _finish(file)

    def add(self, vote: Vote) -> None:
        """Write a vote.

        Raises:
            RecordError: the disk is full or fails; the vote is not counted.
        """
        line = to_json(arena_record(vote))
        with self._lock, disk(self.path, "earlier votes are safe"), self.path.open("ab", buffering=0) as file:
            start = file.seek(0, os.SEEK_END)
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(start)
                raise


def _finish(file: BinaryIO) -> None:
    """Cut off a last line that a kill left half written; one that only lacks its end gets it."""
    file.seek(0)
    data = file.read()
    last = data[data.rfind(b"\n") + 1 :]
    if not last:
        return
    try:
        parse_json(last)
    except ValueError:
        file.truncate(len(data) - len(last))
    else:
        file.write(b"\n")
