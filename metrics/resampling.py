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
ENUMERATED = 14  # clusters up to which all 2^n flips or swaps are gone through, instead of drawing some


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


def all_choices(count: int) -> FloatArray:
    """Every way to choose among `count` clusters, one a row of 0 and 1, up to choosing the others instead.

    A test that takes absolute differences needs no more: the other half are the same, signs turned.

    >>> all_choices(3).tolist()
    [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    """
    numbers = np.arange(2 ** max(0, count - 1))
    return (numbers[:, None] >> np.arange(count) & 1).astype(np.float64)


def sign_flip_p(totals: FloatArray, resamples: int, rng: np.random.Generator) -> tuple[float, str]:
    """Two-sided p-value of "the totals are symmetric around 0", by flipping their signs; and how.

    Up to 14 totals that are not 0 all flips are gone through, and p is the share of those at least as
    extreme as what was seen, which is one of them. For more, flips are drawn, and p is
    (b + 1) / (resamples + 1), where b of them were as extreme. Neither is ever 0.

    Args:
        totals: the difference summed over each cluster, [G].
        resamples: number of flips that are drawn where there are too many.
        rng: draws them.

    >>> sign_flip_p(np.array([1.0, 2.0, 3.0, 0.0]), 10_000, np.random.default_rng(0))
    (0.25, 'all 8 sign flips')
    """
    observed = abs(float(totals.sum()))
    sizes, multiplicity = np.unique(np.abs(totals[totals != 0]), return_counts=True)
    if multiplicity.sum() <= ENUMERATED:
        sizes = np.repeat(sizes, multiplicity)
        flipped = 2 * (all_choices(len(sizes)) @ sizes) - sizes.sum()
        share = float(np.mean(_as_extreme(flipped, observed, sizes)))
        return share, f"all {2 ** len(sizes)} sign flips"
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
    extreme = np.count_nonzero(_as_extreme(flipped, observed, sizes))
    return float((extreme + 1) / (resamples + 1)), f"sign flips {resamples}"


def permutation_p(
    difference: Callable[[FloatArray], float],
    observed: float,
    index: NDArray[np.intp],
    count: int,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[float, str]:
    """Two-sided p-value of "two systems are alike", by swapping their clusters of items; and how.

    As in `sign_flip_p`, up to 14 clusters all swaps are gone through.

    Args:
        difference: of the two systems when they keep the items with weight 1 and swap those with 0, [N].
        observed: the difference without a swap.
        index: the cluster of each item, [N].
        count: number of clusters.
        resamples: number of swaps that are drawn where there are too many.
        rng: draws them.
    """
    exact = count <= ENUMERATED
    choices = all_choices(count) if exact else (rng.integers(0, 2, size=count) for _ in range(resamples))
    extreme = 0
    for chosen in choices:
        swapped = difference(chosen[index].astype(np.float64))
        extreme += abs(swapped) >= abs(observed) - 1e-12
    if exact:
        return extreme / 2 ** (count - 1), f"all {2**count} permutations"
    return (extreme + 1) / (resamples + 1), f"permutation {resamples}"


def _as_extreme(flipped: FloatArray, observed: float, sizes: FloatArray) -> NDArray[np.bool_]:
    """Ties count as extreme; the margin keeps a tie a tie when it was summed in another order."""
    return np.asarray(np.abs(flipped) >= observed - 1e-12 * sizes.sum())


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
