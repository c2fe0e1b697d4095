"""An invented benchmark and invented systems, put through the real harness: runs to report on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.harness.benchmark import Benchmark, MetricUse, Options, Sample
from benchmarks.harness.run import run
from benchmarks.harness.scoring import score
from metrics.answers.accuracy import ExactMatch
from metrics.metric import MeanMetric
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, assistant, seed_of, user

NASTY = "<script>alert('x')</script> | a `tick` *star* [link](http://evil.example)\r\nsecond\x00 line\ud800"
SIZE = 40

Speak = Callable[[Sample], Message | Failure]


def picture(number: int, side: int = 8) -> Image:
    """A picture of one colour."""
    colour = hashlib.sha256(str(number).encode()).digest()[:3]
    return Image(np.full((side, side, 3), tuple(colour), dtype=np.uint8))


class Length(MeanMetric):
    """A second metric: the number of characters, without an upper bound."""

    name = "cider_d"
    higher_is_better = True
    signature = "cider_d|invented|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> np.ndarray:
        return np.array([float(len(prediction)) for prediction in predictions])


def samples(options: Options) -> Iterable[Sample]:
    for number in range(SIZE):
        yield Sample(
            id=f"s{number:02d}",
            request=Request((user(picture(number), f"what is {NASTY if number == 0 else number}?"),)),
            references={"captions": (f"truth {number}", NASTY), "image": picture(number + 1)},
            group=f"g{number // 2}",
            hints={"caption": f"truth {number}"},
        )


def benchmark(name: str = "invented", **changes: object) -> Benchmark:
    """A benchmark of forty samples; right is who says ``truth`` and the sample's number."""

    def truth(sample: Sample) -> str:
        return str(sample.references["captions"][0])

    settings: dict[str, object] = {
        "family": "editing",
        "version": 1,
        "source": "invented on the spot",
        "licence": "CC0 1.0",
        "protocol": {"prompt": "what is {n}?"},
        "note": "Nobody can be good at this.",
        "load": samples,
        "metrics": (
            MetricUse("exact_match", ExactMatch, lambda answer: answer.text, truth),
            MetricUse("cider_d", Length, lambda answer: answer.text, truth),
        ),
        "headline": "exact_match",
        "accepts": frozenset({"text", "image"}),
        "produces": frozenset({"text", "image"}),
        "slices": lambda sample: "one object" if sample.id < "s20" else "two objects",
    }
    return Benchmark(name=name, **(settings | changes))  # type: ignore[arg-type]


@dataclass
class Actor:
    """A system that is told by the test what to say to each sample."""

    name: str
    speak: Speak
    known: Mapping[int, Sample]
    given: frozenset[str] = frozenset()
    fingerprint: str = "f1"
    accepts: frozenset[Modality] = field(default=frozenset({"text", "image"}))
    produces: frozenset[Modality] = field(default=frozenset({"text", "image"}))

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [self.speak(self.known[request.seed]) for request in requests]


def right_below(limit: int, *, draws: bool = True, steps: tuple[tuple[str, str], ...] = ()) -> Speak:
    """Right on the samples below this number, nasty on the others."""

    def speak(sample: Sample) -> Message | Failure:
        number = int(sample.id[1:])
        text = str(sample.references["captions"][0]) if number < limit else NASTY
        return assistant(text, *([picture(number + 2)] if draws else []), steps=steps)

    return speak


def failing_from(limit: int) -> Speak:
    """Right below this number; from there on a failure with a nasty reason."""

    def speak(sample: Sample) -> Message | Failure:
        if int(sample.id[1:]) < limit:
            return right_below(limit)(sample)
        return Failure("plan", NASTY, steps=(("caption", NASTY),))

    return speak


def play(
    out: Path, name: str, speak: Speak, on: Benchmark | None = None, given: tuple[str, ...] = ()
) -> None:
    """Run and score one system on one benchmark."""
    on = on or benchmark()
    known = {seed_of(sample.id): sample for sample in on.samples(Options()) if isinstance(sample, Sample)}
    score(run(on, Actor(name, speak, known, frozenset(given)), out, progress=False), on)
