"""The log of a run: what a system says is appended to ``predictions.jsonl``, by one process at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.asked import Asked
from benchmarks.harness.owner import Owner, bears
from benchmarks.harness.predictions import FILE, Prediction, read_asked, read_lines, read_predictions, to_line
from benchmarks.harness.storage import RecordError, brief, disk, parse_json, write_atomically
from nextgpt.media import MediaError
from nextgpt.messages import Failure

# Seconds between two waits for the disk. Waiting after each batch would cost a fast system, or a slow
# disk, more than all else that the harness does.
_SYNC_EVERY = 1.0
_KEPT = "all batches before this one are safe"


class PredictionLog:
    """Appends to a run's ``predictions.jsonl``; a context manager.

    Opening it cuts off a last line that was only half written. What is appended is the system's when
    `append` returns, so a kill loses at most the batch under way; it is on the disk a second later, so a
    power cut loses little more.

    Attributes:
        answered: id of every sample in the file, and whether it failed.
        asked: what the samples asked that were in the file when it was opened, where that was kept.

    Args:
        owner: owns the run's folder; without one nobody writes there.

    Raises:
        RecordError: the file can't be written, or a line in it is damaged.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._folder = owner.folder
        self.path = owner.folder / FILE
        self._synced = time.monotonic()
        self.answered: dict[str, bool] = {}
        self.asked: dict[str, Asked] = {}
        with disk(self.path):
            # Unbuffered: what was not written when an error struck must not be written later.
            self._file = self.path.open("ab", buffering=0)
        try:
            with disk(self.path):
                _clear_up(self._folder)
            self._scan()
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
        """Write the media, then all lines at once; an answer that no file can hold becomes a failure.

        Raises:
            RecordError: the disk is full or fails, or the file was moved away. What was appended before
                is safe.
        """
        self._check()
        written = [self._written(prediction) for prediction in predictions]
        self._check()  # media took their time; a line in a file that was moved away would miss them
        with disk(self.path, _KEPT):
            rest = memoryview(b"".join(line for _, line in written))
            while rest:  # a disk that is nearly full takes a part, then refuses the rest
                rest = rest[self._file.write(rest) :]
        if time.monotonic() - self._synced > _SYNC_EVERY:
            self._sync()
        self.answered.update((prediction.sample, prediction.failed) for prediction, _ in written)

    def forget_failures(self) -> int:
        """Take the failed samples out of the file, so that they are run again; returns their number."""
        failed = {each.sample for each in read_predictions(self.path) if each.failed}
        if failed:
            lines = self.path.read_bytes().split(b"\n")
            kept = [
                line + b"\n" for line in lines if line.strip() and parse_json(line)["sample"] not in failed
            ]
            # Written aside and renamed: killed at any moment, either the old or the new file is there.
            write_atomically(self.path, b"".join(kept))
            self._file.close()
            with disk(self.path):
                self._file = self.path.open("ab", buffering=0)
            self.answered = {sample: False for sample in self.answered if sample not in failed}
        return len(failed)

    def _check(self) -> None:
        self._owner.check()
        if not bears(self._file.fileno(), self.path):
            raise RecordError(
                f"{self.path}: moved or deleted while the run wrote to it; what was answered before is safe "
                "where it is now: put the file back, and run the same command again"
            )

    def _written(self, prediction: Prediction) -> tuple[Prediction, bytes]:
        try:
            return prediction, to_line(prediction, self._folder)
        except MediaError as error:
            failed = replace(prediction, said=Failure("contract", f"the answer can't be kept: {error}"))
            return failed, to_line(failed, self._folder)

    def _sync(self) -> None:
        with disk(self.path, _KEPT):
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _scan(self) -> None:
        for number, record in read_lines(self.path):
            sample = record.get("sample")
            if not isinstance(sample, str) or sample in self.answered:
                twice = f"sample {brief(sample)} a second time"
                problem = twice if isinstance(sample, str) else "no sample id"
                raise RecordError(f"{self.path}, line {number}: {problem}; delete this line and run again")
            self.answered[sample] = "error" in record
            asked = read_asked(record, f"{self.path}, line {number}")
            if asked is not None:
                self.asked[sample] = asked


def _clear_up(folder: Path) -> None:
    """Drop what a kill in the middle of a write leaves: a last line without its newline."""
    path = folder / FILE
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
