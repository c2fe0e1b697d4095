"""Agreement of people and of metrics with them: against the reference package, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metrics.metric import MetricInputError
from metrics.people.agreement import Level, krippendorff_alpha, metric_agreement

NAN = float("nan")
# Krippendorff's own example (2011, "Computing Krippendorff's alpha-reliability"), 4 raters, 12 units.
TABLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_the_published_example(level: Level, published: float) -> None:
    assert krippendorff_alpha(TABLE, level=level, resamples=20).value == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_equals_the_reference_package(level: Level) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(0)
    for _ in range(20):
        table = rng.integers(0, 6, size=(4, 25)).astype(float)
        table[rng.random(table.shape) < 0.3] = np.nan
        expected = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
        assert krippendorff_alpha(table, level=level, resamples=2).value == pytest.approx(expected, abs=1e-12)


def test_a_ratio_scale_begins_at_zero() -> None:
    assert krippendorff_alpha([[0, 0, 4], [0, 0, 4]], level="ratio", resamples=2).value == 1
    with pytest.raises(MetricInputError, match="a rating is -1, and a ratio scale begins at 0"):
        krippendorff_alpha([[-1, 2], [1, 2]], level="ratio")


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
