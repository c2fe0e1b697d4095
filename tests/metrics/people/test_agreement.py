"""People's judgements: against the reference package, closed forms, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.metric import MetricInputError
from metrics.people.agreement import (
    Judgement,
    Level,
    bradley_terry,
    krippendorff_alpha,
    metric_agreement,
    win_rate,
)

NAN = float("nan")
# Krippendorff's own example (2011, "Computing Krippendorff's alpha-reliability"), 4 raters, 12 units.
TABLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_of_the_published_example(level: Level, published: float) -> None:
    assert krippendorff_alpha(TABLE, level=level, resamples=20).value == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_equals_the_reference_package(level: Level) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(0)
    for _ in range(20):
        table = rng.integers(1, 6, size=(4, 25)).astype(float)
        table[rng.random(table.shape) < 0.3] = np.nan
        expected = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
        assert krippendorff_alpha(table, level=level, resamples=2).value == pytest.approx(expected, abs=1e-12)


def test_alpha_interval_surrounds_the_value_and_ends_at_one() -> None:
    alpha = krippendorff_alpha(TABLE, resamples=300)
    assert alpha.low < alpha.value <= alpha.high <= 1
    assert alpha.n == 11  # the last unit has one rating only


def test_alpha_of_perfect_agreement_is_one() -> None:
    assert krippendorff_alpha([[1, 2, 3], [1, 2, 3]], level="interval", resamples=20).value == 1


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([[1, NAN], [NAN, 2]], "no item has two ratings"),
        ([[1, 1], [1, 1]], "without variation"),
        ([1, 2, 3], "raters, items"),
        ([[1, np.inf], [1, 2]], "finite"),
    ],
)
def test_alpha_refuses_what_has_no_agreement(table: Any, reason: str) -> None:
    with pytest.raises(MetricInputError, match=reason):
        krippendorff_alpha(table)


def test_two_systems_get_the_odds_of_their_wins() -> None:
    votes = [("a", "b", 1)] * 300 + [("b", "a", 1)] * 100
    strengths = bradley_terry(votes, resamples=50)
    assert list(strengths) == ["a", "b"]
    assert strengths["a"].value - strengths["b"].value == pytest.approx(400 * np.log10(3), abs=0.2)
    assert strengths["a"].low < strengths["a"].value < strengths["a"].high


def test_strengths_maximise_the_likelihood() -> None:
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

    best = minimize(loss, np.zeros(4)).x
    expected = 1000 + 400 / np.log(10) * (best - best.mean())
    strengths = bradley_terry(votes, resamples=1)
    assert [strengths[f"s{n}"].value for n in range(4)] == pytest.approx(expected, abs=0.2)


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


def test_a_metric_may_rank_systems_and_not_items() -> None:
    rng = np.random.default_rng(3)
    people = np.arange(5)[:, None] + rng.normal(size=(5, 40))
    metric = np.arange(5)[:, None] + rng.normal(size=(5, 40))
    agreement = metric_agreement(metric, people)
    assert agreement.system > 0.7
    assert abs(agreement.item) < 0.2
    assert (agreement.systems, agreement.items) == (5, 40)


def test_agreement_of_unlike_tables_is_refused() -> None:
    with pytest.raises(MetricInputError, match="systems, items"):
        metric_agreement([[1, 2]], [[1, 2, 3]])
    with pytest.raises(MetricInputError, match="not finite"):
        metric_agreement([[1, NAN]], [[1, 2]])
