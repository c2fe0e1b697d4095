"""Distances as metrics: huge features have no distance, and all call the same set by the same name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metrics import CMMD, FAD, FD, FID, KAD, KID, WindowKAD, frechet_distance, precision_recall
from metrics.metric import Metric, MetricInputError
from metrics.statistics import compare_metric, estimate

DISTANCES = [FID(), FD(), KID(subsets=2, subset_size=10), CMMD(), KAD(), FAD(), WindowKAD()]


def _sets(metric: Metric[Any], scale: float = 1.0, n: int = 40) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    first, second = scale * rng.normal(size=(n, 4)), rng.normal(1, 1, size=(n, 4))
    if isinstance(metric, FAD | WindowKAD):
        return list(first.reshape(-1, 2, 4)), list(second.reshape(-1, 2, 4))
    return first, second


@pytest.mark.parametrize("n", [12, 40])
@pytest.mark.parametrize("metric", [m for m in DISTANCES if not isinstance(m, CMMD)], ids=lambda m: m.name)
def test_huge_features_have_no_distance(metric: Metric[Any], n: int) -> None:
    huge = metric.statistics(*_sets(metric, 1e160, n))
    found, other = estimate(metric, huge), metric.statistics(*_sets(metric, 1.0, n))
    assert not np.isfinite(found.value)
    assert found.method.startswith("undefined: the value is ")
    assert "jackknife" not in found.method
    assert compare_metric(metric, huge, other).method.startswith("undefined: ")


@pytest.mark.parametrize("n", [3, 12, 40])
def test_two_sets_of_huge_features_are_no_perfect_pair(n: int) -> None:
    rng = np.random.default_rng(0)
    first, second = 1e160 * rng.normal(size=(2, n, 4))
    assert frechet_distance(first, second) == np.inf
    assert estimate(FID(), FID().statistics(first, second)).method.startswith("undefined: the value is inf")
    with pytest.raises(MetricInputError, match="overflow double precision"):
        precision_recall(first, second, k=1)


def test_cmmd_of_huge_features_is_not_that_of_zeros() -> None:
    huge = CMMD().statistics(*_sets(CMMD(), 1e160))
    with pytest.raises(MetricInputError, match="cmmd: embedding 0 has no direction"):
        CMMD().value(huge)
    large, plain = (CMMD().statistics(*_sets(CMMD(), scale)) for scale in (1e150, 1.0))
    assert CMMD().value(large) == pytest.approx(CMMD().value(plain), abs=1e-9)


@pytest.mark.parametrize("metric", [m for m in DISTANCES if not isinstance(m, CMMD)], ids=lambda m: m.name)
def test_the_predictions_are_the_first_set_of_every_distance(metric: Metric[Any]) -> None:
    for side, name in enumerate(("first", "second")):
        given = _sets(metric)
        given[side][3][..., 1] = np.nan
        with pytest.raises(
            MetricInputError, match=rf"^the {name} set\[\d\] holds a value that is not finite"
        ):
            metric.value(metric.statistics(*given))


@pytest.mark.parametrize("metric", [KAD(), WindowKAD()], ids=lambda metric: type(metric).__name__)
def test_a_bandwidth_of_zero_names_the_sounds_and_no_order(metric: Metric[Any]) -> None:
    given, _ = _sets(metric)
    same = metric.statistics([0 * rows for rows in given], given)
    with pytest.raises(MetricInputError, match="half of the pairs of evaluated sounds are equal"):
        metric.value(same)
