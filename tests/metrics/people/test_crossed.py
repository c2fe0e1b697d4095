"""Intervals clustered by rater and item: against independent formulas, and over a thousand studies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.metric import MetricInputError
from metrics.people.crossed import (
    Crossing,
    crossed_difference,
    crossed_mean,
    crossed_win_rate,
    spread,
)
from metrics.people.power import Variances, items_needed, power, raters_needed
from metrics.people.preferences import bradley_terry, crossed_strengths

STUDIES = 1000


def crossing(raters: int, items: int) -> tuple[list[int], list[int]]:
    return np.repeat(np.arange(raters), items).tolist(), np.tile(np.arange(items), raters).tolist()


def test_the_variance_is_that_of_the_two_way_analysis_of_variance() -> None:
    """For every rater on every item: sums of squares between raters, between items, and overall."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(5, 40)) + rng.normal(size=(5, 1)) + rng.normal(size=(1, 40))
    raters, items = crossing(5, 40)
    _, found = crossed_mean(table.ravel(), raters, items)
    assert found is not None
    by_rater = table.mean(axis=1).var(ddof=1) / 5
    by_item = table.mean(axis=0).var(ddof=1) / 40
    both = table.var(ddof=1) / 200
    assert found.variance == pytest.approx(by_rater + by_item - both, abs=1e-12)
    assert found.rater == pytest.approx(by_rater - both, abs=1e-12)


def test_one_item_a_rater_leaves_the_standard_error_of_independent_ratings() -> None:
    values = np.random.default_rng(1).normal(size=50)
    estimate, found = crossed_mean(values, list(range(50)), list(range(50)))
    assert found is not None
    assert found.variance == pytest.approx(values.var(ddof=1) / 50, abs=1e-12)
    from scipy.stats import t

    assert estimate.high == pytest.approx(values.mean() + t.ppf(0.975, 49) * values.std(ddof=1) / 50**0.5)


def test_what_a_rater_gives_to_all_falls_out_of_a_difference() -> None:
    rng = np.random.default_rng(2)
    raters, items = crossing(4, 20)
    first = (np.arange(80) + np.array(raters)) % 2 == 0
    values = rng.normal(size=80)
    strict = np.array([9.0, -7.0, 3.0, 0.0])[raters]
    plain, _ = crossed_difference(values, first, raters, items)
    shifted, _ = crossed_difference(values + strict, first, raters, items)
    assert shifted.difference == pytest.approx(plain.difference, abs=1e-12)
    assert shifted.high == pytest.approx(plain.high, abs=1e-12)


def test_strengths_are_those_of_an_independent_package() -> None:
    choix = pytest.importorskip("choix", reason="choix is not installed")
    rng = np.random.default_rng(3)
    pairs = [tuple(rng.permutation(5)[:2].tolist()) for _ in range(500)]
    votes = [(f"s{a}", f"s{b}", 1.0) for a, b in pairs]
    theirs = choix.opt_pairwise(5, pairs, alpha=0.0, method="Newton-CG", tol=1e-12)
    ours = crossed_strengths(votes, list(range(500)), list(range(500)), prior=0.0)
    scale = 400 / np.log(10)
    for number in range(5):
        assert ours[f"s{number}"].value == pytest.approx(
            1000 + scale * (theirs[number] - theirs.mean()), rel=1e-9
        )


def test_intervals_of_strengths_are_as_wide_as_the_bootstrap_s() -> None:
    rng = np.random.default_rng(4)
    votes, raters = [], []
    for rater in range(40):
        for _ in range(12):
            a, b = rng.permutation(3)[:2].tolist()
            votes.append((f"s{a}", f"s{b}", float(rng.random() < 1 / (1 + np.exp((a - b) * 0.5)))))
            raters.append(rater)
    mine = crossed_strengths(votes, raters, list(range(len(votes))))
    theirs = bradley_terry(votes, raters, resamples=600)
    for name in mine:
        width = (mine[name].high - mine[name].low) / (theirs[name].high - theirs[name].low)
        assert 0.75 < width < 1.35


def test_votes_that_are_all_alike_have_wilson_s_interval_of_the_fewer_and_a_winner() -> None:
    rate, found = crossed_win_rate([1.0] * 50, *crossing(5, 10))
    assert found is not None
    assert found.p_even(rate) == pytest.approx(0.0105, abs=5e-4)  # fifty to none, of five people
    assert (rate.value, rate.high) == (1.0, 1.0)
    assert rate.low == pytest.approx(0.5655, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: crossed_mean([], [], []), "no ratings"),
        (lambda: crossed_mean([1, np.nan], ["r", "s"], ["a", "b"]), "rating 1 is not a finite"),
        (lambda: crossed_mean([1, 2], ["r"], ["a", "b"]), "1 groups for 2"),
        (lambda: crossed_win_rate([1, 0.7], ["r", "s"], ["a", "b"]), "outcome 1 is 0.7"),
        (lambda: crossed_difference([1, 2], [1, 1], ["r", "s"], ["a", "b"]), "one has none"),
        (lambda: spread([1.0, -1.0], Crossing.of(["r", "r"], ["a", "b"])), "fewer than two raters"),
        (lambda: spread([1.0], Crossing.of(["r", "s"], ["a", "b"])), "influences"),
        (lambda: power(0.1, Variances(0, 0, 1), 1, 5), "give 2, 2"),
        (lambda: Variances(-1, 0, 1), "variances of -1"),
        (lambda: items_needed(0.0, Variances(0, 0, 1), 5), "difference of 0"),
    ],
)
def test_what_has_no_interval_is_refused(call: Any, reason: str) -> None:
    with pytest.raises(MetricInputError, match=reason):
        call()


def test_one_rater_alone_has_no_interval() -> None:
    estimate, found = crossed_mean([1.0, 2.0], ["r", "r"], ["a", "b"])
    assert found is None
    assert (estimate.low, estimate.high) == (-np.inf, np.inf)
    assert "fewer than two" in estimate.method


# --- a thousand studies --------------------------------------------------------------------------


def outcomes(
    rng: np.random.Generator, lead: float, taste: float, hardness: float, raters: int, items: int
) -> np.ndarray:
    """Votes of raters who differ in taste on items that differ in how clear they are, [raters, items]."""
    clear = lead + taste * rng.normal(size=(raters, 1)) + hardness * rng.normal(size=(1, items))
    said = clear + rng.normal(size=(raters, items))
    return np.where(said > 0.3, 1.0, np.where(said < -0.3, 0.0, 0.5))


def true_rate(lead: float, taste: float, hardness: float) -> float:
    from scipy.stats import norm

    wide = np.sqrt(1 + taste**2 + hardness**2)
    win, loss = norm.sf((0.3 - lead) / wide), norm.cdf((-0.3 - lead) / wide)
    return float(win + (1 - win - loss) / 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lead", "taste", "hardness"),
    [
        (0.0, 0.0, 0.4),
        (0.0, 0.2, 0.4),
        (0.3, 0.2, 0.4),
        (0.3, 0.4, 0.4),
        (0.8, 0.3, 0.6),
        (0.0, 0.8, 0.4),
        (0.3, 0.8, 0.4),
        (0.8, 0.8, 0.4),
        (1.5, 0.5, 0.4),
        (0.8, 1.2, 0.4),
    ],
)
def test_intervals_of_a_thousand_votings_cover_the_truth(lead: float, taste: float, hardness: float) -> None:
    rng = np.random.default_rng(5)
    raters, items = crossing(5, 100)
    truth, covered = true_rate(lead, taste, hardness), 0
    for _ in range(STUDIES):
        votes = outcomes(rng, lead, taste, hardness, 5, 100)
        rate, _ = crossed_win_rate(votes.ravel(), raters, items)
        covered += rate.low <= truth <= rate.high
    assert 0.93 <= covered / STUDIES <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("taste", [0.2, 0.3, 0.5, 0.6, 0.8, 1.0])
def test_intervals_of_a_thousand_rating_studies_cover_the_true_difference(taste: float) -> None:
    """Two systems rated 1 to 5, each item by each rater under one of them, raters strict and items hard."""
    rng = np.random.default_rng(6)
    raters, items = crossing(5, 100)
    rater, item = np.array(raters), np.array(items)
    first = (item + rater) % 2 == 0
    covered = 0
    for _ in range(STUDIES):
        worth = 0.4 * first + taste * rng.normal(size=5)[rater] * (first - 0.5)
        latent = worth + 0.8 * rng.normal(size=5)[rater] + 0.5 * rng.normal(size=100)[item]
        latent += 0.4 * rng.normal(size=(2, 100))[first.astype(int), item] + rng.normal(size=500)
        found, _ = crossed_difference(latent, first, raters, items)
        covered += found.low <= 0.4 <= found.high
    assert 0.93 <= covered / STUDIES <= 0.97


@pytest.mark.slow
def test_a_study_as_large_as_was_asked_for_shows_the_difference_four_times_in_five() -> None:
    rng = np.random.default_rng(8)
    variances = Variances(0.02, 0.1, 0.8)
    items = items_needed(0.35, variances, 6)
    assert items is not None
    raters, numbers = crossing(6, items)
    shown = 0
    for _ in range(STUDIES):
        table = 0.35 + 0.02**0.5 * rng.normal(size=(6, 1)) + 0.1**0.5 * rng.normal(size=(1, items))
        table = table + 0.8**0.5 * rng.normal(size=(6, items))
        estimate, _ = crossed_mean(table.ravel(), raters, numbers)
        shown += estimate.low > 0 or estimate.high < 0
    assert 0.74 <= shown / STUDIES <= 0.9


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 1), st.floats(0, 0.05), st.floats(0, 0.5), st.integers(2, 30))
def test_power_grows_with_items_and_what_is_needed_is_the_fewest(
    difference: float, taste: float, hardness: float, raters: int
) -> None:
    variances = Variances(taste, hardness, 0.5)
    found = items_needed(difference, variances, raters)
    if found is None:
        assert power(difference, variances, raters, 1_000_000) < 0.8
    else:
        assert power(difference, variances, raters, found) >= 0.8
        assert found == 2 or power(difference, variances, raters, found - 1) < 0.8
        assert (raters_needed(difference, variances, found) or 0) <= raters
