"""A system on many workers of a Ray cluster: each loads it once, and is handed small pieces of work.

Nothing is gathered, and nobody waits for all: a piece goes to whoever is free, what comes back goes to the
one process that writes. A worker that dies is replaced, and what it held is handed out again; a request that
ends every worker that it meets is a failure like any other. Answers depend on the seed of a sample and on
nothing else, so neither does a run.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.harness.asking import Answer, Batch
from benchmarks.harness.columns import Measured, Measuring
from benchmarks.harness.door import one_line, told
from benchmarks.harness.system import System
from benchmarks.harness.worker import MEMBERS, Worker, plain
from nextgpt.messages import Failure, Message, Modality, Request
from nextgpt.terminal import note

T = TypeVar("T")

_AHEAD = 2  # pieces that a worker holds: one that it works on, one that waits, so that it need not
_DEATHS = 3  # workers that a request may end before it counts as the cause
_PATIENCE = 10.0  # seconds without a worker before a person is told what is waited for


class PoolError(RuntimeError):
    """No worker could be had; the message says why."""


@dataclass(eq=False)
class _Job:
    """A piece of work: the method that does it, its arguments, and what it is of."""

    method: str
    arguments: tuple[Any, ...]
    thing: Any
    deaths: int = 0


@dataclass(eq=False)
class _Hand:
    """A worker as the pool knows it, with what it holds, oldest first."""

    actor: Any
    jobs: dict[Any, _Job] = field(default_factory=dict)
    ready: bool = False


class _Work:
    """What is to be done, that which has to be done again first."""

    def __init__(self, jobs: Iterator[_Job]) -> None:
        self._jobs = jobs
        self.again: deque[_Job] = deque()
        self._dry = False

    @property
    def none_left(self) -> bool:
        return self._dry and not self.again

    def take(self) -> _Job | None:
        if self.again:
            return self.again.popleft()
        job = None if self._dry else next(self._jobs, None)
        self._dry = job is None
        return job


class Pool:
    """A `System` that answers, and measures, on the workers of a Ray cluster; a context manager.

    Args:
        load: makes the system, in each worker; it and its arguments must be importable there.
        workers: how many.
        address: of a cluster that is there; None for the one that ``RAY_ADDRESS`` names, or a new one here.

    Attributes:
        name, fingerprint, accepts, produces, given: as in `System`.
        piece: items in a chunk of texts that are measured at once.

    Raises:
        PoolError: Ray is not installed or not there, or the system can't be loaded.
    """

    piece: int | None = 2000

    def __init__(self, load: Callable[[], System], workers: int, address: str | None = None) -> None:
        self._load, self._count, self._scorings = load, workers, 0
        self._ray = _ray()
        self._hands: list[_Hand] = []
        self._machines: set[str] = set()
        self._barren = 0  # deaths since a worker last finished anything
        with _signals_kept():
            _connect(self._ray, workers, address)
        try:
            about = self._first()
        except BaseException:
            self.close()
            raise
        self._about = {member: about[member] for member in MEMBERS}
        self.name: str = about["name"]
        self.fingerprint: str = about["fingerprint"]
        self.accepts: frozenset[Modality] = about["accepts"]
        self.produces: frozenset[Modality] = about["produces"]
        self.given: frozenset[str] = about["given"]
        room = self._room()
        if room < workers:
            note(f"room for {room} of {workers} workers; the others join when there is more")
        while len(self._hands) < workers:
            self._hire()

    @property
    def hardware(self) -> str:
        """Number of workers, and their machines in words."""
        return f"{self._count} workers: {'; '.join(sorted(self._machines))}"

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch, as a system does that is no pool."""
        batch = list(enumerate(requests))
        answers = [
            found for piece in self.respond_all([batch], len(batch), lambda _: None) for found in piece
        ]
        return [answer[0] for _, answer in sorted(answers, key=lambda each: each[0]) if answer is not None]

    def respond_all(
        self, batches: Iterable[Batch[T]], size: int, on_halving: Callable[[int], object]
    ) -> Iterator[list[tuple[T, Answer | None]]]:
        """See `Engine`; a batch is a piece of work."""
        for job, found in self._do(_asking(batch, size) for batch in batches):
            if isinstance(found, Failure):  # of one request alone, see `_bury`
                answers = [(found, 0.0)]
            else:
                answers, fits = found
                if fits < size:
                    size = fits
                    on_halving(size)
            rest = iter(answers)
            yield [(thing, None if request is None else next(rest)) for thing, request in job.thing]

    def measure_all(self, chunks: Iterable[Sequence[Measuring]]) -> Iterator[Sequence[Measured]]:
        """See `Measurer`; a chunk is a piece of work."""
        self._scorings += 1
        jobs = (_Job("measure", (self._scorings, list(chunk)), None) for chunk in chunks)
        for _, found in self._do(jobs):
            if isinstance(found, Failure):
                raise PoolError(f"scoring: {found.reason}")
            yield found

    def wait(self) -> None:
        """Wait until all workers have loaded the system, for whoever measures them."""
        work = _Work(iter(()))
        while not all(hand.ready for hand in self._hands):
            for hand, reference in self._finished():
                list(self._take_back(hand, reference, work))

    def close(self) -> None:
        """End all workers, and the cluster where it is this pool's own."""
        self._hands = []
        with _signals_kept():
            self._ray.shutdown()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _first(self) -> dict[str, Any]:
        """The first worker, on a GPU where the cluster has any unless the system wishes otherwise."""
        self._gpus = 1.0 if self._ray.cluster_resources().get("GPU") else 0.0
        while True:
            hand = self._hire()
            (reference,) = hand.jobs
            if not self._ray.wait([reference], timeout=_PATIENCE)[0]:
                note(f"waiting for a worker of 1 CPU and {self._gpus:g} GPU; {self._offer()}")
            try:
                about: dict[str, Any] = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                self._dismiss(hand)
                self._barren += 1
                if self._barren < _DEATHS:
                    continue
                raise PoolError(f"the system can't be loaded: {one_line(told(error))}") from None
            if "unloadable" in about:
                raise PoolError(f"the system can't be loaded: {about['unloadable']}")
            wish = about["gpus"]
            if wish is None or wish == self._gpus:
                self._welcome(hand, about)
                return about
            self._dismiss(hand)
            self._gpus = float(wish)

    def _hire(self) -> _Hand:
        """A new worker, which begins to load the system."""
        actor = (
            self._ray.remote(Worker)
            .options(num_cpus=1, num_gpus=self._gpus)
            .remote(self._load, str(Path.cwd()))
        )
        hand = _Hand(actor)
        hand.jobs[actor.about.remote()] = _Job("about", (), None)
        self._hands.append(hand)
        return hand

    def _welcome(self, hand: _Hand, about: dict[str, Any]) -> None:
        hand.jobs, hand.ready = {}, True
        self._machines.add(about["hardware"])

    def _dismiss(self, hand: _Hand) -> None:
        self._hands.remove(hand)
        self._ray.kill(hand.actor)

    def _offer(self) -> str:
        found = self._ray.cluster_resources()
        return f"the cluster has {found.get('CPU', 0):g} CPUs and {found.get('GPU', 0):g} GPUs in all"

    def _room(self) -> int:
        """Number of workers that the cluster can hold as it is."""
        found = self._ray.cluster_resources()
        by_gpu = found.get("GPU", 0) / self._gpus if self._gpus else found.get("CPU", 0)
        return int(min(found.get("CPU", 0), by_gpu))

    def _do(self, jobs: Iterator[_Job]) -> Iterator[tuple[_Job, Any]]:
        """Have jobs done, in any order; a `Failure` is what became of one that no worker survived."""
        work = _Work(jobs)
        try:
            while True:
                self._hand_out(work)
                if work.none_left and not any(hand.ready and hand.jobs for hand in self._hands):
                    return
                for hand, reference in self._finished():
                    yield from self._take_back(hand, reference, work)
        finally:  # an interrupt, or the caller has had enough: what is under way is for nobody
            for hand in self._hands:
                if hand.ready:
                    hand.jobs = {}

    def _hand_out(self, work: _Work) -> None:
        """Give every worker that is ready as much as it may hold, in turns."""
        for held in range(_AHEAD):
            for hand in self._hands:
                if hand.ready and len(hand.jobs) == held:
                    job = work.take()
                    if job is None:
                        return
                    hand.jobs[getattr(hand.actor, job.method).remote(*job.arguments)] = job

    def _finished(self) -> list[tuple[_Hand, Any]]:
        """Whose oldest piece of work is done; waits until there is one."""
        oldest = {next(iter(hand.jobs)): hand for hand in self._hands if hand.jobs}
        done: list[Any] = []
        while not done:
            done, _ = self._ray.wait(list(oldest), timeout=_PATIENCE)
            if not done and not any(hand.ready for hand in self._hands):
                note(f"waiting for a worker; {self._offer()}")
        return [(oldest[reference], reference) for reference in done]

    def _take_back(self, hand: _Hand, reference: Any, work: _Work) -> Iterator[tuple[_Job, Any]]:
        job = hand.jobs[reference]
        try:
            found = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # what it says can't be sent, or is a bug
            found = Failure("system", one_line(told(error.cause or error)))
        except self._ray.exceptions.RayError as error:
            yield from self._bury(hand, work, one_line(told(error)))
            return
        del hand.jobs[reference]
        self._barren = 0
        if job.method == "about":
            self._admit(hand, found)
        elif isinstance(found, Failure) and len(job.thing or ()) > 1:
            work.again.extend(_asking([each], job.arguments[1]) for each in job.thing)
        else:
            yield job, found

    def _admit(self, hand: _Hand, about: dict[str, Any]) -> None:
        """Let a worker join whose system is the one that the others have."""
        other = [
            f"{name} ({shown}, there {about.get(name)})"
            for name, shown in self._about.items()
            if about.get(name) != shown
        ]
        if "unloadable" not in about and other:
            raise PoolError(f"a worker has another system: {', '.join(other)}; make all machines alike")
        if "unloadable" not in about:
            self._welcome(hand, about)
            return
        self._dismiss(hand)
        note(f"a worker can't load the system and is left out: {about['unloadable']}")
        if not self._hands:
            raise PoolError(f"the system can't be loaded by any worker more: {about['unloadable']}")

    def _bury(self, hand: _Hand, work: _Work, why: str) -> Iterator[tuple[_Job, Any]]:
        """Replace a worker that died, and see to what it held."""
        self._barren += 1
        if self._barren > _DEATHS * (self._count + 1):
            raise PoolError(f"{self._barren} workers died one after the other, the last: {why}")
        held = [job for job in hand.jobs.values() if job.method != "about"]
        self._dismiss(hand)
        self._hire()
        note(f"a worker died, and is replaced: {why}")
        # Only the oldest was under way; the others never began.
        work.again.extendleft(reversed(held[1:]))
        for suspect in held[:1]:
            suspect.deaths += 1
            if len(suspect.thing or ()) > 1:
                work.again.extendleft(
                    _asking([each], suspect.arguments[1]) for each in reversed(suspect.thing)
                )
            elif suspect.deaths < _DEATHS:
                work.again.appendleft(suspect)
            else:
                yield suspect, Failure("system", f"{_DEATHS} workers died of it, the last: {why}")


def _asking(batch: Batch[Any], size: int) -> _Job:
    return _Job("respond", ([plain(request) for _, request in batch if request is not None], size), batch)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    try:
        import ray
    except ImportError as error:
        raise PoolError("--engine ray needs Ray: pip install 'nextgpt[ray]'") from error
    return ray


def _connect(ray: Any, workers: int, address: str | None) -> None:
    address = address or os.environ.get("RAY_ADDRESS")
    options = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    start = partial(ray.init, **options)
    try:
        if address is None:
            start(address="local", num_cpus=max(workers, os.cpu_count() or 1), include_dashboard=False)
        else:
            start(address=address)
    except SystemExit:  # Ray's own way to meet SIGTERM, which it takes while it connects
        raise KeyboardInterrupt from None
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise PoolError(f"no Ray cluster at {address or 'hand'}: {one_line(told(error))}") from error


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself; how a request to end is met is this program's own matter."""
    kept = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with suppress(ValueError):  # not the main thread, which Ray leaves alone too
            signal.signal(signal.SIGTERM, kept)
