"""Correlation of two lists of values, a metric's with people's above all, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from metrics.metric import Estimate, FloatArray, Groups, MetricInputError, check_lengths, check_name
from metrics.resampling import clusters, percentile_interval

Coefficient = Literal["pearson", "spearman", "kendall_b", "kendall_c"]
ALONE = "no interval: too few clusters"


def correlation(
    a: ArrayLike,
    b: ArrayLike,
    groups: Groups | None = None,
    *,
    coefficient: Coefficient = "spearman",
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """How two lists of values go along with each other, -1 to 1, with its 95 % interval.

    Args:
        a: finite values, [N].
        b: finite values of the same items, [N].
        groups: what each item belongs to; the bootstrap draws whole groups.
        coefficient: `pearson` of the values, `spearman` of their ranks (ties share the mean rank), or
            Kendall's tau, `kendall_b` corrected for ties and `kendall_c` (Stuart's) for scales of different
            length, which CLIPScore's table of Flickr8k-Expert takes.
        resamples: number of bootstrap draws.
        seed: of the draws.

    Raises:
        MetricInputError: an unknown coefficient, different lengths, fewer than two items, a value that is not
            finite, or one side constant, which correlates with nothing.

    >>> found = correlation([1, 2, 3, 4], [1, 3, 2, 4], resamples=50)
    >>> round(found.value, 3)
    0.8
    """
    check_name("coefficient", coefficient, get_args(Coefficient))
    first, second = (np.asarray(side, dtype=np.float64).ravel() for side in (a, b))
    check_lengths("correlation", first, second)
    if len(first) < 2 or not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise MetricInputError("a correlation needs two items or more, and finite values; leave others out")
    statistic = _COEFFICIENTS[coefficient]
    value = statistic(first, second)
    if not np.isfinite(value):
        raise MetricInputError("one side is constant: it correlates with nothing")
    index, count = clusters(groups, len(first))
    members = [np.flatnonzero(index == number) for number in range(count)] if groups is not None else None
    if count < 3:
        return Estimate(value, -np.inf, np.inf, len(first), ALONE)
    rng = np.random.default_rng(seed)
    replicates = np.empty(resamples)
    for number in range(resamples):
        drawn = rng.integers(0, count, count)
        rows = drawn if members is None else np.concatenate([members[each] for each in drawn])
        replicates[number] = statistic(first[rows], second[rows])
    replicates = replicates[np.isfinite(replicates)]  # a draw of one value alone has no correlation
    if len(replicates) < 2:
        return Estimate(value, -np.inf, np.inf, len(first), ALONE)
    low, high = percentile_interval(replicates, count)
    method = f"bootstrap {len(replicates)}" + ("" if groups is None else ", clustered")
    ends = max(-1.0, low), min(1.0, high)
    return Estimate(value, *ends, len(first), method, float(replicates.std(ddof=1)))


def _varies(a: FloatArray, b: FloatArray) -> bool:
    return bool((a != a[0]).any() and (b != b[0]).any())


def _pearson(a: FloatArray, b: FloatArray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if _varies(a, b) else float("nan")


def _spearman(a: FloatArray, b: FloatArray) -> float:
    from scipy.stats import rankdata

    return _pearson(rankdata(a), rankdata(b))


def _kendall(variant: Literal["b", "c"]) -> Callable[[FloatArray, FloatArray], float]:
    def tau(a: FloatArray, b: FloatArray) -> float:
        from scipy.stats import kendalltau

        return float(kendalltau(a, b, variant=variant).statistic) if _varies(a, b) else float("nan")

    return tau


_COEFFICIENTS: Mapping[Coefficient, Callable[[FloatArray, FloatArray], float]] = {
    "pearson": _pearson,
    "spearman": _spearman,
    "kendall_b": _kendall("b"),
    "kendall_c": _kendall("c"),
}
