"""People's preferences: Bradley-Terry against a plain optimiser and closed forms; win rates."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.metric import MetricInputError
from metrics.people.preferences import Judgement, bradley_terry, win_rate


def test_two_systems_get_the_odds_of_their_wins() -> None:
    votes = [("a", "b", 1)] * 300 + [("b", "a", 1)] * 100
    strengths = bradley_terry(votes, resamples=50)
    assert list(strengths) == ["a", "b"]
    assert strengths["a"].value - strengths["b"].value == pytest.approx(400 * np.log10(3), abs=0.2)
    assert strengths["a"].low < strengths["a"].value < strengths["a"].high


def test_without_a_prior_strengths_maximise_the_likelihood() -> None:
    """The general model against a plain optimiser over the same log-likelihood."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(1)
    votes = [
        (f"s{a}", f"s{b}", float(rng.choice([0, 0.5, 1])))
        for a, b in (rng.choice(4, 2, replace=False) for _ in range(400))
    ]

    def loss(x: Any) -> Any:
        return -sum(
            y * -np.log1p(np.exp(x[int(b[1])] - x[int(a[1])]))
            + (1 - y) * -np.log1p(np.exp(x[int(a[1])] - x[int(b[1])]))
            for a, b, y in votes
        )

    best = minimize(loss, np.zeros(4), tol=1e-10).x
    expected = 1000 + 400 / np.log(10) * (best - best.mean())
    for prior, near in ((0.0, 0.001), (0.1, 0.2)):
        strengths = bradley_terry(votes, prior=prior, resamples=1)
        assert [strengths[f"s{n}"].value for n in range(4)] == pytest.approx(expected, abs=near)


def test_a_prior_counts_as_so_many_ties() -> None:
    votes: list[Judgement] = [("a", "b", 1.0)] * 6 + [("a", "b", 0.0)] * 2
    added = bradley_terry([*votes, ("a", "b", 0.5), ("a", "b", 0.5)], prior=0, resamples=1)
    assert bradley_terry(votes, prior=2, resamples=1)["a"].value == pytest.approx(added["a"].value, abs=1e-9)
    odds = 10 ** ((added["a"].value - added["b"].value) / 400)
    assert odds == pytest.approx(7 / 3, abs=1e-9)


@pytest.mark.parametrize(
    "votes",
    [
        [("a", "b", 1.0)] * 20,
        [("a", "b", 1), ("b", "a", 1), ("c", "d", 0.5), ("a", "c", 1), ("b", "d", 1)],  # two beat two others
    ],
)
def test_without_a_prior_a_maximum_at_infinity_is_refused(votes: list[Judgement]) -> None:
    with pytest.raises(MetricInputError, match=r"no maximum: .* give a prior"):
        bradley_terry(votes, prior=0)
    assert all(np.isfinite(found.value) for found in bradley_terry(votes, resamples=5).values())


def test_resamples_without_a_maximum_are_counted() -> None:
    votes: list[Judgement] = [("a", "b", 1.0)] * 4 + [("a", "b", 0.0)]
    found = bradley_terry(votes, prior=0, resamples=200)["a"]
    told = re.fullmatch(r"bootstrap (\d+); (\d+) more have no maximum .*, left out", found.method)
    assert told
    left, out = told.groups()
    assert int(left) + int(out) == 200
    assert 200 * 0.8**5 / 2 < int(out) < 200 * 0.8**5 * 2  # drawing only wins, or only losses
    assert np.isfinite([found.low, found.high]).all()


def test_one_rater_alone_has_no_interval() -> None:
    found = bradley_terry([("a", "b", 1), ("a", "b", 0)], ["r", "r"])["a"]
    assert (found.low, found.high, found.method) == (-np.inf, np.inf, "no interval: too few clusters")


@pytest.mark.parametrize("prior", [-0.1, float("nan"), float("inf")])
def test_a_prior_that_is_no_number_of_judgements_is_refused(prior: float) -> None:
    with pytest.raises(MetricInputError, match="judgements; give 0 for none"):
        bradley_terry([("a", "b", 1)], prior=prior)


def test_a_system_that_always_wins_stays_finite() -> None:
    strengths = bradley_terry([("a", "b", 1)] * 20, resamples=20)
    assert np.isfinite(strengths["a"].value)
    assert strengths["a"].value > strengths["b"].value + 400


@settings(max_examples=15, deadline=None)
@given(st.permutations(list(range(12))))
def test_strengths_do_not_depend_on_order(order: list[int]) -> None:
    votes = [("a", "b", 1), ("b", "c", 0.5), ("c", "a", 0), ("a", "b", 0)] * 3
    plain, shuffled = bradley_terry(votes, resamples=1), bradley_terry([votes[i] for i in order], resamples=1)
    for name in "abc":
        assert shuffled[name].value == pytest.approx(plain[name].value, abs=1e-9)


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([], "at least one"),
        ([("a", "a", 1)], "two different systems"),
        ([("a", "b", 2)], "1, 0.5 or 0"),
        ([("a", "b", 1), ("c", "d", 1)], "connects a and c"),
    ],
)
def test_judgements_that_cannot_be_ranked(votes: list[Judgement], reason: str) -> None:
    with pytest.raises(MetricInputError, match=reason):
        bradley_terry(votes)


def test_intervals_widen_when_raters_repeat_themselves() -> None:
    rng = np.random.default_rng(2)
    raters = np.repeat(np.arange(20), 10)
    outcomes = (rng.random(20) < 0.6)[raters].astype(float)
    votes = [("a", "b", outcome) for outcome in outcomes]
    plain = bradley_terry(votes, resamples=200)["a"]
    clustered = bradley_terry(votes, raters.tolist(), resamples=200)["a"]
    assert clustered.high - clustered.low > 2 * (plain.high - plain.low)


def test_ties_count_half_in_a_win_rate() -> None:
    assert win_rate([0.5] * 10).value == 0.5
    with pytest.raises(MetricInputError, match="outcome 1 is"):
        win_rate([1, 0.7])
