"""METEOR 1.5, the program itself, asked in bulk by one Java process that serves the whole run.

Starting METEOR takes ten seconds (it loads a paraphrase table), so a process starts one, as early as
`start()` is called, and keeps it. Captions are written to it without waiting for answers, which a
second thread makes possible: a question and an answer at a time takes twice as long. Only a score of so
many captions that ten seconds are little is shared with a second one, where there is a processor for it.
"""

from __future__ import annotations

import atexit
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import ClassVar

import numpy as np

from metrics.captions.java import LOCALE_FLAGS, JavaError, complaint, environment, jar, java
from metrics.metric import FloatArray

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
MODULE_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])  # exact, stem, synonym, paraphrase
COLUMNS = 23
"""Numbers per item: lengths and function words of candidate and reference (4), matches of candidate and
reference in content and function words for each of four modules (16), chunks, matched words of both."""
CHUNKS = 20  # the column of chunks

SHARED = 15_000
"""From so many items on, a minute's work, two processes score them."""
CHUNK = 500  # items that a process is asked about at a time

_ARGUMENTS = ("-", "-", "-stdio", "-l", "en", "-norm")
# Inside a line the program reads `|||` as "next reference" and a line end as "next item".
_RESERVED = re.compile(r"\|\|\||[\r\n]")


def start() -> None:
    """Starts METEOR in the background, unless it runs already; scoring then need not wait for it.

    Raises:
        JavaError: Java or the jar is missing.
    """
    _Process.running(1)


@atexit.register
def stop() -> None:
    """Ends METEOR, if it runs, and frees its half gigabyte; whoever scores next starts it again."""
    for process in _Process.ours():
        process.stop()


def meteor_statistics(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> FloatArray:
    """What METEOR counts for each item against its best reference, [N, 23], fit to be summed over items.

    An item whose words all match in one chunk has 0 chunks here, as it has where the program scores it and
    where it sums a corpus: a perfect caption is not in pieces, and makes no other one look so.

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
    answers = [answer.split() for answer in _ask(lines)]
    for number, answer in enumerate(answers):
        if len(answer) != COLUMNS:
            raise JavaError(
                f"METEOR answered item {number} with {' '.join(answer)[:200]!r}, not with its counts"
            )
    return _without_perfect_chunks(np.array(answers, dtype=np.float64))


def meteor_scores(statistics: FloatArray) -> FloatArray:
    """METEOR from its counts, [..., 23] -> [...], each in [0, 1]; counts of several items may be summed."""
    length, reference_length, function, reference_function = np.moveaxis(statistics[..., :4], -1, 0)
    # For each module: matches of candidate and reference in content words, then in function words.
    matches = statistics[..., 4:CHUNKS].reshape(*statistics.shape[:-1], 4, 4)
    chunks, matched, reference_matched = np.moveaxis(statistics[..., CHUNKS:], -1, 0)
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
        score = mean * (1 - GAMMA * fragmentation**BETA)
    return np.asarray(np.maximum(np.nan_to_num(score, nan=0.0), 0.0))


def _without_perfect_chunks(statistics: FloatArray) -> FloatArray:
    """The program's counts, [N, 23], with 0 chunks where all words match in one."""
    matches = statistics[:, 4:CHUNKS].reshape(-1, 4, 2, 2).sum(axis=(1, 2))  # of candidate, of reference
    perfect = (matches == statistics[:, :2]).all(axis=1) & (statistics[:, CHUNKS] == 1)
    statistics[perfect, CHUNKS] = 0.0
    return statistics


def _ask(lines: Sequence[str]) -> list[str]:
    """One answer per line, in order; processes take chunks of lines as they become free."""
    many = len(lines) >= SHARED and (os.cpu_count() or 1) > 1
    free: SimpleQueue[_Process] = SimpleQueue()
    for process in _Process.running(2 if many else 1):
        free.put(process)

    def ask(start: int) -> list[str]:
        process = free.get()
        try:
            return process.ask(lines[start : start + CHUNK], start, len(lines))
        finally:
            free.put(process)

    with ThreadPoolExecutor(free.qsize()) as threads:
        return [answer for answers in threads.map(ask, range(0, len(lines), CHUNK)) for answer in answers]


def _plain(caption: str) -> str:
    return _RESERVED.sub("", caption)


class _Process:
    """A running METEOR that reads items as lines and answers each with a line of counts."""

    _shared: ClassVar[list[_Process]] = []
    _starting = threading.Lock()

    def __init__(self) -> None:
        path = jar("meteor/meteor-1.5.jar")
        # The serial collector needs half the memory of the default one and no more time.
        command = [java(), *LOCALE_FLAGS, "-Xmx2G", "-XX:+UseSerialGC", "-jar", str(path), *_ARGUMENTS]
        # Left alone, the program looks for its paraphrases by the jar's address, in which a blank is "%20".
        command += ["-a", str(jar("meteor/data/paraphrase-en.gz"))]
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
        self._sound = False
        self._asking = threading.Lock()

    @classmethod
    def ours(cls) -> list[_Process]:
        """Those of this process that run; a forked child has none at first, and a dead one is gone."""
        return [one for one in cls._shared if one._owner == os.getpid() and one._process.poll() is None]

    @classmethod
    def running(cls, least: int) -> list[_Process]:
        """This process's METEORs, at least so many; the missing ones are started."""
        with cls._starting:
            cls._shared = cls.ours()
            while len(cls._shared) < least:
                cls._shared.append(cls())
            return cls._shared[:least]

    def ask(self, lines: Sequence[str], before: int = 0, total: int | None = None) -> list[str]:
        """One answer per line, in order.

        Args:
            lines: what is asked.
            before: number of lines that came before these, for messages.
            total: of all lines; by default these are all.
        """
        total = total or len(lines)
        with self._asking:
            if self._process.poll() is not None:  # another thread's question ended it
                raise self._died(before, total)
            writer = threading.Thread(target=self._write, args=(lines,), daemon=True)
            writer.start()
            answers: list[str] = []
            try:
                assert self._process.stdout is not None
                for _ in lines:
                    answer = self._process.stdout.readline()
                    if not answer.endswith(b"\n"):
                        raise self._died(before + len(answers), total)
                    self._check_start()
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

    def _check_start(self) -> None:
        """Refuses a program whose first words were of a file that it could not read: it goes on without it.

        Raises:
            JavaError: its table of paraphrases is cut off, so all its scores would be too low.
        """
        if not self._sound and hasattr(os, "pread"):  # Windows has none
            said = os.pread(self._errors.fileno(), 10_000, 0)  # the program's own place in it stays
            if b"Exception" in said:
                raise JavaError(
                    f"METEOR could not read its own files{complaint(said)}: run `pip install "
                    "--force-reinstall pycocoevalcap`"
                )
            self._sound = True

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
            message = complaint(self._errors.read())
        # Who is killed says nothing, and what kills is mostly a lack of memory.
        starved = status < 0 or any(word in message.lower() for word in ("memory", "heap"))
        hint = "; it needs 2 GB of memory; score again to start a new one" if starved else ""
        return JavaError(
            f"METEOR's Java process ended with status {status} at item {answered} of {asked}{message}{hint}"
        )
