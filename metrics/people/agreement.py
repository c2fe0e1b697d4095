"""People as judges: win rates, Bradley-Terry, Krippendorff's alpha, and whether metrics agree with people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import Estimate, FloatArray, Groups, MetricInputError
from metrics.resampling import clusters, percentile_interval, resampled_values
from metrics.statistics import bootstrap

Level = Literal["nominal", "ordinal", "interval"]
Judgement = tuple[str, str, float]
"""Two systems and how the first fared against the second: 1 won, 0.5 tied, 0 lost."""


def win_rate(
    outcomes: ArrayLike, groups: Groups | None = None, *, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """How often the first of two systems is preferred, ties counting half, with its 95 % interval.

    Args:
        outcomes: 1 for a win, 0.5 for a tie, 0 for a loss, [N].
        groups: who or what the judgements belong to (the rater, or the item).
        resamples: number of bootstrap draws.
        seed: of the draws.

    Raises:
        MetricInputError: no outcomes, or one that is none of the three.

    >>> win_rate([1, 1, 0.5, 0]).value
    0.625
    """
    values = np.asarray(outcomes, dtype=np.float64).ravel()
    if not np.isin(values, (0.0, 0.5, 1.0)).all():
        wrong = int(np.argmin(np.isin(values, (0.0, 0.5, 1.0))))
        raise MetricInputError(
            f"outcome {wrong} is {values[wrong]}; give 1 for a win, 0.5 for a tie, 0 for a loss"
        )
    return bootstrap(values, groups, resamples=resamples, seed=seed)


def bradley_terry(
    judgements: Sequence[Judgement],
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Strengths of systems from pairwise judgements, with 95 % intervals.

    The maximum-likelihood Bradley-Terry model, ties counting half, on Elo's scale: base 10, 400 points
    for odds of ten to one, mean 1,000. The order of judgements does not matter. A system that always won
    or always lost has no finite strength; a tenth of a judgement, shared as ties among all pairs of
    systems, keeps every strength finite and hardly moves the others.

    Args:
        judgements: two systems and the outcome for the first (1, 0.5 or 0), N of them.
        groups: who made each judgement; the bootstrap draws whole groups.
        resamples: number of bootstrap draws.
        seed: of the draws.

    Returns:
        An estimate per system, the strongest first.

    Raises:
        MetricInputError: no judgements, an outcome that is none of the three, a system against itself, or
            systems that no chain of judgements connects.

    >>> votes = [("a", "b", 1)] * 30 + [("a", "b", 0)] * 10
    >>> [(name, round(estimate.value)) for name, estimate in bradley_terry(votes, resamples=50).items()]
    [('a', 1095), ('b', 905)]
    """
    names = sorted({name for first, second, _ in judgements for name in (first, second)})
    place = {name: number for number, name in enumerate(names)}
    left = np.array([place[first] for first, _, _ in judgements], dtype=np.intp)
    right = np.array([place[second] for _, second, _ in judgements], dtype=np.intp)
    outcome = np.array([float(result) for _, _, result in judgements])
    index, count = clusters(groups, len(judgements))
    _check_judgements(left, right, outcome, names)

    def strengths(weights: FloatArray) -> FloatArray:
        wins = np.zeros((len(names), len(names)))
        np.add.at(wins, (left, right), weights * outcome)
        np.add.at(wins, (right, left), weights * (1 - outcome))
        return _elo(wins)

    values = strengths(np.ones(len(judgements)))
    rng = np.random.default_rng(seed)
    replicates = np.stack(
        [
            strengths(np.bincount(rng.integers(0, count, count), minlength=count)[index].astype(np.float64))
            for _ in range(resamples if count > 1 else 0)
        ]
        or [values]
    )
    estimates = {}
    for number in np.argsort(-values):
        low, high = percentile_interval(replicates[:, number], count) if count > 1 else (-np.inf, np.inf)
        method = f"bootstrap {resamples}" + ("" if groups is None else ", clustered")
        estimates[names[number]] = Estimate(float(values[number]), low, high, len(judgements), method)
    return estimates


def krippendorff_alpha(
    ratings: ArrayLike, *, level: Level = "nominal", resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Krippendorff's alpha: agreement of raters beyond chance, 1 for perfect, 0 for chance.

    Args:
        ratings: one row per rater, one column per item, NaN where a rater did not rate, [raters, N].
        level: how far apart two values are: `nominal`, `ordinal` (by rank) or `interval` (squared).
        resamples: number of bootstrap draws, of items.
        seed: of the draws.

    Returns:
        Alpha with the interval of a bootstrap over items; n counts the items with two ratings or more.

    Raises:
        MetricInputError: no item with two ratings, or all ratings equal, which leaves nothing to agree on.

    >>> alpha = krippendorff_alpha([[1, 2, 3, 3], [1, 2, 3, float("nan")], [1, 2, 3, 2]], resamples=50)
    >>> round(alpha.value, 3)
    0.75
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise MetricInputError(f"ratings of shape {table.shape}; give finite numbers or NaN, [raters, items]")
    table = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    values = np.unique(table[~np.isnan(table)])
    if len(values) == 0:
        raise MetricInputError("no item has two ratings; agreement needs at least one that has")
    if len(values) == 1:
        raise MetricInputError(f"all ratings are {values[0]:g}; without variation agreement has no meaning")
    counts = (table[:, :, None] == values).sum(axis=0).astype(np.float64)  # [N, values]
    metric = _ordinal if level == "ordinal" else (_nominal if level == "nominal" else _interval)

    def alpha(weights: FloatArray) -> float:
        return _alpha(counts, weights, values, metric)

    n = len(counts)
    value = alpha(np.ones(n))
    if n == 1:
        return Estimate(value, -np.inf, np.inf, n, "no interval: a single item")
    rng = np.random.default_rng(seed)
    low, high = percentile_interval(resampled_values(alpha, np.arange(n), n, resamples, rng), n)
    return Estimate(value, low, min(1.0, high), n, f"bootstrap {resamples} over items")


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


def _check_judgements(
    left: NDArray[np.intp], right: NDArray[np.intp], outcome: FloatArray, names: Sequence[str]
) -> None:
    wrong = (left == right) | ~np.isin(outcome, (0.0, 0.5, 1.0))
    if wrong.any():
        number = int(np.argmax(wrong))
        raise MetricInputError(
            f"judgement {number}: {names[left[number]]} against {names[right[number]]}, outcome "
            f"{outcome[number]}; give two different systems and 1, 0.5 or 0"
        )
    reached, size = {0}, 0
    while len(reached) != size:
        size = len(reached)
        for a, b in set(zip(left.tolist(), right.tolist(), strict=True)):
            if a in reached or b in reached:
                reached |= {a, b}
    if size < len(names):
        apart = next(name for number, name in enumerate(names) if number not in reached)
        raise MetricInputError(
            f"no chain of judgements connects {names[0]} and {apart}; compare them, or rank apart"
        )


def _elo(wins: FloatArray) -> FloatArray:
    """Bradley-Terry strengths on Elo's scale from the matrix of (weighted) wins, by Newton's method."""
    count = len(wins)
    wins = wins + 0.05 / max(1, count * (count - 1) // 2) * (1 - np.eye(count))
    games, won = wins + wins.T, wins.sum(axis=1)
    strength = np.zeros(count)
    for _ in range(100):
        chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
        gradient = won - (games * chance).sum(axis=1)
        information = -games * chance * (1 - chance)
        np.fill_diagonal(information, 0)
        np.fill_diagonal(information, -information.sum(axis=1))
        # Only differences are determined: the added constant fixes the mean at 0.
        step = np.linalg.solve(information + 1 / count, gradient)
        strength += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-12:
            break
    return np.asarray(1000 + 400 / np.log(10) * (strength - strength.mean()))


def _alpha(
    counts: FloatArray,
    weights: FloatArray,
    values: FloatArray,
    metric: Callable[[FloatArray, FloatArray], FloatArray],
) -> float:
    """Alpha from how often each item got each value; 1 where a resample holds one value only."""
    raters = counts.sum(axis=1)
    share = weights / (raters - 1)
    coincidences = (counts * share[:, None]).T @ counts - np.diag(share @ counts)
    totals = coincidences.sum(axis=0)
    squares = metric(values, totals)
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
