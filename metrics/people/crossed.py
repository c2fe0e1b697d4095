"""Judgements that are clustered twice, by who judged and by what was judged: means, differences, win rates.

Five people who rate a hundred items make five hundred ratings, and not five hundred independent ones: a
strict rater is strict throughout, and a hard item is hard for everyone. Both are drawn from many, so both add
to the uncertainty. The variance of an estimate that is linear in the ratings is the sum over raters, plus the
sum over items, minus what was counted twice (Cameron, Gelbach and Miller 2011); its degrees of freedom follow
Satterthwaite, for with five raters the spread between raters is itself only guessed at.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import Comparison, Estimate, FloatArray, MetricInputError
from metrics.resampling import clusters
from metrics.statistics import minimum_detectable, wilson

ONE_SIDED = "no interval: fewer than two raters or items"
METHOD = "clustered by rater and item"


@dataclass(frozen=True)
class Crossing:
    """Who judged what: the rater and the item of each judgement, as numbers from 0.

    Attributes:
        rater, item: of each judgement, [N].
        raters, items: how many there are.
    """

    rater: NDArray[np.intp]
    item: NDArray[np.intp]
    raters: int
    items: int

    @classmethod
    def of(cls, raters: Sequence[Hashable], items: Sequence[Hashable]) -> Crossing:
        """The crossing of judgements given by names.

        Raises:
            MetricInputError: no judgements, or not as many raters as items.

        >>> Crossing.of(["r1", "r2"], ["a", "a"]).items
        1
        """
        rater, count = clusters(list(raters), len(items))
        item, many = clusters(list(items), len(items))
        return cls(rater, item, count, many)


@dataclass(frozen=True)
class Spread:
    """The variance of an estimate, and where it comes from.

    Attributes:
        variance: of the estimate.
        freedom: degrees of freedom of Student's t, for an interval.
        fewest: one less than the raters or items, whichever are fewer: degrees of freedom of a test.
        rater: the part that only more raters lessen.
        item: the part that only more items lessen.
        single: the part that more of either lessens.
    """

    variance: float
    freedom: float
    fewest: int
    rater: float
    item: float
    single: float

    @property
    def standard_error(self) -> float:
        """Of the estimate."""
        return float(np.sqrt(self.variance))

    @property
    def half(self) -> float:
        """Half the width of the 95 % interval."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 0.975)) * self.standard_error

    def p(self, distance: float) -> float:
        """Two-sided p-value of an estimate at this distance from what is to be refuted; never 0.

        Satterthwaite's degrees of freedom are an estimate, too high where raters differ little by chance, and
        a correction over many comparisons looks far into the tails. A test therefore takes as many as the
        fewer of raters and items allow, and can be slower to call a difference than the interval.
        """
        from scipy.special import stdtr

        if self.variance == 0:
            return 1.0
        p = 2 * float(stdtr(self.fewest, -abs(distance) / np.sqrt(self.variance)))
        return max(p, float(np.finfo(np.float64).tiny))

    def p_even(self, rate: Estimate) -> float:
        """Two-sided p-value of a win rate against one half, on the scale of log odds.

        Few raters of strong taste often agree by chance, and their rates then crowd at an end of the scale,
        where they seem to differ little: a test of the rates themselves calls a winner among equals twice as
        often as it may. Log odds have no end, and tastes lie evenly on them. Where tastes are so strong that
        each rater votes one way throughout, five who agree are five observations, and no test of their many
        votes holds its level.

        >>> rate, found = crossed_win_rate([1, 1, 0, 1] * 5, [*"rrrrsssstttt"] + [*"uuuuvvvv"], [*"abcd"] * 5)
        >>> 0 < found.p_even(rate) < 0.05
        False
        """
        return self.p(seen_gap(rate.value, rate.n))


def log_odds_gap(gap: float) -> float:
    """A win rate's distance from one half as a test on log odds counts it, in units of the rate itself.

    >>> round(log_odds_gap(0.01), 4), round(log_odds_gap(0.4), 4)
    (0.01, 0.1978)
    """
    rate = 0.5 + gap
    return float(np.log(rate / (1 - rate)) * rate * (1 - rate))


def seen_gap(rate: float, n: int) -> float:
    """`log_odds_gap` of a win rate of n votes, of which one counts as a tie where all went one way.

    >>> round(seen_gap(1.0, 10), 3), round(seen_gap(0.0, 10), 3)
    (0.14, -0.14)
    """
    return log_odds_gap(_inside(rate, n) - 0.5)


def spread(influence: ArrayLike, crossing: Crossing) -> Spread:
    """The variance of a linear estimate from each judgement's share in its error.

    Args:
        influence: weight times residual of each judgement, [N]; they add up to 0.
        crossing: who judged what.

    Raises:
        MetricInputError: fewer than two raters or two items, or another number of judgements.

    >>> crossing = Crossing.of(["r", "r", "s", "s"], ["a", "b", "a", "b"])
    >>> round(spread(np.array([-1.0, -0.5, 0.5, 1.0]) / 4, crossing).variance, 4)
    0.5625
    """
    share = np.asarray(influence, dtype=np.float64)
    if share.shape != crossing.rater.shape:
        raise MetricInputError(f"{share.shape} influences for {crossing.rater.shape} judgements")
    if min(crossing.raters, crossing.items) < 2:
        raise MetricInputError(f"{ONE_SIDED}; have more people judge, or more items judged")
    by_rater = _square_sums(share, crossing.rater, crossing.raters)
    by_item = _square_sums(share, crossing.item, crossing.items)
    both = float(np.square(share).sum()) * len(share) / (len(share) - 1)
    # Chance makes a part negative where there is nothing to find; the variance is never below either
    # clustering alone would give.
    variance = max(by_rater + by_item - both, by_rater, by_item)
    pieces = (
        by_rater**2 / (crossing.raters - 1) + by_item**2 / (crossing.items - 1) + both**2 / (len(share) - 1)
    )
    freedom = variance**2 / pieces if pieces else float(len(share) - 1)
    fewest = min(crossing.raters, crossing.items) - 1
    if fewest == 1:  # of two, nothing but their one difference is known
        freedom = 1.0
    single = min(both, by_rater, by_item)
    return Spread(
        variance,
        max(freedom, float(fewest)),
        fewest,
        max(0.0, by_rater - both),
        max(0.0, by_item - both),
        single,
    )


def crossed_mean(
    values: ArrayLike, raters: Sequence[Hashable], items: Sequence[Hashable]
) -> tuple[Estimate, Spread | None]:
    """The mean of ratings with its 95 % interval, clustered by rater and item.

    Args:
        values: a finite rating each, [N].
        raters: who gave it, [N].
        items: what it was given to, [N].

    Returns:
        The estimate, and its spread; None, and an infinite interval, for fewer than two raters or items or
        where all ratings are equal, for then nothing is known of their spread.

    Raises:
        MetricInputError: no ratings, one that is not finite, or not as many raters and items.

    >>> mean, _ = crossed_mean([1, 2, 3, 4], ["r", "r", "s", "s"], ["a", "b", "a", "b"])
    >>> mean.value, mean.low < 0
    (2.5, True)
    """
    ratings, crossing = _finite(values), Crossing.of(raters, items)
    return _estimate(float(ratings.mean()), (ratings - ratings.mean()) / len(ratings), crossing)


def crossed_win_rate(
    outcomes: ArrayLike, raters: Sequence[Hashable], items: Sequence[Hashable]
) -> tuple[Estimate, Spread | None]:
    """How often the first of two systems is preferred, ties counting half, clustered by rater and item.

    The interval is symmetric in log odds and stays between 0 and 1; `Spread.p_even` tests it. Where every
    judgement is the same, the interval is Wilson's for as many judgements as there are raters or items,
    whichever are fewer, and the spread is what it would be had one of them been a tie.

    Args:
        outcomes: 1 for a win, 0.5 for a tie, 0 for a loss, [N].
        raters: who judged, [N].
        items: what was judged, [N].

    Raises:
        MetricInputError: as `crossed_mean`, or an outcome that is none of the three.

    >>> rate, _ = crossed_win_rate([1, 1, 1, 1], ["r", "r", "s", "s"], ["a", "b", "a", "b"])
    >>> print(f"{rate.value} [{rate.low:.2f}, {rate.high:.2f}]")
    1.0 [0.34, 1.00]
    """
    values = _finite(outcomes)
    known = np.isin(values, (0.0, 0.5, 1.0))
    if not known.all():
        wrong = int(np.argmin(known))
        raise MetricInputError(f"outcome {wrong} is {values[wrong]}; give 1 won, 0.5 tied, 0 lost")
    estimate, found = crossed_mean(values, raters, items)
    if found is None and values.min() == values.max():
        fewest = min(len(set(raters)), len(set(items)))
        low, high = wilson(estimate.value * fewest, fewest)
        alike = Estimate(estimate.value, low, high, len(values), "Wilson, all judgements alike")
        if fewest < 2 or estimate.value == 0.5:
            return alike, None
        return alike, crossed_mean([0.5, *values[1:]], raters, items)[1]
    if found is None:
        low, high, method = 0.0, 1.0, estimate.method
    else:
        from scipy.special import expit, logit

        centre = logit(estimate.value)
        half = found.half / (estimate.value * (1 - estimate.value))
        low, high, method = float(expit(centre - half)), float(expit(centre + half)), f"{METHOD}, log odds"
    return Estimate(estimate.value, low, high, estimate.n, method, estimate.standard_error), found


def crossed_difference(
    values: ArrayLike,
    first: ArrayLike,
    raters: Sequence[Hashable],
    items: Sequence[Hashable],
) -> tuple[Comparison, Spread | None]:
    """Mean rating of one system minus that of another, clustered by rater and item.

    The difference is taken within raters, so that how strict each is falls out of it; only where no rater
    rated both systems are the plain means compared. Nobody needs to have rated both outputs to one item.

    Args:
        values: a finite rating each, [N].
        first: whether it was given to the first system, [N].
        raters: who gave it, [N].
        items: what it was given to, [N].

    Raises:
        MetricInputError: as `crossed_mean`, or a system without ratings.

    >>> difference, _ = crossed_difference([1, 2, 3, 5], [0, 0, 1, 1], ["r", "s"] * 2, ["a", "b", "b", "a"])
    >>> difference.difference
    2.5
    """
    ratings, mine = _finite(values), np.asarray(first, dtype=bool).ravel()
    if len(mine) != len(ratings) or mine.all() or not mine.any():
        raise MetricInputError("a difference needs ratings of both systems; one has none")
    crossing = Crossing.of(raters, items)
    side = _within(mine.astype(np.float64), crossing.rater)
    if side.any():
        ratings = _within(ratings, crossing.rater)
    else:
        side = mine - mine.mean()
        ratings = ratings - ratings.mean()
    squares = float(side @ side)
    value = float(side @ ratings) / squares
    share = side * (ratings - value * side) / squares
    estimate, found = _estimate(value, share, crossing)
    p = 1.0 if found is None else found.p(estimate.value)
    error = estimate.standard_error
    detectable = np.inf if found is None else minimum_detectable(error)
    ends = estimate.low, estimate.high
    return Comparison(estimate.value, *ends, p, estimate.n, detectable, estimate.method, error), found


def _estimate(value: float, share: FloatArray, crossing: Crossing) -> tuple[Estimate, Spread | None]:
    n = len(share)
    if min(crossing.raters, crossing.items) < 2:
        return Estimate(value, -np.inf, np.inf, n, ONE_SIDED), None
    if not share.any():
        return Estimate(value, -np.inf, np.inf, n, "no interval: all ratings are equal"), None
    found = spread(share, crossing)
    return Estimate(value, value - found.half, value + found.half, n, METHOD, found.standard_error), found


def _inside(rate: float, n: int) -> float:
    """A win rate, or what it would be had one of unanimous votes been a tie."""
    return min(max(rate, 0.5 / n), 1 - 0.5 / n)


def _within(values: FloatArray, rater: NDArray[np.intp]) -> FloatArray:
    """Values less the mean of their rater's."""
    return np.asarray(values - (np.bincount(rater, values) / np.bincount(rater))[rater])


def _square_sums(share: FloatArray, index: NDArray[np.intp], count: int) -> float:
    return float(np.square(np.bincount(index, share, count)).sum()) * count / (count - 1)


def _finite(values: ArrayLike) -> FloatArray:
    ratings = np.asarray(values, dtype=np.float64).ravel()
    if not len(ratings):
        raise MetricInputError("no ratings; give at least one")
    if not np.isfinite(ratings).all():
        wrong = int(np.argmin(np.isfinite(ratings)))
        raise MetricInputError(f"rating {wrong} is not a finite number; leave it out")
    return ratings
