"""Precision and recall of a set of generated items: how many look real, how many real ones are covered."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from metrics.metric import FloatArray, MetricInputError
from metrics.sets.frechet import feature_pair

CHUNK = 1024  # rows of a distance matrix held in memory at a time


def precision_recall(predictions: ArrayLike, references: ArrayLike, *, k: int = 3) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al. 2019).

    A set's manifold is the union of balls around its items, each as wide as the distance to its k-th
    nearest neighbour. Precision is the share of predictions inside the references' manifold, recall the
    share of references inside the predictions'. Both grow with the sample count: compare at equal n.

    Args:
        predictions: features, [N, D].
        references: features, [M, D].
        k: which neighbour sets the radius.

    Returns:
        Precision and recall, each in [0, 1].

    Raises:
        MetricInputError: a set of no more than k items, values that are not finite or whose squares
            overflow, different dimensions.

    >>> precision_recall([[0.0], [1.0], [9.0], [10.0]], [[0.0], [1.0], [2.0], [3.0]], k=1)
    (0.5, 0.75)
    """
    first, second = (rows.astype(np.float64) for rows in feature_pair(predictions, references))
    if not 1 <= k < min(len(first), len(second)):
        raise MetricInputError(
            f"k={k} neighbours need sets larger than k; these have {len(first)} and {len(second)}"
        )
    return _inside(first, second, _radii(second, k)), _inside(second, first, _radii(first, k))


def _radii(rows: FloatArray, k: int) -> FloatArray:
    """Distance of each row to its k-th nearest other row, [N]."""
    from scipy.spatial.distance import cdist

    radii = np.empty(len(rows))
    for start in range(0, len(rows), CHUNK):
        distances = cdist(rows[start : start + CHUNK], rows)
        radii[start : start + CHUNK] = np.partition(distances, k, axis=1)[:, k]  # column 0 is the row itself
    if not np.isfinite(radii).all():
        raise MetricInputError("distances between the features overflow double precision; scale them down")
    return radii


def _inside(rows: FloatArray, centres: FloatArray, radii: FloatArray) -> float:
    """Share of rows that lie in at least one ball."""
    from scipy.spatial.distance import cdist

    hits = 0
    for start in range(0, len(rows), CHUNK):
        hits += int((cdist(rows[start : start + CHUNK], centres) <= radii).any(axis=1).sum())
    return hits / len(rows)
