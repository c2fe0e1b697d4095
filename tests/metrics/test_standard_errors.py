"""Every estimate and comparison carries its standard error, equal to an independent computation of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metrics import FID, bootstrap, compare, compare_metric, estimate
from metrics.captions.metrics import Bleu, CiderD
from metrics.metric import Comparison, Estimate
from metrics.people.agreement import agreement_intervals, krippendorff_alpha
from metrics.people.crossed import crossed_difference, crossed_mean, crossed_win_rate
from metrics.people.preferences import bradley_terry, crossed_strengths
from metrics.statistics import proportion

RNG = np.random.default_rng(7)
VALUES, OTHERS = RNG.normal(size=(2, 60))
GROUPS = np.repeat(np.arange(20), 3)


def sandwich(values: Any, groups: Any) -> float:
    """statsmodels' cluster-robust standard error of a mean."""
    from statsmodels.api import OLS

    kinds = {"groups": groups, "use_correction": False}
    fitted = OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds=kinds)
    count = len(np.unique(groups))
    return float(fitted.bse[0] * np.sqrt(count / (count - 1)))


def test_the_error_of_a_mean_is_the_field_s_own() -> None:
    assert bootstrap(VALUES).standard_error == pytest.approx(VALUES.std(ddof=1) / np.sqrt(60), rel=1e-12)
    assert bootstrap(VALUES, GROUPS).standard_error == pytest.approx(sandwich(VALUES, GROUPS), rel=1e-9)
    right = (VALUES > 0).astype(float)
    assert bootstrap(right, GROUPS).standard_error == pytest.approx(sandwich(right, GROUPS), rel=1e-9)
    assert proportion(9, 12).standard_error == pytest.approx(
        bootstrap([1.0] * 9 + [0.0] * 3).standard_error, rel=1e-12
    )


def test_the_error_of_a_difference_is_that_of_paired_items() -> None:
    found = compare(VALUES, OTHERS, GROUPS)
    assert found.standard_error == pytest.approx(sandwich(VALUES - OTHERS, GROUPS), rel=1e-9)
    assert found.minimum_detectable == pytest.approx(2.8015852 * found.standard_error, rel=1e-6)


def test_a_corpus_metric_s_error_is_its_resamples_and_a_distance_s_the_jackknife_s() -> None:
    said = [f"a {colour} {shape}" for colour in ("red", "blue", "green") for shape in ("ball", "box")]
    true = [[f"one {text[2:]}", text.replace("red", "pink")] for text in said]
    bleu = Bleu(2)
    statistics = bleu.statistics(said, true)
    assert 0 < estimate(bleu, statistics).standard_error < 0.5
    fid = FID()
    true = list(RNG.normal(size=(200, 2)))
    sets = fid.statistics(list(RNG.normal(1, 1, size=(200, 2))), true)
    found = estimate(fid, sets)
    half = (found.high - found.low) / 2
    assert found.standard_error == pytest.approx(half / 2.0930240544, rel=1e-9)  # Student's t of 19
    other = fid.statistics(list(RNG.normal(2, 1, size=(200, 2))), true)
    gap = compare_metric(fid, sets, other)
    assert gap.standard_error == pytest.approx((gap.high - gap.low) / 2 / 2.0930240544, rel=1e-9)


RATERS, ITEMS = ["r", "r", "r", "s", "s", "s", "t", "t", "t"], [*"abc"] * 3
RATINGS = [1, 2, 4, 2, 2, 5, 1, 4, 4]
OUTCOMES = [1, 0, 1, 1, 0.5, 0, 1, 1, 0]
CAPTIONS = [["a dog"], ["two cats"], ["no"]]
VOTES = [("x", "y", outcome) for outcome in OUTCOMES]


@pytest.mark.parametrize(
    "made",
    [
        lambda: krippendorff_alpha(np.reshape(RATINGS, (3, 3)), level="interval"),
        lambda: agreement_intervals([VALUES, OTHERS], [VALUES + OTHERS, OTHERS])["item"],
        lambda: bradley_terry(VOTES, resamples=100)["x"],
        lambda: crossed_strengths(VOTES, RATERS, ITEMS)["x"],
        lambda: crossed_mean(RATINGS, RATERS, ITEMS)[0],
        lambda: crossed_win_rate(OUTCOMES, RATERS, ITEMS)[0],
        lambda: crossed_difference(RATINGS, [0, 1, 1, 0, 0, 1, 1, 0, 1], RATERS, ITEMS)[0],
        lambda: compare_metric(
            CiderD(),
            CiderD().statistics(["a dog", "one cat", "no"], CAPTIONS),
            CiderD().statistics(["a cat", "two cats", "so"], CAPTIONS),
        ),
    ],
)
def test_every_interval_comes_with_an_error(made: Callable[[], Estimate | Comparison]) -> None:
    found = made()
    assert np.isfinite(found.low)
    assert 0 < found.standard_error < found.high - found.low


def test_where_nothing_is_known_of_the_spread_the_error_is_infinite() -> None:
    alone = bootstrap(VALUES[:3], [0, 0, 0])
    assert (alone.low, alone.standard_error) == (-np.inf, np.inf)
    assert compare(VALUES[:3], OTHERS[:3], [0, 0, 0]).standard_error == np.inf
    assert Estimate(float("nan"), 0.0, 1.0, 3, "bootstrap", 0.1).standard_error == np.inf
    assert crossed_mean([1, 2], ["r", "r"], ["a", "b"])[0].standard_error == np.inf
