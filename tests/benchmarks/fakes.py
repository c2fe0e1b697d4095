"""Small systems and a small benchmark for the harness's tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Broken, MetricUse, Sample
from metrics.metric import FloatArray, MeanMetric, MetricInputError
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user

TEXT: frozenset[Modality] = frozenset({"text"})
BOTH: frozenset[Modality] = frozenset({"text", "image"})


class ExactMatch(MeanMetric):
    """1 where prediction and reference are the same text."""

    name = "exact_match"
    higher_is_better = True
    signature = "exact_match|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
        return np.array([float(a == b) for a, b in zip(predictions, references, strict=True)])


class Correlated(ExactMatch):
    """A metric that one item alone has no value of."""

    name = "correlated"
    signature = "correlated|v:1"

    def items(self, statistics: FloatArray) -> FloatArray:
        if len(statistics) < 2:
            raise MetricInputError("correlated of 1 item: score two items or more")
        return statistics


class Speaker:
    """A system made of one function from a request to an answer."""

    accepts = TEXT
    produces = BOTH
    given: frozenset[str] = frozenset()

    def __init__(self, say: Callable[[Request], Any], name: str = "speaker", fingerprint: str = "v1") -> None:
        self.say, self.name, self.fingerprint = say, name, fingerprint
        self.batches: list[int] = []

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        self.batches.append(len(requests))
        return [self.say(request) for request in requests]


def text_of(request: Request) -> str:
    return request.conversation[-1].text


def echo(request: Request) -> Message:
    """Repeats what it was told: right for every even sample of `numbers`."""
    return assistant(text_of(request))


def noisy(request: Request) -> Message:
    """An answer that depends on the seed alone, and one picture."""
    pixels = np.random.default_rng(request.seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return assistant(str(request.seed % 2), Image(pixels))


def slow(request: Request) -> Message:
    time.sleep(0.002)
    return noisy(request)


def sample(number: int, reference: str | None = None) -> Sample:
    answer = str(number if number % 2 == 0 else -1) if reference is None else reference
    request = Request((user(str(number)),))
    return Sample(f"s{number}", request, {"answer": answer}, group=f"g{number // 3}", hints={"plan": answer})


def numbers(
    count: int = 12,
    *,
    samples: Iterable[Sample | Broken] | None = None,
    metrics: tuple[MetricUse, ...] | None = None,
    **changes: Any,
) -> Benchmark:
    """A benchmark whose samples are numbers as text; half of the references are the number itself."""
    exact = MetricUse("exact_match", ExactMatch, lambda answer: answer.text, lambda s: s.references["answer"])
    fields: dict[str, Any] = {
        "name": "numbers",
        "family": "vqa",
        "version": 1,
        "source": "made up",
        "licence": "none",
        "protocol": {"prompt": "{number}"},
        "load": lambda options: samples if samples is not None else (sample(k) for k in range(count)),
        "metrics": metrics or (exact,),
        "headline": "exact_match",
        "accepts": TEXT,
        "produces": TEXT,
    }
    return Benchmark(**{**fields, **changes})


def correlated(count: int) -> Benchmark:
    """Of one sample its headline has no value, and its other metric has."""
    (exact,) = numbers().metrics
    pairs = MetricUse("correlated", Correlated, exact.prediction, exact.reference)
    return numbers(count, name="correlated", metrics=(pairs, exact), headline="correlated")


NUMBERS = numbers()
LONG = numbers(400)
CORRELATED = correlated(1)
SEEING = numbers(name="seeing", accepts=BOTH)


def speaker() -> Speaker:
    """A system as the command line names it: ``tests.benchmarks.fakes:speaker``."""
    return Speaker(echo)


def silent() -> Speaker:
    """Never has an answer."""
    return Speaker(lambda request: Failure("plan", "nothing comes to mind"), name="silent")


def sleepy() -> Speaker:
    """Takes its time."""

    def say(request: Request) -> Message:
        time.sleep(0.3)
        return noisy(request)

    return Speaker(say, name="sleepy")
