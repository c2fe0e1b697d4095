"""A thousand studies of raters whose preferences are known, laid out as the designs lay them out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from metrics.metric import MetricInputError
from metrics.people.crossed import crossed_difference, crossed_win_rate
from metrics.people.power import items_needed
from metrics.statistics import holm
from reports.study.design import pairs_of, treatments_of
from reports.study.planning import planned

STUDIES = 1000
RATERS, ITEMS, SYSTEMS = 5, 120, 4
CLEAR = 0.3  # what a vote for one of two takes; below it is a tie


def worths(
    rng: np.random.Generator, truth: NDArray[np.float64], taste: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each system is worth to each rater and on each item, [raters, systems] and [items, systems]."""
    mine: NDArray[np.float64] = truth + taste * rng.normal(size=(RATERS, len(truth)))
    return mine, np.asarray(0.4 * rng.normal(size=(ITEMS, len(truth))))


def p_of_votes(rng: np.random.Generator, truth: NDArray[np.float64], taste: float) -> list[float]:
    """The p-value of each pair in one study of votes."""
    pairs = np.array(pairs_of(SYSTEMS))
    shown = pairs[treatments_of(ITEMS, RATERS, len(pairs))]  # [raters, items, 2]
    mine, hard = worths(rng, truth, taste)
    rater, item = np.mgrid[:RATERS, :ITEMS]
    worth = mine[rater[..., None], shown] + hard[item[..., None], shown]
    gap = worth[..., 0] - worth[..., 1] + rng.normal(size=rater.shape)
    outcome = np.where(gap > CLEAR, 1.0, np.where(gap < -CLEAR, 0.0, 0.5))
    found = []
    for pair in pairs:
        at = (shown == pair).all(axis=2)
        rate, spread = crossed_win_rate(outcome[at], rater[at].tolist(), item[at].tolist())
        found.append(spread.p_even(rate) if spread else 1.0)
    return found


def p_of_ratings(
    rng: np.random.Generator, truth: NDArray[np.float64], taste: float
) -> tuple[list[float], int]:
    """The p-value of each pair in one study of ratings, and how many intervals cover the true difference."""
    shown = treatments_of(ITEMS, RATERS, SYSTEMS)
    mine, hard = worths(rng, truth, taste)
    rater, item = np.mgrid[:RATERS, :ITEMS]
    strict, easy = 0.8 * rng.normal(size=RATERS), 0.5 * rng.normal(size=ITEMS)
    value = mine[rater, shown] + hard[item, shown] + strict[rater] + easy[item] + rng.normal(size=shown.shape)
    found, covered = [], 0
    for first, second in combinations(range(SYSTEMS), 2):
        at = (shown == first) | (shown == second)
        difference, spread = crossed_difference(
            value[at], shown[at] == first, rater[at].tolist(), item[at].tolist()
        )
        covered += difference.low <= truth[first] - truth[second] <= difference.high
        found.append(spread.p(difference.difference) if spread else 1.0)
    return found, covered


@pytest.mark.slow
@pytest.mark.parametrize("taste", [0.0, 0.2, 0.4, 0.5, 0.8, 1.2, 2.0])
def test_a_null_study_of_votes_calls_a_winner_once_in_twenty_at_most(taste: float) -> None:
    rng = np.random.default_rng(10)
    called = sum((holm(p_of_votes(rng, np.zeros(SYSTEMS), taste)) < 0.05).any() for _ in range(STUDIES))
    assert called / STUDIES <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("taste", [0.0, 0.2, 0.4, 0.8])
def test_a_null_study_of_ratings_calls_a_winner_once_in_twenty_at_most(taste: float) -> None:
    rng = np.random.default_rng(11)
    called = sum((holm(p_of_ratings(rng, np.zeros(SYSTEMS), taste)[0]) < 0.05).any() for _ in range(STUDIES))
    assert called / STUDIES <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("taste", [0.2, 0.3, 0.5, 0.8])
def test_intervals_of_a_study_of_ratings_cover_the_true_differences(taste: float) -> None:
    rng, truth = np.random.default_rng(12), np.array([0.6, 0.3, 0.0, 0.0])
    covered = sum(p_of_ratings(rng, truth, taste)[1] for _ in range(STUDIES))
    assert 0.93 <= covered / STUDIES / 6 <= 0.97


@pytest.mark.slow
def test_where_raters_do_not_differ_intervals_are_wider_than_need_be_and_never_too_narrow() -> None:
    rng, truth = np.random.default_rng(13), np.array([0.6, 0.3, 0.0, 0.0])
    covered = sum(p_of_ratings(rng, truth, 0.0)[1] for _ in range(STUDIES))
    assert covered / STUDIES / 6 >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize(("raters", "taste"), [(5, 0.0), (5, 0.003), (10, 0.01), (20, 0.03)])
def test_a_study_of_votes_as_large_as_was_planned_shows_the_difference_four_times_in_five(
    raters: int, taste: float
) -> None:
    plan = planned("pairwise", 2, None, taste, 0.2)
    items = items_needed(plan.distance(0.1), plan.variances, raters)
    assert items is not None
    rng = np.random.default_rng(15)
    rater, item = np.mgrid[:raters, :items]
    shown = 0
    for _ in range(STUDIES):
        chance = 0.6 + np.sqrt(taste) / 2 * rng.normal(size=(raters, 1))
        chance = chance + np.sqrt(0.2) / 2 * rng.normal(size=(1, items))
        votes = (rng.random((raters, items)) < chance).astype(float).ravel()
        rate, spread = crossed_win_rate(votes, rater.ravel().tolist(), item.ravel().tolist())
        shown += spread is not None and spread.p_even(rate) < 0.05 and rate.value > 0.5
    assert 0.75 <= shown / STUDIES <= 0.93


def test_a_plan_says_where_five_raters_cannot_carry_a_difference() -> None:
    plan = planned("pairwise", 2, None, 0.05, 0.2)
    assert items_needed(plan.distance(0.1), plan.variances, 5) is None
    assert items_needed(plan.distance(0.1), plan.variances, 50) is not None
    with pytest.raises(MetricInputError, match=r"above one half; give a difference below 0\.5"):
        plan.distance(0.6)


def test_a_clear_winner_is_found() -> None:
    rng, truth = np.random.default_rng(14), np.array([2.0, 1.0, 0.0, -1.0])
    assert all(p < 0.05 for p in holm(p_of_votes(rng, truth, 0.1)))
