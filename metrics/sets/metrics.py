"""The distances between sets as metrics: with statistics to merge, a signature and an interval."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from metrics.metric import (
    Arrays,
    FloatArray,
    MeanMetric,
    Metric,
    MetricInputError,
    check_lengths,
    check_name,
)
from metrics.sets.divergences import kl_divergence_items
from metrics.sets.frechet import Moments, feature_pair, frechet_distance
from metrics.sets.kernels import cmmd, jedi, kernel_audio_distance, kernel_distance
from metrics.sets.real import RealSet, packed_truth, unpacked_truth

Features = NDArray[np.floating]
Direction = Literal["reference||prediction", "prediction||reference"]


class Extractor(Protocol):
    """What turns items (pictures, sounds) into features; `metrics.extractors` has some."""

    @property
    def signature(self) -> str:
        """The network, its weights and its preprocessing."""

    def features(self, items: Sequence[Any]) -> Features:
        """One row of features per item, [N, D]."""


@dataclass(frozen=True, eq=False)
class FeatureSets:
    """The features of both sets: predictions [N, D] and references [M, D].

    Attributes:
        predictions: one row for each item.
        references: one row for each true item, or a real set that is given once.
        given: whether it is such a set, which no item's leaving changes.
    """

    predictions: Features
    references: Features | Moments
    given: bool = False


class SetMetric(Metric[FeatureSets]):
    """A distance between the set of predictions and the set of references.

    With as many references as predictions they count as pairs, and an interval leaves out both sides of
    a pair; otherwise the references are taken as given and only the predictions vary. They may be one
    `RealSet`, repeated for each item.

    Args:
        extractor: what turns items into features; without one the items are rows of features already.
    """

    higher_is_better = False
    interval = "jackknife"
    definition: str
    takes_moments = False

    def __init__(self, extractor: Extractor | None = None) -> None:
        self.extractor = extractor

    @property
    def signature(self) -> str:
        """For example `fid|features:clip-1a2b3c4d|cov:ddof1-f64|v:1`."""
        features = "given" if self.extractor is None else self.extractor.signature
        return f"{self.name}|features:{features}|{self.definition}|v:1"

    @abc.abstractmethod
    def distance(self, predictions: Features, references: Any) -> float:
        """The distance between two sets of features; the second may be `Moments` where it takes those."""

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FeatureSets:
        """The features of every item."""
        rows, real = self._features(predictions), RealSet.shared(references)
        if real is None:
            return FeatureSets(rows, self._features(references))
        return FeatureSets(rows, real.truth, given=True)

    def merge(self, parts: Sequence[FeatureSets]) -> FeatureSets:
        """The features of all parts' items, in order."""
        predictions = np.concatenate([part.predictions for part in parts])
        if parts[0].given:
            return FeatureSets(predictions, parts[0].references, given=True)
        return FeatureSets(predictions, np.concatenate([_rows(part.references) for part in parts]))

    def value(self, statistics: FeatureSets, weights: FloatArray | None = None) -> float:
        """The distance; `weights` must be whole numbers, as an item is in a set or not."""
        predictions, references = statistics.predictions, statistics.references
        if weights is not None:
            times = weights.astype(np.intp)
            if not statistics.given and len(_rows(references)) == len(predictions):
                references = np.repeat(_rows(references), times, axis=0)
            predictions = np.repeat(predictions, times, axis=0)
        if isinstance(references, Moments) and not self.takes_moments:
            raise MetricInputError(
                f"{self.name}: needs the features of the real set, not their moments alone"
            )
        return float(self.distance(predictions, references))

    def size(self, statistics: FeatureSets) -> int:
        """Number of predictions."""
        return len(statistics.predictions)

    def packed(self, statistics: FeatureSets) -> Arrays:
        """Both sets' features."""
        if statistics.given:
            return {"predictions": statistics.predictions, **packed_truth(statistics.references)}
        return {"predictions": statistics.predictions, "references": _rows(statistics.references)}

    def unpacked(self, arrays: Arrays) -> FeatureSets:
        """Both sets' features."""
        truth = unpacked_truth(arrays)
        if truth is not None:
            return FeatureSets(arrays["predictions"], truth, given=True)
        return FeatureSets(arrays["predictions"], arrays["references"])

    def _features(self, items: Sequence[Any]) -> Features:
        rows = np.asarray(items) if self.extractor is None else self.extractor.features(items)
        if rows.ndim != 2:
            raise MetricInputError(
                f"{self.name}: features of shape {rows.shape}; give one row per item, [N, D]"
            )
        return rows


class FID(SetMetric):
    """The Fréchet distance; over VGGish features it is the FAD, over I3D's the FVD.

    >>> metric = FID()
    >>> metric.value(metric.statistics([[0.0], [2.0]], [[3.0], [7.0]]))
    18.0
    """

    name = "fid"
    least = 0.0
    definition = "cov:ddof1-f64"
    takes_moments = True

    def distance(self, predictions: Features, references: Features | Moments) -> float:
        """See `frechet_distance`."""
        return frechet_distance(predictions, references)


class FVD(FID):
    """The Fréchet video distance: over an I3D network's features, one row for each clip.

    >>> metric = FVD()
    >>> metric.value(metric.statistics([[0.0], [2.0]], [[3.0], [7.0]])), metric.signature
    (18.0, 'fvd|features:given|cov:ddof1-f64|v:1')
    """

    name = "fvd"


class KID(SetMetric):
    """The kernel Inception distance over subsets of a stated size.

    >>> rng, metric = np.random.default_rng(0), KID(subsets=10, subset_size=50)
    >>> sets = metric.statistics(rng.normal(1, 1, size=(100, 8)), rng.normal(size=(100, 8)))
    >>> metric.value(sets) > 5, metric.signature
    (True, 'kid|features:given|kernel:(xy/D+1)^3|subsets:10x50|v:1')
    """

    name = "kid"

    def __init__(
        self, extractor: Extractor | None = None, *, subsets: int = 100, subset_size: int = 1000
    ) -> None:
        super().__init__(extractor)
        self.subsets, self.subset_size = subsets, subset_size
        self.definition = f"kernel:(xy/D+1)^3|subsets:{subsets}x{subset_size}"

    def distance(self, predictions: Features, references: Features) -> float:
        """See `kernel_distance`."""
        return kernel_distance(predictions, references, subsets=self.subsets, subset_size=self.subset_size)


class CMMD(SetMetric):
    """CLIP's maximum mean discrepancy; features are scaled to unit length here.

    >>> metric = CMMD()
    >>> metric.value(metric.statistics([[3.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]))
    0.0
    """

    name = "cmmd"
    least = 0.0
    definition = "kernel:rbf-10|estimate:biased|scale:1000"

    def distance(self, predictions: Features, references: Features) -> float:
        """See `cmmd`."""
        return cmmd(_unit(predictions, self.name), _unit(references, self.name))


class KAD(SetMetric):
    """The kernel audio distance, its bandwidth from the predictions as in kadtk.

    >>> rng, metric = np.random.default_rng(0), KAD()
    >>> metric.value(metric.statistics(rng.normal(1, 1, size=(100, 8)), rng.normal(size=(100, 8)))) > 10
    True
    """

    name = "kad"
    definition = "kernel:rbf-median-of-predictions|estimate:unbiased|scale:100"

    def distance(self, predictions: Features, references: Features) -> float:
        """See `kernel_audio_distance`; as for every distance, the predictions are the first set."""
        first, second = feature_pair(predictions, references)
        return kernel_audio_distance(second, first)


class JEDi(SetMetric):
    """JEDi over features of clips, V-JEPA's as published, see `metrics.jedi`.

    >>> rng, metric = np.random.default_rng(0), JEDi()
    >>> sets = metric.statistics(list(rng.normal(1, 1, size=(50, 8))), list(rng.normal(size=(50, 8))))
    >>> metric.value(sets) > 10, metric.signature
    (True, 'jedi|features:given|kernel:(xy/D)^2|estimate:biased|scale:100|v:1')
    """

    name = "jedi"
    least = 0.0
    definition = "kernel:(xy/D)^2|estimate:biased|scale:100"

    def distance(self, predictions: Features, references: Features) -> float:
        """See `jedi`."""
        return jedi(predictions, references)


class KLDivergence(MeanMetric):
    """Mean KL divergence of paired class probabilities, with its direction in its name.

    Args:
        direction: `reference||prediction` as AudioLDM and AudioCraft report it, or the reverse.
        epsilon: added inside the logarithm of the second distribution.

    Raises:
        MetricInputError: an unknown direction.

    >>> metric = KLDivergence(epsilon=0)
    >>> metric.name, metric.statistics([[0.9, 0.1]], [[0.5, 0.5]]).round(4).tolist()
    ('kl_reference_prediction', [0.5108])
    """

    higher_is_better = False

    def __init__(
        self,
        direction: Direction = "reference||prediction",
        *,
        epsilon: float = 1e-6,
    ) -> None:
        check_name("direction", direction, get_args(Direction))
        self.direction, self.epsilon = direction, epsilon
        self.name = "kl_" + direction.replace("||", "_")

    @property
    def signature(self) -> str:
        """For example `kl_reference_prediction|eps:1e-06|v:1`."""
        return f"{self.name}|eps:{self.epsilon:g}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The divergence of each pair, [N]."""
        check_lengths(self.name, predictions, references)
        p, q = references, predictions
        if self.direction == "prediction||reference":
            p, q = q, p
        return kl_divergence_items(np.asarray(p), np.asarray(q), epsilon=self.epsilon)


def _rows(references: Features | Moments) -> Features:
    """The references of items, which are never moments."""
    assert not isinstance(references, Moments)
    return references


def _unit(rows: Features, name: str) -> Features:
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    wrong = ~(np.isfinite(lengths) & (lengths > 0))
    if wrong.any():
        raise MetricInputError(
            f"{name}: embedding {int(np.argmax(wrong))} has no direction, its length being 0 or not finite; "
            "leave the item out"
        )
    return np.asarray(rows / lengths)
