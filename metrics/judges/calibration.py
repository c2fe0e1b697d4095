"""How far a judge's probabilities are right, where the truth is known: accuracy, Brier, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from metrics.metric import ArrayMetric, FloatArray, MeanMetric, MetricInputError, check_lengths

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Judgements of about one probability.

    Attributes:
        low, high: its ends; the first holds 0, and each its upper end.
        n: judgements in it.
        stated: their mean probability; NaN where there are none.
        true: how many of them are true, as a share; NaN likewise.
    """

    low: float
    high: float
    n: int
    stated: float
    true: float


def reliability(probabilities: ArrayLike, truths: ArrayLike, *, bins: int = BINS) -> tuple[Bin, ...]:
    """What a judge says beside how often it is so, in bins of equal width.

    Args:
        probabilities: of "yes", [N] in [0, 1].
        truths: 1 or 0, [N].
        bins: how many.

    Raises:
        MetricInputError: different lengths, a number that is no probability or truth, or no bins.

    >>> [(each.n, each.true) for each in reliability([0.1, 0.2, 0.9], [0, 1, 1], bins=2)]
    [(2, 0.5), (1, 1.0)]
    """
    odds, truth = _pairs(probabilities, truths)
    if bins < 1:
        raise MetricInputError(f"{bins} bins; give at least one")
    place = _bin(odds, bins)
    counts = np.bincount(place, minlength=bins)
    sums, trues = np.bincount(place, odds, bins), np.bincount(place, truth, bins)
    return tuple(
        Bin(
            k / bins,
            (k + 1) / bins,
            int(counts[k]),
            float(sums[k] / counts[k]) if counts[k] else float("nan"),
            float(trues[k] / counts[k]) if counts[k] else float("nan"),
        )
        for k in range(bins)
    )


def expected_calibration_error(probabilities: ArrayLike, truths: ArrayLike, *, bins: int = BINS) -> float:
    """ECE: how far what is said lies from how often it is so, over bins (Naeini et al. 2015).

    Args:
        probabilities: of "yes", [N] in [0, 1].
        truths: 1 or 0, [N].
        bins: of equal width.

    Raises:
        MetricInputError: as `reliability`, or no judgements.

    >>> round(expected_calibration_error([0.1, 0.2, 0.9], [0, 1, 1], bins=2), 6)
    0.266667
    """
    return CalibrationError(bins=bins).value(CalibrationError(bins=bins).statistics(probabilities, truths))


class JudgeAccuracy(MeanMetric):
    """Share of statements that a judge decides rightly: yes from a half on, 0 to 1.

    >>> JudgeAccuracy().statistics([0.7, 0.4, 0.5], [1, 1, 0]).tolist()
    [1.0, 0.0, 0.0]
    """

    name = "judge_accuracy"
    higher_is_better = True
    least = 0.0
    signature = "judge_accuracy|yes:>=0.5|v:1"

    def statistics(
        self, predictions: Sequence[Any] | ArrayLike, references: Sequence[Any] | ArrayLike
    ) -> FloatArray:
        """1 or 0 for each probability and truth, [N]."""
        odds, truth = _pairs(predictions, references)
        return np.where((odds >= 0.5) == (truth == 1), 1.0, 0.0)


class BrierScore(MeanMetric):
    """Mean squared distance of a judge's probability from the truth, 0 to 1; 0.25 is what a shrug gets.

    >>> BrierScore().statistics([0.7, 0.4], [1, 1]).round(6).tolist()
    [0.09, 0.36]
    """

    name = "brier_score"
    higher_is_better = False
    least = 0.0
    signature = "brier_score|v:1"

    def statistics(
        self, predictions: Sequence[Any] | ArrayLike, references: Sequence[Any] | ArrayLike
    ) -> FloatArray:
        """The squared distance of each, [N]."""
        odds, truth = _pairs(predictions, references)
        return np.asarray(np.square(odds - truth))


class CalibrationError(ArrayMetric):
    """The expected calibration error over all judgements; see `expected_calibration_error`.

    >>> metric = CalibrationError(bins=2)
    >>> round(metric.value(metric.statistics([0.1, 0.2, 0.9], [0, 1, 1])), 6), metric.signature
    (0.266667, 'calibration_error|bins:2,equal-width|norm:1|v:1')
    """

    name = "calibration_error"
    higher_is_better = False
    least = 0.0

    def __init__(self, *, bins: int = BINS) -> None:
        if bins < 1:
            raise MetricInputError(f"{bins} bins; give at least one")
        self.bins = bins

    @property
    def signature(self) -> str:
        """How many bins, and of which kind."""
        return f"{self.name}|bins:{self.bins},equal-width|norm:1|v:1"

    def statistics(
        self, predictions: Sequence[Any] | ArrayLike, references: Sequence[Any] | ArrayLike
    ) -> FloatArray:
        """Each probability and its truth, [N, 2]."""
        return np.stack(_pairs(predictions, references), axis=1)

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """The error of the judgements, each as often as it is weighted."""
        if len(statistics) == 0:
            raise MetricInputError(f"{self.name}: no judgements; give at least one")
        times = np.ones(len(statistics)) if weights is None else weights
        place = _bin(statistics[:, 0], self.bins)
        gaps = np.bincount(place, times * (statistics[:, 0] - statistics[:, 1]), self.bins)
        return float(np.abs(gaps).sum() / times.sum())


def _bin(odds: FloatArray, bins: int) -> Any:
    return np.clip(np.ceil(odds * bins).astype(np.intp) - 1, 0, bins - 1)


def _pairs(probabilities: Any, truths: Any) -> tuple[FloatArray, FloatArray]:
    odds, truth = (np.asarray(side, dtype=np.float64).ravel() for side in (probabilities, truths))
    check_lengths("judgements", odds, truth)
    wrong = ~((odds >= 0) & (odds <= 1))
    if wrong.any():
        number = int(np.argmax(wrong))
        raise MetricInputError(f"item {number}: {odds[number]} is no probability; give 0 to 1")
    if not np.isin(truth, (0.0, 1.0)).all():
        raise MetricInputError("a truth is neither 1 nor 0")
    return odds, truth
