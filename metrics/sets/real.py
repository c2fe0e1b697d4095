"""A real set that is given once for all predictions, where its media cannot be given away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.metric import Arrays, MetricInputError
from metrics.sets.frechet import Moments, feature_rows

Features = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class RealSet:
    """The features of a real set, or the moments of these: every prediction's reference is the whole of it.

    Attributes:
        truth: features [M, D], or their mean and covariance, which Fréchet distances alone can use.
        content_hash: what tells it from others.

    >>> real = RealSet.of({"mu": np.zeros(2), "sigma": np.eye(2)}, "fid_stats.npz")
    >>> real.width, type(real.truth).__name__
    (2, 'Moments')
    """

    truth: Features | Moments
    content_hash: str

    @property
    def width(self) -> int:
        """Numbers in a row of features."""
        return len(self.truth.mean) if isinstance(self.truth, Moments) else self.truth.shape[1]

    @classmethod
    def of(cls, arrays: Arrays, name: str) -> RealSet:
        """A set from arrays: ``features``, or pytorch-fid's ``mu`` and ``sigma``.

        Args:
            arrays: by their names.
            name: of where they come from, for messages.

        Raises:
            MetricInputError: neither, or values that are not finite or make no sense.
        """
        if "features" in arrays:
            rows = feature_rows(arrays["features"], name)
            return cls(rows, hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest())
        if not {"mu", "sigma"} <= arrays.keys():
            found = ", ".join(arrays) or "nothing"
            raise MetricInputError(f"{name}: holds {found}; give features [M, D], or mu [D] and sigma [D, D]")
        try:
            moments = Moments(arrays["mu"], arrays["sigma"])
        except MetricInputError as error:
            raise MetricInputError(f"{name}: {error}") from error
        content = moments.mean.tobytes() + moments.covariance.tobytes()
        return cls(moments, hashlib.sha256(content).hexdigest())

    @staticmethod
    def shared(references: Sequence[Any]) -> RealSet | None:
        """The set that all of these are; None where they are references of their own.

        Raises:
            MetricInputError: some are, and some are not, or they are several sets; or a reference is None.
        """
        if any(each is None for each in references):
            raise MetricInputError(
                "true items are not here; fetch them all, or give features of the real set"
            )
        sets = {each.content_hash: each for each in references if isinstance(each, RealSet)}
        if not sets:
            return None
        if len(sets) > 1 or not all(isinstance(each, RealSet) for each in references):
            raise MetricInputError("references of several real sets, or of one and of items; give one set")
        return next(iter(sets.values()))


def packed_truth(truth: Features | Moments) -> Arrays:
    """A real set's truth as arrays by name.

    >>> sorted(packed_truth(Moments(np.zeros(1), np.eye(1))))
    ['covariance', 'mean']
    """
    if isinstance(truth, Moments):
        return {"mean": truth.mean, "covariance": truth.covariance}
    return {"real": truth}


def unpacked_truth(arrays: Arrays) -> Features | Moments | None:
    """What `packed_truth` made arrays of; None where they hold no real set.

    >>> unpacked_truth({"references": np.eye(2)}) is None
    True
    """
    if "mean" in arrays:
        return Moments(arrays["mean"], arrays["covariance"])
    return arrays.get("real")
