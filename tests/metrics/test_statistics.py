"""Intervals and tests: simulated coverage, closed forms, and what happens at the edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.metric import (
    ArrayMetric,
    Comparison,
    Estimate,
    FloatArray,
    IncomparableError,
    MeanMetric,
    MetricInputError,
)
from metrics.statistics import (
    bootstrap,
    compare,
    compare_metric,
    estimate,
    holm,
    minimum_detectable,
    wilson,
)

Draw = Callable[[np.random.Generator], tuple[FloatArray, Any, float]]


class Mean(MeanMetric):
    name, higher_is_better, signature = "mean", True, "mean|v:1"

    def statistics(self, predictions: Any, references: Any) -> FloatArray:
        return np.asarray(predictions, dtype=np.float64)


class Ratio(ArrayMetric):
    """A corpus metric in BLEU's manner: matches over guesses, each summed over items first."""

    name, higher_is_better, signature = "ratio", True, "ratio|v:1"

    def statistics(self, predictions: Any, references: Any) -> FloatArray:
        return np.column_stack([predictions, references]).astype(np.float64)

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        matched, guessed = (np.ones(len(statistics)) if weights is None else weights) @ statistics
        return float(matched / guessed)


class Variance(ArrayMetric):
    """A metric of a set as a whole, which is jackknifed."""

    name, higher_is_better, signature = "variance", False, "variance|v:1"
    interval, least = "jackknife", 0.0

    def statistics(self, predictions: Any, references: Any) -> FloatArray:
        return np.asarray(predictions, dtype=np.float64)

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        times = np.ones(len(statistics), np.intp) if weights is None else weights.astype(np.intp)
        return float(np.repeat(statistics, times).var(ddof=1))


def _normal(n: int) -> Draw:
    return lambda rng: (rng.normal(size=n), None, 0.0)


def _vqa(n: int) -> Draw:
    values, shares = [0, 0.3, 0.6, 0.9, 1], [0.3, 0.1, 0.1, 0.1, 0.4]
    return lambda rng: (rng.choice(values, p=shares, size=n), None, float(np.dot(values, shares)))


def _binary(n: int, share: float) -> Draw:
    return lambda rng: ((rng.random(n) < share).astype(float), None, share)


def _clustered(count: int, *, binary: bool = False) -> Draw:
    """Clusters of one to nine items, correlated by 0.5 within; binary ones with a mean of 0.9."""

    def draw(rng: np.random.Generator) -> tuple[FloatArray, Any, float]:
        groups = np.repeat(np.arange(count), rng.integers(1, 10, size=count))
        if binary:
            return (
                (rng.random(len(groups)) < rng.beta(0.9, 0.1, size=count)[groups]).astype(float),
                groups,
                0.9,
            )
        common, own = rng.normal(size=count)[groups], rng.normal(size=len(groups))
        return np.sqrt(0.5) * (common + own), groups, 0.0

    return draw


def _coverage(draw: Draw, runs: int = 1000) -> float:
    rng, hits = np.random.default_rng(7), 0
    for seed in range(runs):
        values, groups, truth = draw(rng)
        interval = bootstrap(values, groups, resamples=400, seed=seed)
        hits += interval.low <= truth <= interval.high
    return hits / runs


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(_normal(12), id="12 normal"),
        pytest.param(_vqa(100), id="100 answers"),
        pytest.param(_binary(30, 0.8), id="30 binary"),
        pytest.param(_clustered(15), id="15 clusters"),
        pytest.param(_clustered(60), id="60 clusters"),
        pytest.param(_clustered(60, binary=True), id="60 binary clusters"),
    ],
)
def test_intervals_cover_the_truth_95_times_in_100(draw: Draw) -> None:
    assert 0.93 <= _coverage(draw) <= 0.97


def test_intervals_that_ignore_clusters_do_not() -> None:
    clustered = _clustered(60)
    assert _coverage(lambda rng: (clustered(rng)[0], None, 0.0), runs=200) < 0.8


def test_paired_interval_covers_and_p_is_uniform_under_the_null() -> None:
    rng, covered, rejected = np.random.default_rng(8), 0, 0
    for seed in range(300):
        common, groups = rng.normal(size=80), np.repeat(np.arange(20), 4)
        shift = 0.5 * rng.normal(size=20)[groups]
        result = compare(common + shift + rng.normal(size=80), common, groups, resamples=400, seed=seed)
        covered += result.low <= 0 <= result.high
        rejected += result.p <= 0.05
    assert 0.92 <= covered / 300 <= 0.98
    assert 0.02 <= rejected / 300 <= 0.09


def test_the_clustered_standard_error_matches_the_sandwich() -> None:
    """The bootstrap's spread against sqrt(sum over clusters of squared residual sums) / n."""
    rng = np.random.default_rng(1)
    values, groups, _ = _clustered(400)(rng)
    residuals = np.bincount(groups, values - values.mean())
    closed = 1.96 * np.sqrt(np.square(residuals).sum()) / len(values)
    interval = bootstrap(values, groups, resamples=4000)
    assert (interval.high - interval.low) / 2 == pytest.approx(closed, rel=0.05)


def test_few_kinds_of_clusters_and_many_give_the_same_interval() -> None:
    """The two ways of drawing, multinomial over kinds and index by index, are one experiment."""
    answers = np.repeat([0.0, 0.3, 1.0], [300, 200, 500])
    blurred = answers + np.random.default_rng(0).normal(0, 1e-9, size=1000)
    kinds, items = bootstrap(answers, resamples=4000), bootstrap(blurred, resamples=4000)
    assert (kinds.low, kinds.high) == pytest.approx((items.low, items.high), abs=2e-3)
    flips = compare(answers, 0.9 * answers, resamples=4000), compare(blurred, 0.9 * blurred, resamples=4000)
    assert flips[0].p == flips[1].p == 1 / 4001


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=12))
@settings(max_examples=30, deadline=None)
def test_few_items_have_the_p_value_of_all_sign_flips(differences: list[float]) -> None:
    values = np.array(differences)
    signs = 1 - 2 * ((np.arange(2 ** len(values))[:, None] >> np.arange(len(values))) & 1)
    exact = np.mean(np.abs(signs @ values) >= abs(values.sum()) - 1e-12)
    found = compare(values, np.zeros(len(values)), resamples=10)
    assert found.p == pytest.approx(exact, abs=1e-12)
    assert f"all {2 ** np.count_nonzero(values)} sign flips" in found.method


def test_fourteen_items_are_flipped_in_all_ways_and_fifteen_are_drawn() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(0.3, 1, size=15)
    few, many = compare(values[:14], np.zeros(14)), compare(values, np.zeros(15))
    signs = 1 - 2 * ((np.arange(2**14)[:, None] >> np.arange(14)) & 1)
    assert few.p == np.mean(np.abs(signs @ values[:14]) >= abs(values[:14].sum()) - 1e-12)
    assert few.method == "paired bootstrap, all 16384 sign flips"
    assert many.method == "paired bootstrap, sign flips 10000"
    clustered = compare(values, np.zeros(15), groups=np.arange(15) // 2)
    assert clustered.method == "paired bootstrap, all 256 sign flips, clustered"


def test_few_items_of_a_corpus_metric_are_swapped_in_all_ways() -> None:
    rng, metric = np.random.default_rng(10), Ratio()
    a, b = (metric.statistics(rng.integers(0, 9, size=6), rng.integers(9, 20, size=6)) for _ in range(2))
    swaps = (np.arange(2**6)[:, None] >> np.arange(6) & 1).astype(bool)
    differences = [
        metric.value(np.where(swap[:, None], b, a)) - metric.value(np.where(swap[:, None], a, b))
        for swap in swaps
    ]
    found = compare_metric(metric, a, b, resamples=5)
    assert found.p == pytest.approx(np.mean(np.abs(differences) >= abs(found.difference) - 1e-12), abs=1e-12)
    assert found.method == "paired bootstrap, all 64 permutations"
    assert compare_metric(metric, a, a * [0, 1], resamples=5).p == 2**-5  # better on each: one swap in 32


def test_p_is_never_zero() -> None:
    result = compare(np.ones(500) + np.arange(500) / 1000, np.zeros(500), resamples=100)
    assert result.p == 1 / 101


def test_equal_systems_differ_by_nothing() -> None:
    result = compare([0.1, 0.5, 0.7], [0.1, 0.5, 0.7])
    assert (result.difference, result.low, result.high, result.p) == (0, 0, 0, 1)


def test_a_seed_repeats_the_draws() -> None:
    values = np.random.default_rng(0).random(50)
    assert bootstrap(values, seed=3) == bootstrap(values, seed=3) != bootstrap(values, seed=4)


def test_a_corpus_metric_is_resampled_and_not_averaged() -> None:
    rng = np.random.default_rng(2)
    guessed = rng.integers(1, 50, size=300)
    matched = rng.binomial(guessed, 0.4)
    metric = Ratio()
    statistics = metric.statistics(matched, guessed)
    result = estimate(metric, statistics, resamples=2000)
    residuals = matched - result.value * guessed
    closed = 1.96 * np.sqrt(np.square(residuals).sum()) / guessed.sum()  # the ratio's delta method
    assert (result.high - result.low) / 2 == pytest.approx(closed, rel=0.1)
    assert result.method == "bootstrap 2000"


def test_a_corpus_metric_is_compared_by_swapping_items() -> None:
    rng, metric = np.random.default_rng(3), Ratio()
    guessed = rng.integers(5, 20, size=200)
    better = metric.statistics(rng.binomial(guessed, 0.5), guessed)
    worse = metric.statistics(rng.binomial(guessed, 0.4), guessed)
    result = compare_metric(metric, better, worse, resamples=500)
    assert result.low > 0
    assert result.p == 1 / 501
    same = compare_metric(metric, better, better, resamples=50)
    assert (same.difference, same.p) == (0, 1)


def test_means_take_the_same_path_as_their_items() -> None:
    values, groups = np.random.default_rng(4).random(60), np.repeat(np.arange(20), 3).tolist()
    assert estimate(Mean(), values, groups) == bootstrap(values, groups)
    assert compare_metric(Mean(), values, values**2, groups) == compare(
        values, values**2, groups, resamples=1000
    )


def test_the_jackknife_gives_the_known_error_of_a_variance() -> None:
    values = np.random.default_rng(5).normal(size=2000)
    result = estimate(Variance(), values)
    assert result.method == "jackknife 20 blocks"
    assert (result.high - result.low) / 2 == pytest.approx(2.09 * np.sqrt(2 / 2000), rel=0.5)
    different = compare_metric(Variance(), 1.5 * values, values)
    assert different.low > 0
    assert 0 < different.p < 1e-6
    assert compare_metric(Variance(), values, values).p == 1


def test_a_jackknifed_interval_stays_above_the_least_value() -> None:
    assert estimate(Variance(), np.array([0.0, 0.0, 0.0, 0.0, 9.0])).low == 0


class Overflowing(Variance):
    """A value that grows beyond double precision, as distances between huge features do."""

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        return float(np.square(super().value(statistics, weights)))


@pytest.mark.parametrize("scale", [1e80, 1e200])
@pytest.mark.parametrize("interval", ["bootstrap", "jackknife"])
def test_a_value_that_is_not_finite_is_undefined_whatever_made_it(scale: float, interval: Any) -> None:
    values, metric = scale * np.arange(40.0), Overflowing()
    metric.interval = interval
    found = estimate(metric, values, resamples=20)
    assert found.method.startswith("undefined: the value is inf, for the data overflow")
    assert (found.low, found.high) == (-np.inf, np.inf)
    other = compare_metric(metric, values, np.arange(40.0), resamples=20)
    assert other.method.startswith("undefined: the value is inf")
    assert (other.low, other.high, other.p, other.minimum_detectable) == (-np.inf, np.inf, 1, np.inf)


def test_an_interval_whose_ends_are_not_finite_is_none() -> None:
    found = estimate(Overflowing(), 1e50 * np.arange(40.0))
    assert np.isfinite(found.value)
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.method.startswith("no interval: its ends are not finite")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_estimate_hides_a_value_that_is_none(value: float) -> None:
    for made in (
        Estimate(value, 0, 1, 5, "jackknife 5 blocks"),
        Comparison(value, 0, 1, 0.5, 5, 0.1, "t-test"),
    ):
        assert made.method.startswith(f"undefined: the value is {value}")
        assert (made.low, made.high) == (-np.inf, np.inf)


def test_different_signatures_are_not_compared() -> None:
    class Other(Mean):
        signature = "mean|v:2"

    with pytest.raises(IncomparableError, match=r"mean\|v:1 and mean\|v:2"):
        compare_metric(Mean(), np.zeros(3), np.zeros(3), metric_b=Other())


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
def test_unanimous_answers_keep_an_interval(values: list[float]) -> None:
    result = bootstrap(values)
    assert result.method == "Wilson"
    assert result.high - result.low > 0.3
    clustered = bootstrap(values * 4, groups=["a", "b", "c"] * 4)
    assert clustered.high - clustered.low == pytest.approx(result.high - result.low)


def test_a_single_cluster_has_no_interval() -> None:
    result = bootstrap([0.2, 0.4], groups=["image", "image"])
    assert result.value == pytest.approx(0.3)
    assert (result.low, result.high) == (-np.inf, np.inf)
    assert "no interval" in result.method
    assert "no interval" in compare([0.2], [0.1]).method
    assert "no interval" in estimate(Ratio(), np.array([[1.0, 2.0]])).method
    assert "no interval" in compare_metric(Variance(), np.arange(2.0), np.arange(2.0)).method


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: bootstrap([]), "at least one"),
        (lambda: bootstrap([0.5, float("nan")]), r"values\[1\] is not a finite"),
        (lambda: bootstrap([0.5, 1], groups=["a"]), "1 groups for 2 items"),
        (lambda: compare([1, 2], [1]), "the same items"),
        (lambda: compare_metric(Mean(), np.zeros(2), np.zeros(3)), "the same items"),
        (lambda: holm([0.5, 1.5]), "between 0 and 1"),
        (lambda: wilson(3, 2), "0 to n successes"),
    ],
)
def test_bad_input_names_what_is_wrong(call: Callable[[], Any], reason: str) -> None:
    with pytest.raises(MetricInputError, match=reason):
        call()


def test_wilson_equals_the_published_numbers() -> None:
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for successes, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_order_and_never_lowers(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert (adjusted >= np.asarray(p_values) - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0).all()


def test_the_minimum_detectable_difference_is_found_four_times_in_five() -> None:
    rng, found = np.random.default_rng(6), 0
    for seed in range(200):
        noise = rng.normal(size=100)
        found += compare(noise + minimum_detectable(0.1), np.zeros(100), resamples=300, seed=seed).p <= 0.05
    assert 0.7 <= found / 200 <= 0.9
