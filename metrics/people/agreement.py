"""Agreement: of people with each other (Krippendorff's alpha), and of metrics with people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from metrics.metric import Estimate, FloatArray, MetricInputError, check_name
from metrics.resampling import percentile_interval, resampled_values

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Difference = Callable[[FloatArray, FloatArray], FloatArray]
"""Squared difference of any two of the values [V], which stand for so many ratings [V] each: [V, V]."""


def krippendorff_alpha(
    ratings: ArrayLike, *, level: Level = "nominal", resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Krippendorff's alpha: agreement of raters beyond chance, 1 for perfect, 0 for chance.

    Args:
        ratings: one row per rater, one column per item, NaN where a rater did not rate, [raters, N].
        level: how far apart two values are: `nominal` (equal or not), `ordinal` (by rank), `interval` (their
            difference) or `ratio` (their difference relative to their sum; for ratings from 0 up).
        resamples: number of bootstrap draws, of items.
        seed: of the draws.

    Returns:
        Alpha with the interval of a bootstrap over items; n counts the items with two ratings or more.

    Raises:
        MetricInputError: an unknown level, no item with two ratings, all ratings equal, which leaves nothing
            to agree on, or a rating below 0 on a ratio scale.

    >>> alpha = krippendorff_alpha([[1, 2, 3, 3], [1, 2, 3, float("nan")], [1, 2, 3, 2]], resamples=50)
    >>> round(alpha.value, 3)
    0.75
    """
    check_name("level", level, get_args(Level))
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise MetricInputError(f"ratings of shape {table.shape}; give finite numbers or NaN, [raters, items]")
    table = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    values = np.unique(table[~np.isnan(table)])
    if len(values) == 0:
        raise MetricInputError("no item has two ratings; agreement needs at least one that has")
    if len(values) == 1:
        raise MetricInputError(f"all ratings are {values[0]:g}; without variation agreement has no meaning")
    if level == "ratio" and values[0] < 0:
        raise MetricInputError(
            f"a rating is {values[0]:g}, and a ratio scale begins at 0; use the interval level"
        )
    counts = (table[:, :, None] == values).sum(axis=0).astype(np.float64)  # [N, values]

    def alpha(weights: FloatArray) -> float:
        return _alpha(counts, weights, values, _DIFFERENCES[level])

    n = len(counts)
    value = alpha(np.ones(n))
    if n == 1:
        return Estimate(value, -np.inf, np.inf, n, "no interval: a single item")
    rng = np.random.default_rng(seed)
    replicates = resampled_values(alpha, np.arange(n), n, resamples, rng)
    low, high = percentile_interval(replicates, n)
    error = float(replicates.std(ddof=1))
    return Estimate(value, low, min(1.0, high), n, f"bootstrap {resamples} over items", error)


@dataclass(frozen=True)
class Agreement:
    """How a metric's values go along with people's.

    Attributes:
        system: Kendall's tau-b of the systems' means, or NaN for fewer than three systems.
        item: Kendall's tau-b over items, averaged over systems; NaN where one side is constant.
        item_pooled: Kendall's tau-b over all pairs of item and system at once.
        systems, items: how many of each.
    """

    system: float
    item: float
    item_pooled: float
    systems: int
    items: int


def metric_agreement(metric: ArrayLike, people: ArrayLike) -> Agreement:
    """Rank correlation of a metric with people's ratings, between systems and between items.

    A metric may rank systems rightly and say nothing about single items, so both are given, by the
    tie-corrected tau-b.

    Args:
        metric: the metric's item values, [systems, N].
        people: people's mean ratings of the same outputs, [systems, N].

    Raises:
        MetricInputError: different shapes, values that are not finite, or fewer than two items.

    >>> agreement = metric_agreement([[1, 2, 3], [2, 3, 4], [3, 4, 5]], [[1, 2, 3], [3, 2, 4], [5, 4, 6]])
    >>> print(f"{agreement.system:.2f} {agreement.item:.2f}")
    1.00 0.56
    """
    scores, ratings = np.asarray(metric, dtype=np.float64), np.asarray(people, dtype=np.float64)
    if scores.shape != ratings.shape or scores.ndim != 2 or scores.shape[1] < 2:
        raise MetricInputError(
            f"shapes {scores.shape} and {ratings.shape}; give [systems, items] twice, 2 items or more"
        )
    if not (np.isfinite(scores).all() and np.isfinite(ratings).all()):
        raise MetricInputError("a value is not finite; leave out the items that someone did not rate")
    from scipy.stats import kendalltau

    def tau(a: FloatArray, b: FloatArray) -> float:
        return float(kendalltau(a, b, variant="b").statistic)

    between = tau(scores.mean(axis=1), ratings.mean(axis=1)) if len(scores) > 2 else float("nan")
    within = np.array([tau(*pair) for pair in zip(scores, ratings, strict=True)])
    item = float(np.nanmean(within)) if np.isfinite(within).any() else float("nan")
    return Agreement(between, item, tau(scores.ravel(), ratings.ravel()), *scores.shape)


def agreement_intervals(
    metric: ArrayLike, people: ArrayLike, *, resamples: int = 200, seed: int = 0
) -> dict[str, Estimate]:
    """How a metric goes along with people, with 95 % intervals, where not everyone saw everything.

    Args:
        metric: the metric's item values, more being better, NaN where it has none, [systems, N].
        people: people's mean ratings of the same outputs, NaN where nobody rated, [systems, N].
        resamples: number of bootstrap draws, of items.
        seed: of the draws.

    Returns:
        `system`: Kendall's tau-b of the systems' means. `item`: tau-b over items, averaged over systems.
        `pairs`: of two outputs to one item that people rate differently, how often the metric prefers the
        same one, its ties counting half. What is undefined is NaN, and its method says why.

    Raises:
        MetricInputError: different shapes, or infinite values.

    >>> found = agreement_intervals([[1, 2, 3], [2, 3, 4]], [[1, 2, 3], [2, 2, 5]], resamples=50)
    >>> found["pairs"].value, found["system"].method
    (1.0, 'undefined: fewer than three systems')
    """
    scores, ratings = np.asarray(metric, dtype=np.float64), np.asarray(people, dtype=np.float64)
    if scores.shape != ratings.shape or scores.ndim != 2 or np.isinf(scores).any() or np.isinf(ratings).any():
        raise MetricInputError(f"shapes {scores.shape} and {ratings.shape}; give [systems, items] twice")
    both = np.isfinite(scores) & np.isfinite(ratings)
    scores, ratings = np.where(both, scores, np.nan), np.where(both, ratings, np.nan)
    n = scores.shape[1]
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, n, size=n) for _ in range(resamples)] if n > 1 else []

    def estimated(statistic: Callable[[FloatArray, FloatArray], float], why: str) -> Estimate:
        value = statistic(scores, ratings)
        if not np.isfinite(value):
            return Estimate(float("nan"), -np.inf, np.inf, int(both.sum()), f"undefined: {why}")
        replicates = np.array([statistic(scores[:, draw], ratings[:, draw]) for draw in draws])
        replicates = replicates[np.isfinite(replicates)]
        if len(replicates) < len(draws) / 2 or n < 2:
            return Estimate(value, -np.inf, np.inf, int(both.sum()), "no interval: too few items")
        low, high = percentile_interval(replicates, n)
        method, error = f"bootstrap {len(replicates)} over items", float(replicates.std(ddof=1))
        return Estimate(value, low, high, int(both.sum()), method, error)

    few = "fewer than three systems" if len(scores) < 3 else "all systems' means are equal"
    return {
        "system": estimated(_between_systems, few),
        "item": estimated(_between_items, "no system has ratings, or values, that differ"),
        "pairs": estimated(_preferred_alike, "nobody rated two outputs to one item differently"),
    }


def _tau(a: FloatArray, b: FloatArray) -> float:
    from scipy.stats import kendalltau

    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 2 or (a == a[0]).all() or (b == b[0]).all():
        return float("nan")
    return float(kendalltau(a, b, variant="b").statistic)


def _between_systems(scores: FloatArray, ratings: FloatArray) -> float:
    if len(scores) < 3:
        return float("nan")
    counts = np.isfinite(scores).sum(axis=1)
    means = [np.nansum(table, axis=1) / np.where(counts, counts, np.nan) for table in (scores, ratings)]
    return _tau(means[0], means[1])


def _between_items(scores: FloatArray, ratings: FloatArray) -> float:
    within = np.array([_tau(*pair) for pair in zip(scores, ratings, strict=True)])
    return float(within[np.isfinite(within)].mean()) if np.isfinite(within).any() else float("nan")


def _preferred_alike(scores: FloatArray, ratings: FloatArray) -> float:
    first, second = np.triu_indices(len(scores), 1)
    people = np.sign(ratings[first] - ratings[second])
    alike = (np.sign(scores[first] - scores[second]) * people + 1) / 2
    judged = np.isfinite(alike) & (people != 0)
    return float(alike[judged].mean()) if judged.any() else float("nan")


def _alpha(counts: FloatArray, weights: FloatArray, values: FloatArray, difference: Difference) -> float:
    """Alpha from how often each item got each value; 1 where a resample holds one value only."""
    raters = counts.sum(axis=1)
    share = weights / (raters - 1)
    coincidences = (counts * share[:, None]).T @ counts - np.diag(share @ counts)
    totals = coincidences.sum(axis=0)
    squares = difference(values, totals)
    expected = totals @ squares @ totals / (totals.sum() - 1)
    return 1.0 if expected == 0 else float(1 - (coincidences * squares).sum() / expected)


def _nominal(values: FloatArray, totals: FloatArray) -> FloatArray:
    return 1 - np.eye(len(values))


def _interval(values: FloatArray, totals: FloatArray) -> FloatArray:
    return np.asarray(np.square(values[:, None] - values))


def _ordinal(values: FloatArray, totals: FloatArray) -> FloatArray:
    """Squared number of ratings between two values, each end counting half."""
    middle = np.cumsum(totals) - totals / 2
    return np.asarray(np.square(middle[:, None] - middle))


def _ratio(values: FloatArray, totals: FloatArray) -> FloatArray:
    sums = values[:, None] + values
    differences = values[:, None] - values
    return np.square(np.divide(differences, sums, out=np.zeros_like(sums), where=sums > 0))


_DIFFERENCES: Mapping[Level, Difference] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
    "ratio": _ratio,
}
