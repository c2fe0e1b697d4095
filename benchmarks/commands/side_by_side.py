"""Runs of a job side by side: each in a worker's process, one thread each, handed out by what is left to do.

Two threads of a tiny network mostly wait for each other; two processes on two cores are nearly twice as fast
as one. A worker keeps the system that it has loaded as long as there is work for it. One that dies costs the
run that it was at, which is named, and the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.commands import MENDABLE, complain, complaint
from benchmarks.commands.run import evaluated
from benchmarks.jobs import Piece
from nextgpt.terminal import Volume, set_volume, volume

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

_MOST = 4  # each worker holds a system of its own: of the tiny ones more than a gigabyte


@dataclass
class _Worker:
    process: Any
    link: Connection
    piece: Piece | None = None
    at: float = 0.0  # how much of its piece is done, 0 to 1


@dataclass(frozen=True)
class Told:
    """What became of a piece: its results, or None where it went wrong, which has been said."""

    piece: Piece
    results: Sequence[Result] | None


class Workers:
    """Processes that run pieces of a job.

    Args:
        count: how many at once.
        out: folder of all runs.
        advanced: told how much of the job is done, in the unit of shares, whenever that has changed.

    Example:
        >>> Workers.next_of([Piece("b", "x", None, 1), Piece("a", "x", None, 9)], "b").system
        'b'
        >>> Workers.next_of([Piece("b", "x", None, 1), Piece("a", "x", None, 9)], "").system
        'a'
    """

    def __init__(self, count: int, out: Path, advanced: Callable[[float], object]) -> None:
        self._count, self._out, self._advanced = count, out, advanced
        self._workers: list[_Worker] = []
        self._done = 0.0

    @staticmethod
    def next_of(left: Sequence[Piece], system: str) -> Piece:
        """The longest piece of this system, or of that with most left to do."""
        work: dict[str, float] = {}
        for piece in left:
            work[piece.system] = work.get(piece.system, 0.0) + piece.share
        chosen = system if system in work else max(work, key=lambda name: work[name])
        return max((piece for piece in left if piece.system == chosen), key=lambda piece: piece.share)

    def run(self, pieces: Sequence[Piece]) -> Iterator[Told]:
        """All of them, each told when it is done; ends the processes, also where the iterator is closed."""
        left = list(pieces)
        try:
            for _ in range(min(self._count, len(left))):
                self._workers.append(_started(self._out))
                self._hand(self._workers[-1], left)
            while busy := [worker for worker in self._workers if worker.piece is not None]:
                for link in wait([worker.link for worker in busy]):
                    worker = next(each for each in busy if each.link is link)
                    told = self._heard(worker)
                    if told is not None:
                        yield told
                        self._hand(worker, left)
        finally:
            for worker in self._workers:
                worker.link.close()  # which ends it
                worker.process.join()

    def _hand(self, worker: _Worker, left: list[Piece]) -> None:
        before = worker.piece.system if worker.piece else ""
        worker.piece = None
        if left:
            worker.piece = self.next_of(left, before)
            left.remove(worker.piece)
            with suppress(OSError):  # of one that has died by now the end is heard next
                worker.link.send(worker.piece)

    def _heard(self, worker: _Worker) -> Told | None:
        """What a worker says; a dead one is replaced."""
        assert worker.piece is not None
        try:
            what, value = worker.link.recv()
        except (EOFError, OSError):
            worker.process.join()
            complain(
                f"{worker.piece.system} on {worker.piece.benchmark}: its process died "
                f"({worker.process.exitcode}); what was answered is kept, and the same command goes on"
            )
            worker.link.close()
            fresh = _started(self._out)
            worker.process, worker.link = fresh.process, fresh.link
            what, value = "done", None
        if what == "at":
            worker.at = value
        else:
            self._done += worker.piece.share
            worker.at = 0.0
        under_way = sum(w.piece.share * w.at for w in self._workers if w.piece is not None)
        self._advanced(self._done + under_way)
        return Told(worker.piece, value) if what == "done" else None


def _started(out: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, out, volume()), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _work(link: Connection, out: Path, loud: Volume) -> None:
    """What a worker does until nobody hands it anything more."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    set_volume(loud)
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        held: dict[str, Any] = {}
        while True:
            piece: Piece = link.recv()
            try:
                if piece.system not in held:
                    held.clear()
                    held[piece.system] = _loaded(piece.system)
                results = _run(piece, held[piece.system], out, partial(_tell, link))
            except MENDABLE as error:
                complain(complaint(error))
                results = None
            link.send(("done", results))


def _tell(link: Connection, fraction: float) -> None:
    link.send(("at", fraction))


def _loaded(name: str) -> Any:
    from benchmarks.registry import load_system
    from nextgpt.threads import wait_asleep

    wait_asleep()
    return load_system(name)


def _run(piece: Piece, system: Any, out: Path, tell: Callable[[float], object]) -> list[Result] | None:
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.progress import told_to
    from benchmarks.harness.run import evaluate
    from benchmarks.registry import load_benchmark

    evaluate_one = partial(evaluate, out=out, options=Options(None, piece.limit), progress=False)
    with told_to(tell):
        runs = list(evaluated(load_benchmark(piece.benchmark), system, evaluate_one))
    return None if None in runs else [result for run in runs if run is not None for result in run.results]


def enough() -> int:
    """How many workers make use of this machine: one for each core, and no more than memory is likely for."""
    own: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return min(_MOST, len(own(0)) if own is not None else os.cpu_count() or 1)
