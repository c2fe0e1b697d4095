"""The Fréchet distance against scipy's matrix root and torchmetrics: same features, same value, time, memory.

    python -m benchmarks.speed.distances                    # two sets of 10,000 x 2,048: a minute
    python -m benchmarks.speed.distances --samples 3000 --dimensions 512

Times run from two arrays of features to the number, libraries being loaded; memory includes both.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.timing import (
    Arrays,
    Measured,
    assert_around,
    fastest,
    header,
    largest_difference,
    measured,
    row,
)
from metrics.sets.frechet import frechet_distance
from metrics.sets.metrics import FID, FeatureSets
from metrics.statistics import estimate

Features = NDArray[np.float32]


def features(samples: int, dimensions: int, *, seed: int, scale: float) -> Features:
    """What a network's last pool gives: not negative, correlated, with variances that fall a thousandfold."""
    mixing = np.random.default_rng(0).normal(size=(dimensions, dimensions)).astype(np.float32)
    mixing *= np.exp(-3.5 * np.arange(dimensions) / dimensions).astype(np.float32) / dimensions**0.5
    rows = np.random.default_rng(seed).normal(size=(samples, dimensions)).astype(np.float32)
    rows = scale * (rows @ mixing) + np.float32(0.1)
    return np.maximum(rows, np.float32(0))


def ours(a: Features, b: Features) -> Arrays:
    """This project's."""
    return {"frechet": np.array([frechet_distance(a, b)])}


def by_matrix_root(a: Features, b: Features) -> Arrays:
    """As TTUR, pytorch-fid and clean-fid compute it."""
    from scipy.linalg import sqrtm

    means, covariances = (a.mean(0, dtype=float), b.mean(0, dtype=float)), (np.cov(a.T), np.cov(b.T))
    root = sqrtm(covariances[0] @ covariances[1])
    spread = np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root).real
    return {"frechet": np.array([np.square(means[0] - means[1]).sum() + spread])}


def by_torchmetrics(a: Features, b: Features) -> Arrays:
    """As torchmetrics accumulates and computes it, in double precision so that its digits can be compared."""
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Given(torch.nn.Module):
        num_features = a.shape[1]

        def forward(self, rows: Any) -> Any:
            return rows

    metric = FrechetInceptionDistance(feature=Given())
    for rows, real in ((a, True), (b, False)):
        metric.update(torch.from_numpy(rows).double(), real=real)
    return {"frechet": metric.compute().double().numpy().reshape(1)}


PEERS: dict[str, tuple[Callable[[Features, Features], Arrays], float]] = {
    "scipy's sqrtm": (by_matrix_root, 8),
    "torchmetrics": (by_torchmetrics, 2.5),
}


def hold(a: Features, b: Features) -> None:
    """Holds the metric and its interval against scipy: a set and itself, two that share half, two sets.

    Raises:
        AssertionError: a value differs by 1e-8 of it, or lies far from the middle of its interval.
    """
    few = min(400, len(a), len(b))
    first, second = a[:few, :16], b[:few, :16]
    shared = np.concatenate([first[: few // 2], second[few // 2 :]])
    for other in (first, shared, second):
        found = estimate(FID(), FeatureSets(first, other))
        expected = float(by_matrix_root(first, other)["frechet"][0])
        assert abs(found.value - expected) <= 1e-8 * max(1.0, expected), f"{found.value}, not {expected}"
        assert_around("fid", np.array([found.low, found.high, found.value]), found.value)


def rows(samples: int = 10_000, dimensions: int = 2_048, repeats: int = 3) -> Iterator[str]:
    """Measures, and gives the lines of the table; an error where a value differs (by 1e-8 of it)."""
    import scipy.linalg  # noqa: F401 - loaded before any clock starts
    import torchmetrics.image.fid  # noqa: F401

    a, b = (features(samples, dimensions, seed=seed, scale=scale) for seed, scale in ((1, 1.0), (2, 1.1)))
    hold(a, b)
    programs = {"here": ours, **{name: peer for name, (peer, _) in PEERS.items()}}
    runs: dict[str, list[Measured]] = {name: [] for name in programs}
    for _ in range(repeats):  # in turn, so that whatever else the machine does meets all of them
        for name, program in programs.items():
            runs[name].append(measured(partial(program, a, b)))
    here = fastest(runs["here"])
    tolerance = {"frechet": 1e-8 * float(here.arrays["frechet"][0])}
    for name, (_, least) in PEERS.items():
        there = fastest(runs[name])
        difference = largest_difference(here.arrays, there.arrays, tolerance)
        what = f"Fréchet distance, twice {samples:,} x {dimensions:,} float32"
        yield row(what, name, here, there, difference, least)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints; nothing is printed where a value differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=10_000, help="of each set (default: 10,000)")
    parser.add_argument("--dimensions", type=int, default=2_048, help="of the features (default: 2,048)")
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of each; the fastest counts (default: 3)"
    )
    options = parser.parse_args(arguments)
    print(header("scipy", "torchmetrics", "numpy"), flush=True)
    for line in rows(options.samples, options.dimensions, options.repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()
