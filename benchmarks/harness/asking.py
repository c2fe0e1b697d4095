"""Putting samples to a system: batch by batch, and in smaller ones where a batch goes wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType

from benchmarks.harness.asked import asked
from benchmarks.harness.benchmark import Broken, Sample
from benchmarks.harness.door import ContractError, admit, answers_of, one_line, told
from benchmarks.harness.predictions import Prediction
from benchmarks.harness.system import System
from nextgpt.messages import Failure, Message, Request, seed_of
from nextgpt.terminal import detail

Answer = tuple[Message | Failure, float]


class Asker:
    """Asks a system, and knows how many samples its memory holds at once.

    Args:
        system: who answers.
        seed: base of the samples' seeds.
        batch_size: requests in one call, at most.
        on_halving: told the new size each time that a batch did not fit into memory.

    Attributes:
        batch_size: halved by every batch that does not fit into memory.
    """

    def __init__(
        self,
        system: System,
        seed: int,
        batch_size: int,
        on_halving: Callable[[int], object],
    ) -> None:
        self._system, self._seed, self._on_halving = system, seed, on_halving
        self.batch_size = batch_size

    def answer(self, batch: Sequence[Sample | Broken]) -> list[Prediction]:
        """One prediction for each sample, in order; a broken sample never reaches the system."""
        requests = [self._request(sample) for sample in batch if isinstance(sample, Sample)]
        answers = iter(self._respond(requests) if requests else ())
        predictions = []
        for sample in batch:
            said: Message | Failure
            if isinstance(sample, Broken):
                said, seconds = Failure("data", one_line(sample.reason)), None
            else:
                said, seconds = next(answers)
            if isinstance(said, Failure):
                detail(f"{one_line(sample.id)}: {one_line(said.stage)}: {one_line(said.reason)}")
            predictions.append(Prediction(sample.id, said, seconds, asked(sample)))
        return predictions

    def _request(self, sample: Sample) -> Request:
        hints = {key: sample.hints[key] for key in self._system.given if key in sample.hints}
        seed = seed_of(sample.id, self._seed)
        return replace(sample.request, seed=seed, hints=MappingProxyType(hints))

    def _respond(self, requests: Sequence[Request]) -> list[Answer]:
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
            answers += self._respond(piece)
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
