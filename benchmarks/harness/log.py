"""The log of a run: what a system says is appended to ``predictions.jsonl``, by one process at a time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.predictions import FILE, Prediction, read_lines, to_line
from benchmarks.harness.storage import RecordError, disk, write_atomically

# Seconds between two waits for the disk. Waiting after each batch would cost a fast system, or a slow
# disk, more than all else that the harness does.
_SYNC_EVERY = 1.0


class PredictionLog:
    """Appends to a run's ``predictions.jsonl``; a context manager that holds the file's lock.

    Opening it cuts off a last line that was only half written. What is appended is the system's when
    `append` returns, so a kill loses at most the batch under way; it is on the disk a second later, so a
    power cut loses little more.

    Attributes:
        answered: id of every sample in the file, and whether it failed.

    Args:
        folder: the run's folder, made when missing.

    Raises:
        RecordError: another process writes to the file, or a line in it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._folder = folder
        self._synced = time.monotonic()
        with disk(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what was not written when an error struck must not be written later.
            self._file = self.path.open("ab", buffering=0)
        try:
            _lock(self._file.fileno(), self.path)
            _clear_up(folder)
            self.answered = self._scan()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> PredictionLog:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._sync()
        finally:
            self._file.close()

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Write the media, then all lines at once.

        Raises:
            RecordError: the disk is full or fails. What was appended before is safe.
        """
        with disk(self.path):
            rest = memoryview(b"".join(to_line(prediction, self._folder) for prediction in predictions))
            while rest:  # a disk that is nearly full takes a part, then refuses the rest
                rest = rest[self._file.write(rest) :]
        if time.monotonic() - self._synced > _SYNC_EVERY:
            self._sync()
        self.answered.update((prediction.sample, prediction.failed) for prediction in predictions)

    def forget_failures(self) -> int:
        """Take the failed samples out of the file, so that they are run again; returns their number."""
        failed = sum(self.answered.values())
        if failed:
            lines = self.path.read_bytes().split(b"\n")
            kept = [line + b"\n" for line in lines if line.strip() and "error" not in json.loads(line)]
            # Written aside and renamed: killed at any moment, either the old or the new file is there.
            write_atomically(self.path, b"".join(kept))
            self._file.close()
            self._file = self.path.open("ab", buffering=0)
            _lock(self._file.fileno(), self.path)
            self.answered = {sample: False for sample, failure in self.answered.items() if not failure}
        return failed

    def _sync(self) -> None:
        with disk(self.path):
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _scan(self) -> dict[str, bool]:
        answered: dict[str, bool] = {}
        for number, record in read_lines(self.path):
            sample = record.get("sample")
            if not isinstance(sample, str) or sample in answered:
                problem = f"sample {sample!r} a second time" if isinstance(sample, str) else "no sample id"
                raise RecordError(f"{self.path}, line {number}: {problem}; delete this line and run again")
            answered[sample] = "error" in record
        return answered


def _clear_up(folder: Path) -> None:
    """Drop what a kill in the middle of a write leaves: a last line without its newline, unnamed files."""
    path = folder / FILE
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    for left in folder.rglob(".*.part"):
        left.unlink()


def _lock(descriptor: int, path: Path) -> None:
    """Keep a second run out of the file; the lock goes with the process, even a killed one."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows: two runs at once are the user's to avoid there
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RecordError(f"{path}: another run is writing to it; wait or choose another --out") from None
