"""What the harness itself costs: a null system, text samples, exact match, the log written and scored.

    python -m benchmarks.speed.overhead

Runs of several sizes, each in a process of its own; a straight line through their times gives the cost of
one sample (slope) and of a run (intercept). Everything that a real run does is in it: seeds, batches,
a write to the log for each batch, intervals, per-sample scores, and the two passes over the samples.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.benchmark import Benchmark, MetricUse, Options, Sample
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user

if TYPE_CHECKING:
    from metrics.metric import MeanMetric

SIZES = (1_000, 2_000, 5_000, 10_000)
TEXT: frozenset[Modality] = frozenset({"text"})


class Null:
    """A system that always says the same."""

    name, fingerprint = "null", "null"
    accepts = produces = TEXT
    given: frozenset[str] = frozenset()

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """The same text to every request."""
        return [assistant("yes") for _ in requests]


def samples(options: Options) -> Iterator[Sample]:
    """Questions without an end; the limit ends them."""
    number = 0
    while True:
        number += 1
        request = Request((user(f"Is {number} an even number?"),))
        yield Sample(str(number), request, {"answer": "no" if number % 2 else "yes"}, group=str(number))


def exact_match() -> MeanMetric:
    """1 where the answer is the reference."""
    import numpy as np

    from metrics.metric import FloatArray, MeanMetric

    class ExactMatch(MeanMetric):
        name, higher_is_better, signature = "exact_match", True, "exact_match|v:1"

        def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
            return np.array([float(a == b) for a, b in zip(predictions, references, strict=True)])

    return ExactMatch()


BENCHMARK = Benchmark(
    name="overhead",
    family="vqa",
    version=1,
    source="made up",
    licence="CC0 1.0",
    protocol={"prompt": "{question}"},
    load=samples,
    metrics=(
        MetricUse("exact_match", exact_match, lambda answer: answer.text, lambda s: s.references["answer"]),
    ),
    headline="exact_match",
    accepts=TEXT,
    produces=TEXT,
)


def measure(size: int, batch_size: int) -> dict[str, float]:
    """One run in this process: seconds, CPU seconds, peak memory in MiB, bytes on disk for a sample."""
    from benchmarks.harness.run import evaluate

    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        run = evaluate(
            BENCHMARK, Null(), Path(folder), Options(limit=size), batch_size=batch_size, progress=False
        )
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        written = sum(file.stat().st_size for file in run.folder.iterdir())
        assert run.results[0].value == 0.5
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024**2 if sys.platform == "darwin" else 1024
    )
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "bytes": written / size}


def line(sizes: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """Slope and intercept of the least-squares line.

    Example:
        >>> line([1, 2, 3], [5.0, 7.0, 9.0])
        (2.0, 3.0)
    """
    n, x, y = len(sizes), sum(sizes) / len(sizes), sum(seconds) / len(seconds)
    spread = sum((size - x) ** 2 for size in sizes) / n
    slope = sum((size - x) * (each - y) for size, each in zip(sizes, seconds, strict=True)) / n / spread
    return slope, y - slope * x


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many counts")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # what a child process is asked for
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.batch_size)))
        return
    print("samples   seconds   CPU seconds   ms/sample   peak MiB   bytes/sample")
    best = []
    for size in SIZES:
        child = [
            sys.executable,
            "-m",
            __spec__.name,
            "--one",
            str(size),
            "--batch-size",
            str(options.batch_size),
        ]
        found = [json.loads(subprocess.check_output(child)) for _ in range(options.repeats)]
        best.append(min(found, key=lambda each: each["seconds"]))
        seconds, cpu, peak, written = best[-1].values()
        each = seconds / size * 1e3
        print(f"{size:7d} {seconds:9.3f} {cpu:13.3f} {each:11.4f} {peak:10.0f} {written:14.0f}", flush=True)
    for what in ("seconds", "cpu"):
        slope, fixed = line(SIZES, [each[what] for each in best])
        print(f"{what}: {slope * 1e3:.4f} ms for each sample, {fixed:.3f} s for each run")


if __name__ == "__main__":
    main()
