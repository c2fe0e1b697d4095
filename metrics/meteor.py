"""METEOR 1.5, the program itself, asked in bulk by one Java process that serves the whole run.

Starting METEOR takes ten seconds (it loads a paraphrase table), so a process starts one at most, as
early as `start()` is called, and keeps it. Captions are written to it without waiting for answers,
which a second thread makes possible: a question and an answer at a time takes twice as long.
"""

from __future__ import annotations

import atexit
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence

import numpy as np

from metrics.java import LOCALE_FLAGS, JavaError, environment, jar, java
from metrics.metric import FloatArray

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
MODULE_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])  # exact, stem, synonym, paraphrase
COLUMNS = 23
"""Numbers per item: lengths and function words of candidate and reference (4), matches of candidate and
reference in content and function words for each of four modules (16), chunks, matched words of both."""

_ARGUMENTS = ("-", "-", "-stdio", "-l", "en", "-norm")
# Inside a line the program reads `|||` as "next reference" and a line end as "next item".
_RESERVED = re.compile(r"\|\|\||[\r\n]")


def start() -> None:
    """Starts METEOR in the background, unless it runs already; scoring then need not wait for it.

    Raises:
        JavaError: Java or the jar is missing.
    """
    _Process.shared()


@atexit.register
def stop() -> None:
    """Ends METEOR, if it runs, and frees its half gigabyte; whoever scores next starts it again."""
    running = _Process._shared
    if running is not None and running._owner == os.getpid() and running._process.poll() is None:
        running.stop()


def meteor_statistics(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> FloatArray:
    """What METEOR counts for each item against its best reference, [N, 23].

    Args:
        predictions: N tokenised captions.
        references: for each of them at least one tokenised caption.

    Raises:
        JavaError: Java or the jar is missing, or the process died.
    """
    if not predictions:
        return np.empty((0, COLUMNS))
    lines = [
        " ||| ".join(("SCORE", *map(_plain, references), _plain(prediction).replace("  ", " ")))
        for prediction, references in zip(predictions, references, strict=True)
    ]
    answers = [answer.split() for answer in _Process.shared().ask(lines)]
    for number, answer in enumerate(answers):
        if len(answer) != COLUMNS:
            raise JavaError(
                f"METEOR answered item {number} with {' '.join(answer)[:200]!r}, not with its counts"
            )
    return np.array(answers, dtype=np.float64)


def meteor_scores(statistics: FloatArray) -> FloatArray:
    """METEOR from its counts, [..., 23] -> [...], each in [0, 1]; counts of several items may be summed."""
    length, reference_length, function, reference_function = np.moveaxis(statistics[..., :4], -1, 0)
    # For each module: matches of candidate and reference in content words, then in function words.
    matches = statistics[..., 4:20].reshape(*statistics.shape[:-1], 4, 4)
    chunks, matched, reference_matched = np.moveaxis(statistics[..., 20:], -1, 0)
    weighted = np.einsum("...mk,m->...k", matches, MODULE_WEIGHTS) * [DELTA, DELTA, 1 - DELTA, 1 - DELTA]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = (weighted[..., 0] + weighted[..., 2]) / (
            DELTA * (length - function) + (1 - DELTA) * function
        )
        recall = (weighted[..., 1] + weighted[..., 3]) / (
            DELTA * (reference_length - reference_function) + (1 - DELTA) * reference_function
        )
        mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
        fragmentation = chunks / ((matched + reference_matched) / 2)
        totals = matches.sum(axis=-2)
        perfect = (
            (totals[..., 0] + totals[..., 2] == length)
            & (totals[..., 1] + totals[..., 3] == reference_length)
            & (chunks == 1)
        )
        score = mean * (1 - GAMMA * np.where(perfect, 0.0, fragmentation) ** BETA)
    return np.asarray(np.maximum(np.nan_to_num(score, nan=0.0), 0.0))


def _plain(caption: str) -> str:
    return _RESERVED.sub("", caption)


class _Process:
    """A running METEOR that reads items as lines and answers each with a line of counts."""

    _shared: _Process | None = None
    _starting = threading.Lock()

    def __init__(self) -> None:
        path = jar("meteor/meteor-1.5.jar")
        # The serial collector needs half the memory of the default one and no more time.
        command = [java(), *LOCALE_FLAGS, "-Xmx2G", "-XX:+UseSerialGC", "-jar", str(path), *_ARGUMENTS]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the program
        self._process = subprocess.Popen(
            command,
            cwd=path.parent,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._owner = os.getpid()
        self._asking = threading.Lock()

    @classmethod
    def shared(cls) -> _Process:
        """This process's METEOR; a forked child gets its own, and a dead one is replaced."""
        with cls._starting:
            running = cls._shared
            if running is None or running._owner != os.getpid() or running._process.poll() is not None:
                running = cls._shared = cls()
            return running

    def ask(self, lines: Sequence[str]) -> list[str]:
        """One answer per line, in order."""
        with self._asking:
            if self._process.poll() is not None:  # another thread's question ended it
                raise self._died(0, len(lines))
            writer = threading.Thread(target=self._write, args=(lines,), daemon=True)
            writer.start()
            answers: list[str] = []
            try:
                assert self._process.stdout is not None
                for _ in lines:
                    answer = self._process.stdout.readline()
                    if not answer.endswith(b"\n"):
                        raise self._died(len(answers), len(lines))
                    answers.append(answer.decode("ascii"))
            finally:
                if len(answers) < len(lines):  # answers of this call would reach the next one
                    self.stop()
                writer.join()
            return answers

    def stop(self) -> None:
        """Ends the program."""
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _write(self, lines: Sequence[str]) -> None:
        assert self._process.stdin is not None
        text = "".join([f"{line}\n" for line in lines])
        try:
            self._process.stdin.write(text.encode("utf-8", errors="replace"))
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # the process died or was stopped; who reads its answers says so

    def _died(self, answered: int, asked: int) -> JavaError:
        status, message = self._process.wait(), ""
        if not self._errors.closed:
            self._errors.seek(0)
            message = self._errors.read().decode("utf-8", errors="replace").strip()[-500:]
        return JavaError(
            f"METEOR's Java process ended with status {status} at item {answered} of {asked}"
            f"{': ' + message if message else ''}; it needs 2 GB of memory; score again to start a new one"
        )
