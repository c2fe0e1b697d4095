"""Real sets that are given once: features, or the mean and covariance that FID's programs keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metrics.metric import MetricInputError
from metrics.sets.frechet import Moments, frechet_distance
from metrics.sets.metrics import FID, FVD, KID
from metrics.sets.real import RealSet
from metrics.sets.sounds import FAD, FD, WindowKAD
from metrics.statistics import estimate

RNG = np.random.default_rng(0)
MADE, TRUE = RNG.normal(size=(60, 8)), RNG.normal(0.5, 1.5, size=(90, 8))


def moments(rows: Any) -> dict[str, Any]:
    return {"mu": rows.mean(axis=0), "sigma": np.cov(rows, rowvar=False)}


@pytest.mark.parametrize(
    ("made", "true", "width"), [(60, 90, 8), (5, 90, 8), (60, 5, 8), (5, 6, 8), (9, 9, 1)]
)
def test_moments_are_as_far_as_the_features_that_they_are_of(made: int, true: int, width: int) -> None:
    first, second = RNG.normal(size=(made, width)), RNG.normal(1, 2, size=(true, width))
    mean, covariance = second.mean(axis=0), np.atleast_2d(np.cov(second, rowvar=False))
    assert frechet_distance(first, Moments(mean, covariance)) == pytest.approx(
        frechet_distance(first, second)
    )
    single = Moments(mean.astype(np.float32), covariance.astype(np.float32))
    assert frechet_distance(first, single) == pytest.approx(frechet_distance(first, second), rel=1e-4)


@pytest.mark.parametrize("make", [FID, FVD, FD])
@pytest.mark.parametrize("form", ["moments", "features"])
def test_a_set_that_is_given_once_serves_every_batch_and_interval(make: Callable[[], Any], form: str) -> None:
    metric = make()
    real = RealSet.of(moments(TRUE) if form == "moments" else {"features": TRUE}, "real.npz")
    parts = [metric.statistics(list(part), [real] * len(part)) for part in (MADE[:20], MADE[20:])]
    found = metric.merge(parts)
    assert metric.value(found) == pytest.approx(frechet_distance(MADE, TRUE))
    again = metric.unpacked(metric.packed(found))
    assert metric.value(again) == metric.value(found)
    whole = estimate(metric, found)
    assert whole.low < whole.value < whole.high


def test_as_many_real_rows_as_predictions_are_no_pairs() -> None:
    real = RealSet.of({"features": TRUE[:60]}, "real.npz")
    metric, weights = FID(), np.array([1.0] * 30 + [0.0] * 30)
    found = metric.value(metric.statistics(list(MADE), [real] * 60), weights)
    assert found == pytest.approx(frechet_distance(MADE[:30], TRUE[:60]))


@pytest.mark.parametrize("form", ["moments", "features"])
def test_sounds_are_held_against_windows_that_are_given(form: str) -> None:
    sounds = [MADE[start : start + 3] for start in range(0, 60, 3)]
    real = RealSet.of(moments(TRUE) if form == "moments" else {"features": TRUE}, "real.npz")
    fad = FAD()
    found = fad.merge([fad.statistics(part, [real] * len(part)) for part in (sounds[:5], sounds[5:])])
    assert fad.value(fad.unpacked(fad.packed(found))) == pytest.approx(frechet_distance(MADE, TRUE))
    kad = WindowKAD()
    if form == "features":
        pairs = kad.statistics(sounds, [TRUE])
        assert kad.value(kad.statistics(sounds, [real] * 20)) == pytest.approx(kad.value(pairs))
    else:
        with pytest.raises(MetricInputError, match="kad: needs the features of the real set"):
            kad.value(kad.statistics(sounds, [real] * 20))


def test_kernels_need_features() -> None:
    metric, real = KID(subsets=3, subset_size=20), RealSet.of(moments(TRUE), "real.npz")
    with pytest.raises(MetricInputError, match="kid: needs the features of the real set, not their moments"):
        metric.value(metric.statistics(list(MADE), [real] * 60))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"other": TRUE}, r"s\.npz: holds other; give features"),
        ({"mu": np.zeros(3)}, r"s\.npz: holds mu; give"),
        (
            {"mu": np.zeros(3), "sigma": np.eye(2)},
            r"s\.npz: a mean of shape \(3,\) and a covariance of \(2, 2\)",
        ),
        ({"mu": np.full(2, np.nan), "sigma": np.eye(2)}, "not finite"),
        (
            {"mu": np.zeros(2), "sigma": np.array([[1.0, 5.0], [0.0, 1.0]])},
            "is symmetric, and this one is not",
        ),
        ({"features": np.zeros((1, 3))}, r"s\.npz has 1 sample"),
    ],
)
def test_what_is_no_real_set_is_refused_by_name(arrays: dict[str, Any], words: str) -> None:
    with pytest.raises(MetricInputError, match=words):
        RealSet.of(arrays, "s.npz")


def test_references_are_one_set_or_none() -> None:
    one, other = RealSet.of({"features": TRUE}, "a"), RealSet.of(moments(TRUE), "b")
    for mixed in ([one, other], [one, TRUE[0]]):
        with pytest.raises(MetricInputError, match="give one set"):
            FID().statistics(list(MADE[:2]), mixed)
    with pytest.raises(MetricInputError, match="features of 8 dimensions and moments of 2"):
        FID().distance(MADE, Moments(np.zeros(2), np.eye(2)))
