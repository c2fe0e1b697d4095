"""What the Ray engine costs and gains: workers against one worker, and its overhead for each sample.

    python -m benchmarks.speed.workers

A system that computes for some milliseconds answers through one worker and through several; the loading of
the workers is not counted, all else of a run is. Then a null system answers 10,000 samples. On a machine that
others use, real-time priority (``chrt -r 10 python -m ...``, Linux) keeps their work out of the numbers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.harness.benchmark import Options
from benchmarks.harness.pool import Pool
from benchmarks.harness.results import RESULTS
from benchmarks.harness.run import evaluate
from benchmarks.harness.system import System
from benchmarks.speed.overhead import BENCHMARK, Null
from nextgpt.messages import Failure, Message, Request, assistant


class Busy(Null):
    """Computes before it answers, on one core."""

    name, fingerprint = "busy", "busy"

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """A word that depends on the seed."""
        return [assistant("yes" if _computed(request.seed) % 2 else "no") for request in requests]


def _computed(seed: int) -> int:
    for _ in range(100_000):
        seed = (seed * 1_103_515_245 + 12_345) % 2**31
    return seed >> 8


def seconds(system: System, size: int, batch_size: int) -> tuple[float, str]:
    """How long a run takes, and its results without times."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = evaluate(
            BENCHMARK, system, Path(folder), Options(limit=size), batch_size=batch_size, progress=False
        )
        took = time.perf_counter() - start
        rows = json.loads((run.folder / RESULTS).read_text("utf-8"))
    return took, json.dumps([row | {"seconds": None} for row in rows])


def pooled(load: Callable[[], System], workers: int, size: int, batch_size: int) -> tuple[float, str]:
    """The same through so many workers, all of them loaded before the clock starts."""
    with Pool(load, workers) as pool:
        pool.wait()
        return seconds(pool, size, batch_size)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--samples", type=int, default=1_500, help="of the system that computes")
    parser.add_argument("--null-samples", type=int, default=10_000)
    options = parser.parse_args(arguments)
    one, many = (pooled(Busy, workers, options.samples, 16) for workers in (1, options.workers))
    here = seconds(Busy(), options.samples, 16)
    assert one[1] == many[1] == here[1], "the results differ: no time is shown"
    print(f"a system that computes, {options.samples} samples: {here[0]:.2f} s in this process")
    print(f"by one worker {one[0]:.2f} s, by {options.workers} {many[0]:.2f} s: {one[0] / many[0]:.2f} times")
    null = pooled(Null, options.workers, options.null_samples, 32)
    without = seconds(Null(), options.null_samples, 32)
    assert null[1] == without[1], "the results differ: no time is shown"
    each = (null[0] - without[0]) / options.null_samples * 1e3
    print(f"a null system, {options.null_samples} samples: {null[0]:.2f} s, {without[0]:.2f} s without Ray")
    print(f"overhead of the Ray engine: {each:.3f} ms for each sample")


if __name__ == "__main__":
    main()
