"""The harness: run a system on a benchmark, keep what it said, score it, hold the line.

Two contracts (`System`, `Benchmark`), one folder format (`Run`, in `records`), and three verbs:
`run` writes predictions, `score` turns them into results, `hold` compares them with what is expected.
"""

from __future__ import annotations

from benchmarks.harness.benchmark import Benchmark, Broken, Family, MetricUse, Options, Sample
from benchmarks.harness.system import System

__all__ = ["Benchmark", "Broken", "Family", "MetricUse", "Options", "Sample", "System"]
