"""Resampling of clusters of items: the draws behind every interval and p-value.

Items of one image or video are not independent, so the unit that is drawn, flipped or left out is
always the cluster; items without groups are clusters of one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

import numpy as np
from numpy.typing import NDArray

from metrics.metric import FloatArray, Groups, MetricInputError

CHUNK = 4_000_000  # draws held in memory at a time (32 MB)
Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile


def clusters(groups: Groups | None, n: int) -> tuple[NDArray[np.intp], int]:
    """The cluster of each item as numbers from 0 in order of appearance, and how many there are.

    Raises:
        MetricInputError: no items, or a number of groups other than `n`.
    """
    if n == 0:
        raise MetricInputError("no items to resample; give at least one")
    if groups is None:
        return np.arange(n), n
    if len(groups) != n:
        raise MetricInputError(f"{len(groups)} groups for {n} items; give one group per item")
    numbers: dict[Hashable, int] = {}
    index = np.fromiter((numbers.setdefault(group, len(numbers)) for group in groups), np.intp, n)
    return index, len(numbers)


def cluster_sums(values: FloatArray, index: NDArray[np.intp], count: int) -> tuple[FloatArray, FloatArray]:
    """Sum of the values of each cluster and its number of items, both [G]."""
    sums, sizes = np.bincount(index, values, count), np.bincount(index, minlength=count)
    return sums.astype(np.float64), sizes.astype(np.float64)


def student_quantile(count: int) -> float:
    """The 97.5 % quantile of Student's t for `count` clusters."""
    from scipy.special import stdtrit

    return float(stdtrit(count - 1, 0.975))


def standard_error(sums: FloatArray, sizes: FloatArray) -> float:
    """Standard error of the mean over items, robust to dependence within clusters."""
    count, n = len(sums), sizes.sum()
    residuals = sums - sums.sum() / n * sizes
    return float(np.sqrt(np.square(residuals).sum() * count / (count - 1)) / n)


def effective_size(items: FloatArray, sums: FloatArray, sizes: FloatArray) -> float:
    """How many independent items carry as much information about a proportion as these clustered ones."""
    n, count, share = len(items), len(sums), items.mean()
    if count == n:
        return float(n)
    if share in (0.0, 1.0):  # no spread to estimate from: count each cluster once
        return float(count)
    variance = standard_error(sums, sizes) ** 2
    kish = share * (1 - share) / variance if variance else n
    return float(min(n, max(1.0, kish * (Z95 / student_quantile(count)) ** 2)))


def percentile_interval(replicates: FloatArray, count: int) -> tuple[float, float]:
    """A 95 % percentile interval that holds its level for few clusters too.

    The plain percentile interval is too narrow by sqrt((G-1)/G) and ignores that the spread itself
    is estimated; its levels are widened by Student's t (Hesterberg 2015, "expanded percentile").
    """
    from scipy.special import ndtr

    tail = float(ndtr(-np.sqrt(count / (count - 1)) * student_quantile(count)))
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def resampled_means(
    sums: FloatArray, sizes: FloatArray, resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Means over items when clusters are drawn with replacement.

    `sums` and `sizes` hold the sum of each cluster's item values and its number of items, both [G];
    the result holds one mean per resample.
    """
    count = len(sums)
    # Clusters alike in sum and size are interchangeable: counting how often each kind is drawn is
    # the same experiment, and answers worth 0, .3, .6, .9 or 1 have very few kinds.
    kinds, multiplicity = np.unique(sums + 1j * sizes, return_counts=True)
    if 8 * len(kinds) <= count:
        drawn = rng.multinomial(count, multiplicity / count, size=resamples)
        return np.asarray(drawn @ kinds.real / (drawn @ kinds.imag))
    means = np.empty(resamples)
    for rows in _chunks(resamples, count):
        draw = rng.integers(0, count, size=(rows.stop - rows.start, count))
        means[rows] = sums[draw].sum(axis=1) / sizes[draw].sum(axis=1)
    return means


def resampled_values(
    value: Callable[[FloatArray], float],
    index: NDArray[np.intp],
    count: int,
    resamples: int,
    rng: np.random.Generator,
) -> FloatArray:
    """A statistic of item weights [N], over clusters drawn with replacement."""
    replicates = np.empty(resamples)
    for number in range(resamples):
        drawn = np.bincount(rng.integers(0, count, size=count), minlength=count)
        replicates[number] = value(drawn[index].astype(np.float64))
    return replicates


def sign_flip_p(totals: FloatArray, resamples: int, rng: np.random.Generator) -> float:
    """Two-sided p-value of "the totals are symmetric around 0", by flipping their signs at random.

    `totals` [G] is the difference summed over each cluster. The result is (b + 1) / (resamples + 1),
    where b flips were at least as extreme as what was seen: never 0.
    """
    observed = abs(float(totals.sum()))
    sizes, multiplicity = np.unique(np.abs(totals[totals != 0]), return_counts=True)
    if len(sizes) == 0:
        return 1.0
    if 8 * len(sizes) <= multiplicity.sum():  # equal totals: their number of pluses is binomial
        pluses = rng.binomial(multiplicity, 0.5, size=(resamples, len(sizes)))
        flipped = (2 * pluses - multiplicity) @ sizes
    else:
        sizes = np.repeat(sizes, multiplicity)
        flipped = np.empty(resamples)
        for rows in _chunks(resamples, len(sizes)):
            shape = (rows.stop - rows.start, len(sizes))
            bits = np.unpackbits(np.frombuffer(rng.bytes(-(-shape[0] * shape[1] // 8)), np.uint8))
            signs = bits[: shape[0] * shape[1]].reshape(shape).astype(np.float64)
            flipped[rows] = 2 * (signs @ sizes) - sizes.sum()
    # Ties count as extreme; the margin keeps a tie a tie when it was summed in another order.
    extreme = np.count_nonzero(np.abs(flipped) >= observed - 1e-12 * sizes.sum())
    return float((extreme + 1) / (resamples + 1))


def jackknife_error(
    value: Callable[[FloatArray], float],
    index: NDArray[np.intp],
    count: int,
    blocks: int,
    rng: np.random.Generator,
) -> float:
    """Standard error of a statistic of item weights, by leaving out one block of clusters at a time."""
    blocks = min(blocks, count)
    block = rng.permutation(count) % blocks
    left_out = np.array([value((block[index] != number).astype(np.float64)) for number in range(blocks)])
    return float(np.sqrt((blocks - 1) / blocks * np.square(left_out - left_out.mean()).sum()))


def _chunks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of `rows` such that a slice times `columns` stays within memory."""
    step = max(1, CHUNK // max(1, columns))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
