"""What is put into the storm: small jobs of the harness, each of which ends in a scored run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.harness.benchmark import Benchmark, MetricUse, Options, Sample, Shard
from benchmarks.harness.records import Result, Run, read_run
from benchmarks.harness.run import evaluate, run
from benchmarks.harness.scoring import score
from benchmarks.harness.shards import merge
from benchmarks.harness.verify import verify
from benchmarks.speed.overhead import BENCHMARK, TEXT, exact_match
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, assistant

FAULTS = ("kill", "kill", "kill", "terminate", "full disk")
WORKER, WORKERS = (
    "kill a worker",
    "workers",
)  # a fault; the file of a job whose workers write down who they are
SAMPLES = 60
PARTS = 3

Step = Callable[[Path], object]


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        name: for the counts.
        steps: of a job, in order; each is done again until it ends by itself.
        outcome: what a job that has ended came to, without the time that it took.
        complaints: how a job's end differs from the outcome of an undisturbed one.
        faults: what may befall it.
    """

    name: str
    steps: Callable[[Random], list[Step]]
    outcome: Callable[[Path], Any]
    complaints: Callable[[Path, Any], list[str]]
    faults: Sequence[str] = FAULTS


class Painter:
    """A system that takes a millisecond, fails now and then, and answers with a word and a picture."""

    name, fingerprint = "painter", "1"
    accepts = TEXT
    produces: frozenset[Modality] = frozenset({"text", "image"})
    given: frozenset[str] = frozenset()

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """What each request's seed says."""
        time.sleep(0.001 * len(requests))
        return [_painted(request.seed) for request in requests]


def _painted(seed: int) -> Message | Failure:
    if seed % 11 == 0:
        return Failure("plan", "nothing comes to mind")
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return assistant("yes" if seed % 2 else "no", Image(pixels))


def _grouped(options: Options) -> Iterator[Sample]:
    for sample in BENCHMARK.load(replace(options, limit=SAMPLES)):
        if int(sample.id) > SAMPLES:
            return
        assert isinstance(sample, Sample)
        yield replace(sample, group=f"g{int(sample.id) // 3}")


def benchmark() -> Benchmark:
    """Questions, three to a group; one metric reads words, the other has every picture opened."""
    (words,) = BENCHMARK.metrics
    pictures = MetricUse(
        "pictures", exact_match, lambda answer: str(len(answer.images)), lambda sample: "1", failure="wrong"
    )
    return replace(BENCHMARK, name="storm", load=_grouped, metrics=(words, pictures))


def _run(_: Random) -> list[Step]:
    return [lambda out: evaluate(benchmark(), Painter(), out, batch_size=5, progress=False)]


def _score(_: Random) -> list[Step]:
    return [
        lambda out: run(benchmark(), Painter(), out, batch_size=5, progress=False),
        lambda out: score(read_run(folder(out)), benchmark()),
    ]


def _shards(random: Random) -> list[Step]:
    parts = [Options(shard=Shard(index, PARTS)) for index in range(1, PARTS + 1)]
    random.shuffle(parts)
    return [*map(_part, parts), lambda out: merge(folder(out), benchmark())]


def _part(options: Options) -> Step:
    return lambda out: run(benchmark(), Painter(), out, options, batch_size=5, progress=False)


def folder(out: Path) -> Path:
    """Where the run of a job is."""
    return out / Painter.name / "storm"


def outcome(out: Path) -> tuple[list[Result], dict[str, object]]:
    """Results and answers, without the time that they took."""
    finished: Run = read_run(folder(out))
    answers: dict[str, object] = {}
    for prediction in finished.predictions:
        assert prediction.sample not in answers, f"{prediction.sample} is there twice"
        answers[prediction.sample] = prediction.answer
    return [replace(row, seconds=None) for row in finished.results], answers


def complaints(out: Path, expected: tuple[list[Result], dict[str, object]]) -> list[str]:
    """How a job's end differs from that of an undisturbed one; empty where it does not."""
    results, answers = outcome(out)
    found = [] if results == expected[0] else ["other results"]
    found += [] if answers == expected[1] else ["other answers"]
    found += [f"left behind: {path.name}" for path in sorted(folder(out).rglob(".*.part"))]
    checks = verify(read_run(folder(out)), benchmark())
    return found + [f"{each.what} {each.outcome}: {each.why}" for each in checks if not each.holds]


KINDS = tuple(
    Kind(name, steps, outcome, complaints)
    for name, steps in (("run", _run), ("score", _score), ("shards", _shards))
)
