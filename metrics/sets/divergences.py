"""Scores from class probabilities: the Inception Score, and the divergence of paired clips."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from metrics.metric import FloatArray, MetricInputError
from metrics.sets.frechet import Measured


def probability_rows(probabilities: ArrayLike, name: str) -> FloatArray:
    """Checked class probabilities as float64 [N, C].

    Raises:
        MetricInputError: not two-dimensional or empty, or a row that is no distribution; names the row.
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0:
        raise MetricInputError(
            f"{name} has shape {rows.shape}; give one row of class probabilities per item, [N, C]"
        )
    wrong = ~(np.isfinite(rows).all(axis=1) & (rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) < 1e-3))
    if wrong.any():
        raise MetricInputError(
            f"{name}[{int(np.argmax(wrong))}] is no distribution over classes; give softmax(logits)"
        )
    return rows


def inception_score(probabilities: ArrayLike, *, splits: int = 10) -> Measured:
    """The exponential of the items' mean divergence from the mean class probabilities of their split.

    As OpenAI's: items in the given order (shuffle them if they are sorted), split i from i*N//splits to
    (i+1)*N//splits, the mean over splits. With few items it depends strongly on the number of splits.

    Args:
        probabilities: softmax outputs, [N, C]; for the published score those of the 2015 Inception
            without its last bias (`logits_unbiased`).
        splits: number of splits.

    Returns:
        The mean over splits, with their standard deviation (ddof 0) as `spread`.

    Raises:
        MetricInputError: fewer items than splits, or a row that is no distribution.

    >>> float(inception_score([[0.5, 0.5]] * 4, splits=1)), float(inception_score([[1, 0], [0, 1]], splits=1))
    (1.0, 2.0)
    """
    rows = probability_rows(probabilities, "probabilities")
    if not 1 <= splits <= len(rows):
        raise MetricInputError(f"{len(rows)} items cannot make {splits} splits; lower splits and report it")
    bounds = [number * len(rows) // splits for number in range(splits + 1)]
    scores = np.empty(splits)
    for number, (start, stop) in enumerate(pairwise(bounds)):
        part = rows[start:stop]
        scores[number] = np.exp(_divergence(part, np.broadcast_to(part.mean(axis=0), part.shape), 0.0).mean())
    error = float(scores.std(ddof=1) / np.sqrt(splits)) if splits > 1 else float("inf")
    return Measured(float(scores.mean()), error, float(scores.std()), f"{splits} splits in order")


def kl_divergence(p: ArrayLike, q: ArrayLike, *, epsilon: float = 1e-6) -> float:
    """Mean of KL(p || q) over paired items: the first argument's divergence from the second.

    AudioLDM's KL is `kl_divergence(references, predictions)`; stable-audio-metrics' is the reverse. Their
    numbers are not comparable, so a result carries its direction in its name.

    Args:
        p: class probabilities, [N, C].
        q: the paired items' probabilities, [N, C].
        epsilon: added to q inside the logarithm, as AudioLDM and AudioCraft do; it lets equal
            distributions come out as little as C * epsilon below zero. With 0 the value is exact, and
            infinite where q excludes what p allows.

    Raises:
        MetricInputError: different shapes, or a row that is no distribution.

    >>> round(kl_divergence([[0.5, 0.5]], [[0.9, 0.1]], epsilon=0), 4)
    0.5108
    """
    return float(kl_divergence_items(p, q, epsilon=epsilon).mean())


def kl_divergence_items(p: ArrayLike, q: ArrayLike, *, epsilon: float = 1e-6) -> FloatArray:
    """KL(p || q) of each pair, [N]; `kl_divergence` is its mean and says the rest.

    >>> kl_divergence_items([[0.5, 0.5], [1, 0]], [[0.9, 0.1], [1, 0]], epsilon=0).round(4).tolist()
    [0.5108, 0.0]
    """
    first, second = probability_rows(p, "p"), probability_rows(q, "q")
    if first.shape != second.shape:
        raise MetricInputError(
            f"p has shape {first.shape} and q {second.shape}; give a row of q for each of p"
        )
    return _divergence(first, second, epsilon)


def _divergence(p: FloatArray, q: FloatArray, epsilon: float) -> FloatArray:
    """KL(p || q) of each row, [N]; 0 log 0 is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q + epsilon)), 0.0)
    return np.asarray(terms.sum(axis=1))
