"""Distances between sets of sounds, and the audio Inception Score, as metrics.

A network hears a sound in one window or in several, so an item is a handful of rows of features. The
distance is taken between all rows, as published; an interval leaves out whole sounds, never single windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from metrics.metric import ArrayMetric, Arrays, FloatArray, Metric, MetricInputError
from metrics.sets.divergences import inception_score, probability_rows
from metrics.sets.frechet import Moments
from metrics.sets.metrics import FID, KAD, FeatureSets, SetMetric
from metrics.sets.real import RealSet, packed_truth, unpacked_truth

Rows = NDArray[np.floating]


class WindowExtractor(Protocol):
    """What turns sounds into rows of features, at least one each; `metrics.extractors` has some."""

    @property
    def signature(self) -> str:
        """The network, its weights, sample rate and window, and what becomes of odd sounds."""

    def windows(self, items: Sequence[Any]) -> list[Rows]:
        """The rows of each sound, [K_i, D]."""


class Classifier(Protocol):
    """What gives sounds probabilities of classes."""

    @property
    def signature(self) -> str:
        """The network, its weights and its preprocessing."""

    def probabilities(self, items: Sequence[Any]) -> FloatArray:
        """One distribution per sound, [N, C]."""


@dataclass(frozen=True, eq=False)
class WindowSets:
    """The rows of every prediction and of every reference, one array [K_i, D] each.

    Attributes:
        predictions: one array for each sound.
        references: one array for each true sound; empty where a real set is given once.
        real: that set.
    """

    predictions: tuple[Rows, ...]
    references: tuple[Rows, ...]
    real: Rows | Moments | None = None


class WindowMetric(Metric[WindowSets]):
    """A distance between two sets of sounds, over the rows of all their windows.

    With as many references as predictions they count as pairs, and an interval leaves out both sounds of
    a pair; otherwise the references are taken as given and only the predictions vary. They may be one
    `RealSet` of windows, repeated for each sound.

    Args:
        extractor: what turns sounds into rows; without one the items are arrays of rows [K_i, D] already.
    """

    higher_is_better = False
    interval = "jackknife"
    between: SetMetric

    def __init__(self, extractor: WindowExtractor | None = None) -> None:
        self.extractor = extractor

    @property
    def signature(self) -> str:
        """For example `fad|features:vggish@10086976,16000Hz,window:0.96s,...|cov:ddof1-f64|v:1`."""
        features = "given" if self.extractor is None else self.extractor.signature
        return f"{self.name}|features:{features}|rows:windows|{self.between.definition}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> WindowSets:
        """The rows of every sound."""
        rows, real = self._rows(predictions, f"{self.name}: prediction"), RealSet.shared(references)
        if real is not None:
            return WindowSets(rows, (), real.truth)
        return WindowSets(rows, self._rows(references, f"{self.name}: reference"))

    def merge(self, parts: Sequence[WindowSets]) -> WindowSets:
        """The sounds of all parts, in order."""
        return WindowSets(
            tuple(rows for part in parts for rows in part.predictions),
            tuple(rows for part in parts for rows in part.references),
            parts[0].real,
        )

    def value(self, statistics: WindowSets, weights: FloatArray | None = None) -> float:
        """The distance; `weights` must be whole numbers, as a sound is in a set or not."""
        predictions, references = statistics.predictions, statistics.references
        if weights is not None:
            if len(references) == len(predictions):
                references = _repeated(references, weights)
            predictions = _repeated(predictions, weights)
        truth = _stacked(references) if statistics.real is None else statistics.real
        return self.between.value(FeatureSets(_stacked(predictions), truth, given=True))

    def size(self, statistics: WindowSets) -> int:
        """Number of predicted sounds."""
        return len(statistics.predictions)

    def packed(self, statistics: WindowSets) -> Arrays:
        """The rows of all sounds of either set, and how many rows each sound has."""
        real = {} if statistics.real is None else packed_truth(statistics.real)
        return {
            **real,
            "predictions": _stacked(statistics.predictions),
            "prediction_rows": np.array([len(rows) for rows in statistics.predictions], dtype=np.int64),
            "references": _stacked(statistics.references),
            "reference_rows": np.array([len(rows) for rows in statistics.references], dtype=np.int64),
        }

    def unpacked(self, arrays: Arrays) -> WindowSets:
        """The rows of every sound."""
        return WindowSets(
            _taken_apart(arrays["predictions"], arrays["prediction_rows"]),
            _taken_apart(arrays["references"], arrays["reference_rows"]),
            unpacked_truth(arrays),
        )

    def _rows(self, items: Sequence[Any], name: str) -> tuple[Rows, ...]:
        extract = _given if self.extractor is None else self.extractor.windows
        rows = extract(items)
        for number, row in enumerate(rows):
            if row.ndim != 2 or row.size == 0:
                raise MetricInputError(f"{name} {number} has rows of shape {row.shape}; give [K, D], K >= 1")
            if row.shape[1] != rows[0].shape[1]:
                raise MetricInputError(
                    f"{name} {number} has {row.shape[1]} dimensions and the first {rows[0].shape[1]}; "
                    "use one network"
                )
        return tuple(rows)


class FAD(WindowMetric):
    """The Fréchet audio distance: over VGGish as published (Kilgour et al. 2019), or CLAP's windows.

    It is biased upwards for few windows, and by the network: a value says little without its signature.

    >>> rng = np.random.default_rng(0)
    >>> sounds = [rng.normal(size=(3, 4)) for _ in range(20)]
    >>> fad = FAD()
    >>> fad.value(fad.statistics([rows + 1 for rows in sounds], sounds))  # four means, 1 apart
    4.0...
    >>> fad.signature
    'fad|features:given|rows:windows|cov:ddof1-f64|v:1'
    """

    name = "fad"
    least = 0.0
    between = FID()


class WindowKAD(WindowMetric):
    """The kernel audio distance over windows, its bandwidth from the predictions as in kadtk.

    >>> rng, kad = np.random.default_rng(0), WindowKAD()
    >>> sounds = [rng.normal(size=(3, 8)) for _ in range(40)]
    >>> kad.value(kad.statistics([rows + 1 for rows in sounds], sounds)) > 10
    True
    """

    name = "kad"
    between = KAD()


class FD(FID):
    """The Fréchet distance over one row per sound: PANNs' Cnn14, layer `2048`, as AudioLDM reports it.

    >>> fd = FD()
    >>> fd.value(fd.statistics([[0.0], [2.0]], [[3.0], [7.0]])), fd.signature
    (18.0, 'fd|features:given|cov:ddof1-f64|v:1')
    """

    name = "fd"


class AudioInceptionScore(ArrayMetric):
    """The Inception Score of sounds, over a classifier's probabilities; references are not looked at.

    Args:
        classifier: what gives sounds probabilities, such as `PannsExtractor(layer="logits")`; without
            one the items are distributions already.
        splits: the sounds are split into so many parts, in the order given; with few sounds the score
            depends strongly on it.

    >>> score = AudioInceptionScore(splits=1)
    >>> score.value(score.statistics([[1.0, 0.0], [0.0, 1.0]]))  # sure, and of two kinds
    2.0
    """

    name = "audio_inception_score"
    higher_is_better = True
    interval = "jackknife"
    least = 1.0

    def __init__(self, classifier: Classifier | None = None, *, splits: int = 10) -> None:
        self.classifier, self.splits = classifier, splits

    @property
    def signature(self) -> str:
        """For example `audio_inception_score|classes:panns-cnn14@...|dist:softmax|splits:10|...|v:1`."""
        classes = "given" if self.classifier is None else f"{self.classifier.signature}|dist:softmax"
        return f"{self.name}|classes:{classes}|splits:{self.splits}|order:given|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any] = ()) -> FloatArray:
        """Each sound's distribution, [N, C]."""
        rows = predictions if self.classifier is None else self.classifier.probabilities(predictions)
        return probability_rows(np.asarray(rows), "predictions")

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """The score; `weights` must be whole numbers."""
        rows = statistics if weights is None else np.repeat(statistics, weights.astype(np.intp), axis=0)
        return float(inception_score(rows, splits=self.splits))


def _given(items: Sequence[Any]) -> list[Rows]:
    return [np.asarray(item) for item in items]


def _repeated(sounds: tuple[Rows, ...], weights: FloatArray) -> tuple[Rows, ...]:
    return tuple(rows for rows, times in zip(sounds, weights, strict=True) for _ in range(int(times)))


def _stacked(sounds: tuple[Rows, ...]) -> Rows:
    """All rows of all sounds, [sum of K_i, D]."""
    return np.concatenate(sounds) if sounds else np.zeros((0, 1))


def _taken_apart(rows: Rows, counts: NDArray[np.int64]) -> tuple[Rows, ...]:
    """The reverse of `_stacked`: so many rows for each sound."""
    return tuple(np.split(rows, np.cumsum(counts))[:-1])
