"""Distances between sets of features by a kernel: KID, CMMD, KAD and JEDi, all maximum mean discrepancies.

They are unbiased (or nearly so) at every sample count, which the Fréchet distance is not, and their
standard error follows from the variance of a U-statistic.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from metrics.metric import FloatArray, MetricInputError
from metrics.sets.frechet import Measured, feature_pair

CHUNK = 1024  # rows of a kernel matrix held in memory at a time
Kernel = Callable[[FloatArray, FloatArray], FloatArray]


def kernel_distance(
    a: ArrayLike, b: ArrayLike, *, subsets: int = 100, subset_size: int = 1000, seed: int = 2020
) -> Measured:
    """The kernel Inception distance: unbiased MMD with the kernel (x.y/D + 1)^3.

    The mean over subsets drawn without replacement, by NumPy's legacy generator, first from `a` and then
    from `b`, so that the defaults give torch-fidelity's number. Negative values are valid: the
    true distance is then near zero.

    Args:
        a: features, [N, D].
        b: features, [M, D].
        subsets: number of subsets.
        subset_size: rows drawn from each set for one subset.
        seed: of the draws.

    Returns:
        The mean, with the standard deviation over subsets (ddof 0) as `spread`, and a standard error
        from the variance of the whole U-statistic.

    Raises:
        MetricInputError: a set smaller than `subset_size`, values that are not finite, different dimensions.

    >>> rng = np.random.default_rng(0)
    >>> kid = kernel_distance(rng.normal(size=(200, 8)), rng.normal(1, 1, size=(200, 8)), subset_size=100)
    >>> print(f"{kid:.1f} +- {kid.standard_error:.1f}")
    6.9 +- 0.7
    """
    first, second = feature_pair(a, b)
    if not 2 <= subset_size <= min(len(first), len(second)):
        raise MetricInputError(
            f"sets of {len(first)} and {len(second)} cannot give subsets of {subset_size}; "
            f"lower subset_size (at least 2) and report it"
        )
    rng = np.random.RandomState(seed)
    values = np.empty(subsets)
    means = tuple(np.zeros((2, len(rows))) for rows in (first, second))
    for number in range(subsets):
        drawn = [rng.choice(len(rows), subset_size, replace=False) for rows in (first, second)]
        x, y = first[drawn[0]].astype(np.float64), second[drawn[1]].astype(np.float64)
        values[number], influence = _discrepancy(x, y, _cubic)
        for total, index, part in zip(means, drawn, influence, strict=True):
            total[0, index] += part
            total[1, index] += 1
    error = _standard_error(*(total[0, total[1] > 0] / total[1, total[1] > 0] for total in means))
    method = f"{subsets} subsets of {subset_size} without replacement, RandomState({seed})"
    return Measured(float(values.mean()), error, float(values.std()), method)


def cmmd(a: ArrayLike, b: ArrayLike) -> Measured:
    """CLIP's MMD: Gaussian kernel of width 10, biased estimate (diagonals included), times 1,000.

    Args:
        a: CLIP image embeddings of unit length, [N, D].
        b: the other set's, [M, D].

    Raises:
        MetricInputError: fewer than two samples, values that are not finite, different dimensions.

    >>> float(cmmd([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]))
    0.0
    """
    first, second = _double_pair(a, b)
    value, influence = _discrepancy(first, second, _gaussian(1 / (2 * 10.0**2)), biased=True)
    error = 1000 * _standard_error(*influence)
    return Measured(max(0.0, 1000 * value), error, 0.0, "all pairs, biased")


def kernel_audio_distance(a: ArrayLike, b: ArrayLike, *, bandwidth: float | None = None) -> Measured:
    """KAD: unbiased MMD with a Gaussian kernel, times 100.

    Args:
        a: embeddings of the reference sounds, [N, D].
        b: embeddings of the evaluated sounds, [M, D].
        bandwidth: the kernel's width; the median distance between pairs of `b` by default, which is
            what kadtk does when it scores `b` against `a`. Compare systems with one and the same.

    Raises:
        MetricInputError: fewer than two samples, values that are not finite, different dimensions, or
            a bandwidth of 0 (constant embeddings).

    >>> rng = np.random.default_rng(0)
    >>> far, near = rng.normal(2, 1, size=(100, 8)), rng.normal(size=(100, 8))
    >>> sounds = rng.normal(size=(100, 8))
    >>> kernel_audio_distance(sounds, near, bandwidth=4.0) < kernel_audio_distance(sounds, far, bandwidth=4.0)
    True
    """
    first, second = _double_pair(a, b)
    width = _median_distance(second) if bandwidth is None else bandwidth
    if not width > 0:
        raise MetricInputError(
            "the bandwidth is 0: at least half of the pairs of evaluated sounds are equal; give a bandwidth"
        )
    value, influence = _discrepancy(first, second, _gaussian(1 / (2 * width**2 + 1e-8)))
    return Measured(100 * value, 100 * _standard_error(*influence), 0.0, f"all pairs, bandwidth {width:.6g}")


def jedi(a: ArrayLike, b: ArrayLike) -> Measured:
    """JEDi: biased MMD with the kernel (x.y/D)^2, times 100, of features of clips (Luo et al. 2024).

    Published over V-JEPA's features, from its attentive probe. Not KID's kernel, whose power is three and
    whose estimate is unbiased.

    Args:
        a: features, [N, D].
        b: features, [M, D].

    Raises:
        MetricInputError: fewer than two samples, values that are not finite, different dimensions.

    >>> x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    >>> y = [[7, 6, 5], [4, 3, 2], [1, 1, 8], [0, 2, 5]]
    >>> round(float(jedi(x, y)) / 100, 1)  # the published code's own example
    270.7
    """
    first, second = _double_pair(a, b)
    value, influence = _discrepancy(first, second, _square, biased=True)
    error = 100 * _standard_error(*influence)
    return Measured(max(0.0, 100 * value), error, 0.0, "all pairs, biased")


def _double_pair(a: ArrayLike, b: ArrayLike) -> tuple[FloatArray, FloatArray]:
    first, second = feature_pair(a, b)
    return first.astype(np.float64), second.astype(np.float64)


def _cubic(x: FloatArray, y: FloatArray) -> FloatArray:
    inner: FloatArray = x @ y.T / x.shape[1] + 1
    return inner * inner * inner


def _square(x: FloatArray, y: FloatArray) -> FloatArray:
    inner: FloatArray = x @ y.T / x.shape[1]
    return inner * inner


def _gaussian(gamma: float) -> Kernel:
    def kernel(x: FloatArray, y: FloatArray) -> FloatArray:
        return np.exp(-gamma * _squared_distances(x, y))

    return kernel


def _squared_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    squares: FloatArray = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2 * (x @ y.T)
    return np.maximum(squares, 0.0)


def _discrepancy(
    x: FloatArray, y: FloatArray, kernel: Kernel, *, biased: bool = False
) -> tuple[float, tuple[FloatArray, FloatArray]]:
    """The squared MMD, and each item's share in it (the projections of the U-statistic).

    An item's share is its mean kernel with its own set less that with the other set; the squared MMD is
    the mean of the shares of the first set plus that of the second.
    """
    within = _within(x, kernel, biased), _within(y, kernel, biased)
    across = _across(x, y, kernel)
    shares = within[0] - across[0], within[1] - across[1]
    value = float(shares[0].mean() + shares[1].mean())
    # Equal sets differ by the order in which their kernels are summed, which is another on each processor.
    rounding = 4 * np.finfo(np.float64).eps * float(np.abs(within[0]).mean() + np.abs(within[1]).mean())
    return 0.0 if abs(value) <= rounding else value, shares


def _within(rows: FloatArray, kernel: Kernel, biased: bool) -> FloatArray:
    """Each row's mean kernel with its own set; with itself too if `biased`."""
    means = np.empty(len(rows))
    for start in range(0, len(rows), CHUNK):
        values = kernel(rows[start : start + CHUNK], rows)
        own = 0.0 if biased else np.diagonal(values, start)
        means[start : start + CHUNK] = (values.sum(axis=1) - own) / (len(rows) - (not biased))
    return means


def _across(x: FloatArray, y: FloatArray, kernel: Kernel) -> tuple[FloatArray, FloatArray]:
    """Each row's mean kernel with the other set, for both sets."""
    first, second = np.empty(len(x)), np.zeros(len(y))
    for start in range(0, len(x), CHUNK):
        values = kernel(x[start : start + CHUNK], y)
        first[start : start + CHUNK] = values.mean(axis=1)
        second += values.sum(axis=0)
    return first, second / len(x)


def _standard_error(first: FloatArray, second: FloatArray) -> float:
    """Of a squared MMD, from its items' shares: the leading term of a U-statistic's variance."""
    return float(2 * np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)))


def _median_distance(rows: FloatArray) -> float:
    """The lower median of the distances between all pairs of rows, as torch.median takes it."""
    from scipy.spatial.distance import pdist

    distances = pdist(rows)
    middle = (len(distances) - 1) // 2
    return float(np.partition(distances, middle)[middle])
