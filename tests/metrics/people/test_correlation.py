"""Correlations and kappas against scipy, statsmodels, scikit-learn, and formulas written out."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from metrics import MetricInputError, cohen_kappa, correlation, fleiss_kappa
from metrics.people.correlation import Coefficient
from metrics.people.kappa import Weights

RNG = np.random.default_rng(3)
A = RNG.integers(0, 5, 60).astype(float)
B = np.round(A / 2 + RNG.normal(size=60))
FIRST, SECOND = RNG.integers(1, 5, 80), RNG.integers(1, 5, 80)
SECOND[:40] = FIRST[:40]


def stuart(a: Any, b: Any) -> float:
    """Stuart's tau-c, pair by pair: 2 (P - Q) / (n^2 (m - 1) / m), m the shorter scale's length."""
    n, shorter = len(a), min(len(set(a)), len(set(b)))
    concordant = sum(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]) for i in range(n) for j in range(i))
    return float(2 * concordant / (n**2 * (shorter - 1) / shorter))


def test_each_coefficient_equals_an_independent_one() -> None:
    from scipy import stats

    independent = {
        "pearson": stats.pearsonr(A, B).statistic,
        "spearman": stats.spearmanr(A, B).statistic,
        "kendall_b": stats.kendalltau(A, B).statistic,
        "kendall_c": stuart(A, B),
    }
    for coefficient in get_args(Coefficient):
        found = correlation(A, B, coefficient=coefficient, resamples=200)
        assert found.value == pytest.approx(independent[coefficient], rel=1e-9)
        assert -1 <= found.low < found.value < found.high <= 1
        assert 0 < found.standard_error < 0.3


def test_items_that_repeat_say_less() -> None:
    groups = np.repeat(np.arange(10), 6)
    alone = correlation(A[::6], B[::6], resamples=400)
    copied = correlation(np.repeat(A[::6], 6), np.repeat(B[::6], 6), groups, resamples=400)
    assert copied.method.endswith("clustered")
    assert copied.standard_error == pytest.approx(alone.standard_error, rel=0.15)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ([1, 2], [1, 2, 3], "2 predictions but 3 references"),
        ([1, 1, 1], [1, 2, 3], "constant"),
        ([1.0, np.nan], [1, 2], "finite"),
        ([1], [1], "two items"),
    ],
)
def test_what_has_no_correlation_is_refused(a: list[float], b: list[float], why: str) -> None:
    with pytest.raises(MetricInputError, match=why):
        correlation(a, b)


def test_cohen_s_kappa_equals_statsmodels_and_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((4, 4))
    np.add.at(table, (FIRST - 1, SECOND - 1), 1)
    for weights in get_args(Weights):
        found = cohen_kappa(FIRST.tolist(), SECOND.tolist(), weights=weights, resamples=200)
        wt = None if weights == "none" else {"linear": "linear", "quadratic": "quadratic"}[weights]
        assert found.value == pytest.approx(cohens_kappa(table, wt=wt).kappa, rel=1e-9)
        assert found.value == pytest.approx(cohen_kappa_score(FIRST, SECOND, weights=wt), rel=1e-9)
        assert found.low < found.value < found.high


def test_its_interval_is_as_wide_as_the_asymptotic_one() -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((4, 4))
    np.add.at(table, (FIRST - 1, SECOND - 1), 1)
    found = cohen_kappa(FIRST.tolist(), SECOND.tolist())
    assert found.standard_error == pytest.approx(cohens_kappa(table).std_kappa, rel=0.15)


def test_fleiss_kappa_equals_statsmodels() -> None:
    from statsmodels.stats.inter_rater import aggregate_raters
    from statsmodels.stats.inter_rater import fleiss_kappa as published

    ratings = RNG.integers(0, 4, (5, 40))
    ratings[:, :20] = ratings[0, :20]
    counts, _ = aggregate_raters(ratings.T)
    found = fleiss_kappa(ratings, resamples=200)
    assert found.value == pytest.approx(published(counts), rel=1e-9)
    assert found.low < found.value < found.high


def test_ratings_that_leave_nothing_to_agree_on_are_refused() -> None:
    with pytest.raises(MetricInputError, match="without variation"):
        cohen_kappa(["y", "y"], ["y", "y"])
    with pytest.raises(MetricInputError, match="without variation"):
        fleiss_kappa([[1, 1], [1, 1]])
    with pytest.raises(MetricInputError, match="krippendorff_alpha takes missing ones"):
        fleiss_kappa(np.array([[1, np.nan], [1, 2]]))
    with pytest.raises(MetricInputError, match="put in order"):
        cohen_kappa(["y", 1], ["n", 2], weights="linear")
    assert cohen_kappa(["y"], ["n"]).method == "no interval: a single item"
