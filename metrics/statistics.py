"""Intervals and paired tests for every metric, clustered by what repeats (an image, a video).

One mechanism serves all: values are recomputed from per-item statistics under resampled weights,
so BLEU and CIDEr get the interval of the corpus value and not of a mean of sentence scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import (
    Comparison,
    Estimate,
    FloatArray,
    Groups,
    IncomparableError,
    MeanMetric,
    Metric,
    MetricInputError,
)
from metrics.resampling import (
    CHUNK,
    Z95,
    cluster_sums,
    clusters,
    effective_size,
    jackknife_error,
    percentile_interval,
    permutation_p,
    resampled_means,
    resampled_values,
    sign_flip_p,
    standard_error,
    student_quantile,
)

S = TypeVar("S")
BLOCKS = 20  # blocks of the delete-block jackknife
ALONE = "no interval: too few clusters"


def bootstrap(
    values: ArrayLike, groups: Groups | None = None, *, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """The mean of item values with its 95 % interval.

    Values that are all 0 or 1 get Wilson's interval, with the effective sample size when they are
    clustered; all others a bootstrap over clusters. A single cluster tells nothing about spread: its
    interval is infinite.

    Args:
        values: one finite value per item, [N].
        groups: what each item belongs to (its image); items of one group are drawn together.
        resamples: number of bootstrap draws.
        seed: of the draws.

    Raises:
        MetricInputError: no values, a value that is not finite, or a number of groups other than N.

    >>> estimate = bootstrap([0.0, 1.0, 1.0, 1.0])
    >>> print(f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}] {estimate.method}")
    0.75 [0.30, 0.95] Wilson
    """
    items = _finite(values, "values")
    index, count = clusters(groups, len(items))
    mean, kind = float(items.mean()), _kind(groups)
    binary = bool(np.isin(items, (0.0, 1.0)).all())
    if count == 1 and not (binary and len(items) == 1):
        return Estimate(mean, -np.inf, np.inf, len(items), ALONE)
    sums, sizes = cluster_sums(items, index, count)
    error = standard_error(sums, sizes) if count > 1 else np.inf
    if binary:
        effective = effective_size(items, sums, sizes)
        low, high = wilson(mean * effective, effective)
        return Estimate(mean, low, high, len(items), f"Wilson{kind}", error)
    replicates = resampled_means(sums, sizes, resamples, np.random.default_rng(seed))
    low, high = percentile_interval(replicates, count)
    return Estimate(mean, low, high, len(items), f"bootstrap {resamples}{kind}", error)


def bootstrap_bca(
    values: ArrayLike, groups: Groups | None = None, *, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """The mean of item values with its 95 % interval by Efron's BCa, for values that lie askew.

    Bias-corrected and accelerated: second-order accurate where a few items carry most of the sum. SciPy's,
    over clusters where there are groups. Where all values are equal nothing is known of their spread.

    Args:
        values: one finite value per item, [N].
        groups: what each item belongs to; items of one group are drawn together.
        resamples: number of bootstrap draws.
        seed: of the draws.

    Raises:
        MetricInputError: as `bootstrap`.

    >>> found = bootstrap_bca([0.1, 0.2, 0.2, 0.3, 0.4, 2.5], resamples=500)
    >>> print(f"{found.value:.2f} {found.high - found.value > found.value - found.low} {found.method}")
    0.62 True BCa 500
    """
    from scipy.stats import bootstrap as resampled

    items = _finite(values, "values")
    index, count = clusters(groups, len(items))
    mean = float(items.mean())
    if count < 2 or items.min() == items.max():
        alone = ALONE if count < 2 else "no interval: all values are equal"
        return Estimate(mean, -np.inf, np.inf, len(items), alone)
    sums, sizes = cluster_sums(items, index, count)
    found = resampled(
        (sums, sizes),
        lambda drawn, many, axis: drawn.sum(axis=axis) / many.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, CHUNK // count),
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    low, high = (float(end) for end in found.confidence_interval)
    error = standard_error(sums, sizes)
    return Estimate(mean, low, high, len(items), f"BCa {resamples}{_kind(groups)}", error)


def compare(
    a: ArrayLike,
    b: ArrayLike,
    groups: Groups | None = None,
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Mean of `a` minus mean of `b`, paired by item: bootstrap interval and sign-flip permutation.

    Where no more than 14 items (or groups of them) differ, all flips are gone through and p is exact.

    Args:
        a: the first system's values, [N].
        b: the second system's values of the same items, [N].
        groups: as in `bootstrap`.
        resamples: number of bootstrap draws, and of permutations where they are drawn.
        seed: of both.

    Raises:
        MetricInputError: as `bootstrap`; and values of different length.

    >>> result = compare([1, 1, 1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 1, 0, 0])
    >>> print(f"{result.difference:.2f} p={result.p:.2f}")
    0.75 p=0.03
    """
    first, second = _finite(a, "a"), _finite(b, "b")
    if len(first) != len(second):
        raise MetricInputError(
            f"{len(first)} values against {len(second)}: a paired comparison needs the same items"
        )
    index, count = clusters(groups, len(first))
    difference = first - second
    mean, kind, n = float(difference.mean()), _kind(groups), len(difference)
    if count == 1:
        return Comparison(mean, -np.inf, np.inf, 1.0, n, np.inf, ALONE)
    sums, sizes = cluster_sums(difference, index, count)
    rng = np.random.default_rng(seed)
    p, flips = sign_flip_p(sums, resamples, rng)
    low, high = percentile_interval(resampled_means(sums, sizes, resamples, rng), count)
    error = standard_error(sums, sizes)
    return Comparison(
        mean, low, high, p, n, minimum_detectable(error), f"paired bootstrap, {flips}{kind}", error
    )


@np.errstate(over="ignore", invalid="ignore")  # what overflows has no value, and is said to have none
def estimate(
    metric: Metric[S],
    statistics: S,
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Any metric's value with its 95 % interval, from its per-item statistics.

    Means go through `bootstrap`; corpus metrics are recomputed from resampled statistics; distances
    between sets, whose value repeated items would bias, get a delete-block jackknife.

    Raises:
        MetricInputError: no items, or a number of groups other than the number of items.

    >>> from metrics.sets.metrics import FID
    >>> metric, rng = FID(), np.random.default_rng(0)
    >>> sets = metric.statistics(rng.normal(1, 1, size=(200, 2)), rng.normal(size=(200, 2)))
    >>> found = estimate(metric, sets)
    >>> found.low < found.value < found.high, found.method
    (True, 'jackknife 20 blocks')
    """
    n = metric.size(statistics)
    index, count = clusters(groups, n)
    if isinstance(metric, MeanMetric):
        return bootstrap(metric.items(cast(FloatArray, statistics)), groups, resamples=resamples, seed=seed)
    value, kind = metric.value(statistics), _kind(groups)
    if count < _fewest(metric):
        return Estimate(value, -np.inf, np.inf, n, ALONE)
    rng = np.random.default_rng(seed)

    def reweighted(weights: FloatArray) -> float:
        return metric.value(statistics, weights)

    if metric.interval == "jackknife":
        blocks = min(BLOCKS, count)
        error = jackknife_error(reweighted, index, count, blocks, rng)
        half = student_quantile(blocks) * error
        return Estimate(
            value, max(metric.least, value - half), value + half, n, f"jackknife {blocks} blocks{kind}", error
        )
    replicates = resampled_values(reweighted, index, count, resamples, rng)
    low, high = percentile_interval(replicates, count)
    return Estimate(value, low, high, n, f"bootstrap {resamples}{kind}", float(replicates.std(ddof=1)))


@np.errstate(over="ignore", invalid="ignore")
def compare_metric(
    metric: Metric[S],
    statistics_a: S,
    statistics_b: S,
    groups: Groups | None = None,
    *,
    metric_a: Metric[Any] | None = None,
    metric_b: Metric[Any] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Any metric's value for system a minus system b, paired by item.

    The p-value of a corpus metric comes from swapping the two systems' statistics of random clusters, that
    of a mean (CIDEr-D is one, its document frequencies held fixed) from flipping the signs of differences,
    that of a distance between sets from Student's t over the jackknife's blocks.

    Where the metrics that made either side are given too (`metric_a`, `metric_b`), a signature other
    than `metric`'s is refused.

    Raises:
        IncomparableError: different signatures.
        MetricInputError: different numbers of items, or CIDEr-D against different references.

    >>> from metrics.answers.accuracy import ExactMatch
    >>> metric, true = ExactMatch(), ["2", "red", "no", "cat"]
    >>> systems = [metric.statistics(said, true) for said in (true, ["2", "red", "yes", "dog"])]
    >>> compare_metric(metric, *systems).difference
    0.5
    """
    for other in (metric_a, metric_b):
        if other is not None and other.signature != metric.signature:
            raise IncomparableError(
                f"{metric.signature} and {other.signature} cannot be compared; score both systems with one"
            )
    metric.check_pair(statistics_a, statistics_b)
    n = metric.size(statistics_a)
    if metric.mean_of_items:
        # CIDEr-D too: put together, two systems' items would count document frequencies over both.
        pair = cast(FloatArray, metric.items(statistics_a)), cast(FloatArray, metric.items(statistics_b))
        return compare(*pair, groups, resamples=resamples, seed=seed)
    index, count = clusters(groups, n)
    difference, kind = metric.value(statistics_a) - metric.value(statistics_b), _kind(groups)
    if count < _fewest(metric):
        return Comparison(difference, -np.inf, np.inf, 1.0, n, np.inf, ALONE)
    rng = np.random.default_rng(seed)

    def reweighted(weights: FloatArray) -> float:
        return metric.value(statistics_a, weights) - metric.value(statistics_b, weights)

    if metric.interval == "jackknife":
        return _jackknife_comparison(difference, reweighted, index, count, kind, rng)
    replicates = resampled_values(reweighted, index, count, resamples, rng)
    low, high = percentile_interval(replicates, count)
    both = metric.merge([statistics_a, statistics_b])

    def swapped(kept: FloatArray) -> float:
        first = metric.value(both, np.concatenate([kept, 1 - kept]))
        return first - metric.value(both, np.concatenate([1 - kept, kept]))

    p, swaps = permutation_p(swapped, difference, index, count, resamples, rng)
    error = float(replicates.std(ddof=1))
    return Comparison(
        difference, low, high, p, n, minimum_detectable(error), f"paired bootstrap, {swaps}{kind}", error
    )


def holm(p_values: ArrayLike) -> FloatArray:
    """Holm's adjusted p-values of a family of tests, in the order given.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64).ravel()
    if not ((p >= 0) & (p <= 1)).all():
        raise MetricInputError("p-values lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Benjamini and Hochberg's adjusted p-values, in the order given: below 0.05, one in twenty is false.

    Holm's keep the chance of a single false finding below 5 %; these keep the share of false ones among what
    is found, where tests are independent or go along with each other.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p_values, dtype=np.float64).ravel()
    if not ((p >= 0) & (p <= 1)).all():
        raise MetricInputError("p-values lie between 0 and 1")
    return np.asarray(false_discovery_control(p) if len(p) else p)


def clopper_pearson(successes: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's exact 95 % interval of a proportion: never too narrow, wider than Wilson's.

    >>> low, high = clopper_pearson(0, 10)
    >>> print(f"{low:.3f} {high:.3f}")
    0.000 0.308
    """
    from scipy.stats import binomtest

    if not 0 <= successes <= n or n <= 0 or successes != int(successes) or n != int(n):
        raise MetricInputError(f"{successes} successes of {n}: give whole numbers, at least one trial")
    found = binomtest(int(successes), int(n)).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion; an effective sample size need not be whole.

    >>> low, high = wilson(0, 10)
    >>> print(f"{low:.3f} {high:.3f}")
    0.000 0.278
    """
    if not 0 <= successes <= n or n <= 0:
        raise MetricInputError(f"{successes} successes of {n}: give 0 to n successes of at least one trial")
    share, spread = successes / n, Z95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 * np.sqrt((share * (1 - share) + spread / 4) / n) / (1 + spread)
    return (0.0 if successes == 0 else float(centre - half)), (
        1.0 if successes == n else float(centre + half)
    )


def proportion(successes: int, n: int) -> Estimate:
    """The share of n independent trials that succeeded, with Wilson's interval.

    >>> share = proportion(9, 10)
    >>> print(f"{share.value} [{share.low:.3f}, {share.high:.3f}] {share.standard_error:.3f}")
    0.9 [0.596, 0.982] 0.100
    """
    low, high = wilson(successes, n)
    share = successes / n
    error = float(np.sqrt(share * (1 - share) / (n - 1))) if n > 1 else np.inf
    return Estimate(share, low, high, n, "Wilson", error)


def minimum_detectable(se: float) -> float:
    """The smallest true difference that a two-sided 5 % test finds with 80 % power: 2.80 standard errors.

    >>> round(minimum_detectable(0.01), 4)
    0.028
    """
    return (Z95 + 0.8416212335729143) * se


def _finite(values: ArrayLike, name: str) -> FloatArray:
    items = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(items).all():
        raise MetricInputError(
            f"{name}[{int(np.argmin(np.isfinite(items)))}] is not a finite number; leave it out or score it"
        )
    return items


def _kind(groups: object) -> str:
    return "" if groups is None else ", clustered"


def _fewest(metric: Metric[Any]) -> int:
    """The fewest clusters that make an interval; a distance needs two that stay when one is left out."""
    return 3 if metric.interval == "jackknife" else 2


def _jackknife_comparison(
    difference: float,
    reweighted: Callable[[FloatArray], float],
    index: NDArray[np.intp],
    count: int,
    kind: str,
    rng: np.random.Generator,
) -> Comparison:
    """The paired comparison of a distance between sets."""
    from scipy.special import stdtr

    blocks = min(BLOCKS, count)
    error = jackknife_error(reweighted, index, count, blocks, rng)
    half = student_quantile(blocks) * error
    if error > 0:
        p = max(2 * float(stdtr(blocks - 1, -abs(difference) / error)), float(np.finfo(np.float64).tiny))
    else:
        p = 1.0
    method = f"paired jackknife {blocks} blocks, t-test{kind}"
    n, detectable = len(index), minimum_detectable(error)
    return Comparison(difference, difference - half, difference + half, p, n, detectable, method, error)
