"""Putting samples to a system: batch by batch, and in smaller ones where a batch goes wrong.

An `Asker` turns samples into requests and answers into predictions; who answers, and where, is an engine's
matter. `Here` is the engine that needs nothing: one system, in this process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol, TypeVar, runtime_checkable

from benchmarks.harness.asked import asked
from benchmarks.harness.benchmark import Broken, Sample
from benchmarks.harness.columns import Measured, Measuring
from benchmarks.harness.door import ContractError, admit, answers_of, one_line, told
from benchmarks.harness.predictions import Prediction
from benchmarks.harness.system import System
from nextgpt.messages import Failure, Message, Request, seed_of
from nextgpt.terminal import detail

T = TypeVar("T")
Answer = tuple[Message | Failure, float]
Batch = Sequence[tuple[T, Request | None]]


class Engine(Protocol):
    """Whatever has requests answered."""

    def respond_all(
        self, batches: Iterable[Batch[T]], size: int, on_halving: Callable[[int], object]
    ) -> Iterator[list[tuple[T, Answer | None]]]:
        """Have every request answered; batches come back whole or in pieces, in any order.

        Args:
            batches: things with what is to be asked about them, None for nothing.
            size: requests in one call of the system, at most.
            on_halving: told the new size each time that a batch did not fit into memory.

        Yields:
            The things of a batch, or some of them, with their answers.
        """


@runtime_checkable
class Workers(Engine, Protocol):
    """A system that is an engine at once: it answers wherever its workers are, and measures there too."""

    @property
    def hardware(self) -> str:
        """The machines in words."""

    @property
    def piece(self) -> int | None:
        """Items in a chunk of texts, at most."""

    def measure_all(self, chunks: Iterable[Sequence[Measuring]]) -> Iterator[Sequence[Measured]]:
        """What metrics make of chunks, in any order."""


class Here:
    """One system, in this process."""

    def __init__(self, system: System) -> None:
        self._system = system

    def respond_all(
        self, batches: Iterable[Batch[T]], size: int, on_halving: Callable[[int], object]
    ) -> Iterator[list[tuple[T, Answer | None]]]:
        """One batch after the other, in order."""
        responder = Responder(self._system, size, on_halving)
        for batch in batches:
            requests = [request for _, request in batch if request is not None]
            answers = iter(responder.respond(requests) if requests else ())
            yield [(thing, None if request is None else next(answers)) for thing, request in batch]


class Asker:
    """Has samples answered.

    Args:
        engine: who has requests answered.
        given: hints that the system asks for.
        seed: base of the samples' seeds.
        batch_size: requests in one call, at most.
        on_halving: told the new size each time that a batch did not fit into memory.

    Attributes:
        batch_size: halved by every batch that does not fit into memory.
    """

    def __init__(
        self,
        engine: Engine,
        given: Iterable[str],
        seed: int,
        batch_size: int,
        on_halving: Callable[[int], object],
    ) -> None:
        self._engine, self._given, self._seed, self._on_halving = engine, given, seed, on_halving
        self.batch_size = batch_size

    def answer(self, batches: Iterable[Sequence[Sample | Broken]]) -> Iterator[list[Prediction]]:
        """One prediction for each sample, in any order; a broken sample never reaches the system."""
        asked_for = (
            [(sample, self._request(sample) if isinstance(sample, Sample) else None) for sample in batch]
            for batch in batches
        )
        for answered in self._engine.respond_all(asked_for, self.batch_size, self._halve):
            yield [_prediction(sample, answer) for sample, answer in answered]

    def _request(self, sample: Sample) -> Request:
        hints = {key: sample.hints[key] for key in self._given if key in sample.hints}
        seed = seed_of(sample.id, self._seed)
        return replace(sample.request, seed=seed, hints=MappingProxyType(hints))

    def _halve(self, size: int) -> None:
        self.batch_size = size
        self._on_halving(size)


def _prediction(sample: Sample | Broken, answer: Answer | None) -> Prediction:
    said: Message | Failure
    if isinstance(sample, Broken):
        said, seconds = Failure("data", one_line(sample.reason)), None
    else:
        assert answer is not None
        said, seconds = answer
    if isinstance(said, Failure):
        detail(f"{one_line(sample.id)}: {one_line(said.stage)}: {one_line(said.reason)}")
    return Prediction(sample.id, said, seconds, asked(sample))


class Responder:
    """Calls a system, and knows how many requests its memory holds at once.

    Args:
        system: who answers.
        batch_size: requests in one call, at most.
        on_halving: told the new size each time that a batch did not fit into memory.

    Attributes:
        batch_size: halved by every batch that does not fit into memory.
    """

    def __init__(self, system: System, batch_size: int, on_halving: Callable[[int], object]) -> None:
        self._system, self._on_halving = system, on_halving
        self.batch_size = batch_size

    def respond(self, requests: Sequence[Request]) -> list[Answer]:
        """Answers with their seconds; a request that makes the system raise is a failure.

        A batch that raises is put to the system again, one request at a time; one that does not fit into
        memory, half as many at a time.
        """
        start, size = time.perf_counter(), len(requests)
        try:
            # A tuple: what a system does to a list of the harness's would shift answers to other samples.
            found = answers_of(self._system.respond(tuple(requests)), size)
        except KeyboardInterrupt:  # the one way to stop the process itself
            raise
        except BaseException as error:  # noqa: BLE001 - a system that exits is its failure, not the run's end
            stage = "contract" if isinstance(error, ContractError) else "system"
            found = [Failure(stage, str(error) if isinstance(error, ContractError) else told(error))]
            if size > 1:
                size = size // 2 if out_of_memory(error) else 1
                if out_of_memory(error):
                    self._halve(size)
        # Outside of the handler, where the error keeps alive what filled the memory.
        if size < len(requests):
            return self._piecewise(requests, size)
        share = (time.perf_counter() - start) / size
        return [(admit(answer), share) for answer in found]

    def _piecewise(self, requests: Sequence[Request], size: int) -> list[Answer]:
        answers: list[Answer] = []
        while len(answers) < len(requests):
            piece = requests[len(answers) : len(answers) + min(size, self.batch_size)]
            answers += self.respond(piece)
        return answers

    def _halve(self, size: int) -> None:
        self.batch_size = size
        self._on_halving(size)
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is full, a processor's or a GPU's; torch is not imported for it.

    Example:
        >>> out_of_memory(MemoryError()), out_of_memory(ValueError("no memory of it"))
        (True, False)
    """
    torch = sys.modules.get("torch")
    full = (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, full)
