"""The harness: run a system on a benchmark, keep what it said, score it, hold the line.

Two contracts, `System` and `Benchmark`; one folder format, `Run` (see `records`); and three verbs:
`run.run` writes predictions, `scoring.score` turns them into results, `gate.hold` compares those with
what is expected. `evaluate` is the first two.
"""

from __future__ import annotations

from benchmarks.harness.benchmark import Benchmark, Broken, Family, MetricUse, Options, Sample
from benchmarks.harness.records import Prediction, Result, Run, read_run
from benchmarks.harness.run import evaluate
from benchmarks.harness.system import System

__all__ = [
    "Benchmark",
    "Broken",
    "Family",
    "MetricUse",
    "Options",
    "Prediction",
    "Result",
    "Run",
    "Sample",
    "System",
    "evaluate",
    "read_run",
]
