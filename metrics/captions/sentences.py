"""Captions by what they mean: similarity of sentences, FENSE, a penalty where they are not fluent.

Definitions are those of FENSE's and aac-metrics' code (Zhou et al., ICASSP 2022; Labbé, aac-metrics at
1277a4d): the mean cosine with the references, and a caption whose probability of a fluency error is above 0.9
keeps a tenth. FENSE as published embeds by paraphrase-TinyBERT-L6-v2; over another network the signature says
so, and the numbers are not comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths
from metrics.pairs.similarity import cosines

THRESHOLD, PENALTY = 0.9, 0.9


class SentenceEmbedder(Protocol):
    """What puts sentences into a space; `metrics.extractors.SentenceExtractor` does."""

    @property
    def signature(self) -> str:
        """The network, its weights and how tokens become a sentence."""

    def texts(self, texts: Sequence[str]) -> NDArray[np.floating]:
        """One embedding of each text, [N, D]."""


def sentence_similarity_items(candidates: ArrayLike, references: Sequence[ArrayLike]) -> FloatArray:
    """The mean cosine of each caption with its references, [N]; FENSE's sentence part.

    Args:
        candidates: embeddings of the captions, [N, D].
        references: embeddings of each one's references, N arrays [R_i, D].

    Raises:
        MetricInputError: an item without references, or an embedding without a direction.

    >>> sentence_similarity_items([[1.0, 0.0]], [[[2.0, 0.0], [0.0, 1.0]]]).tolist()
    [0.5]
    """
    rows = np.asarray(candidates)
    check_lengths("sentence_similarity", rows, references)
    found = np.empty(len(rows))
    for number, group in enumerate(references):
        others = np.asarray(group)
        if len(others) == 0:
            raise MetricInputError(f"sentence_similarity: item {number} has no reference; give at least one")
        found[number] = cosines(np.broadcast_to(rows[number], others.shape), others).mean()
    return found


def fluency_penalised(items: ArrayLike, error_probabilities: ArrayLike) -> FloatArray:
    """Items' values, of which a tenth stays where a caption is probably not fluent, [N].

    Of sentence similarities it makes FENSE; of SPIDEr's items, SPIDEr-FL.

    Args:
        items: value of each caption, [N].
        error_probabilities: probability of a fluency error in each, [N] in [0, 1].

    Raises:
        MetricInputError: different lengths, or a probability that is none.

    >>> fluency_penalised([0.5, 0.5], [0.95, 0.9]).round(6).tolist()  # at 0.9 itself there is no penalty
    [0.05, 0.5]
    """
    values, odds = np.asarray(items, dtype=np.float64), np.asarray(error_probabilities, dtype=np.float64)
    check_lengths("fluency_penalised", values, odds)
    wrong = ~((odds >= 0) & (odds <= 1))
    if wrong.any():
        number = int(np.argmax(wrong))
        raise MetricInputError(
            f"item {number}: {odds[number]} is no probability of a fluency error; give 0 to 1"
        )
    return np.asarray(values * (1 - PENALTY * (odds > THRESHOLD)))


class SentenceSimilarity(MeanMetric):
    """Mean cosine of captions with their references, over a network that embeds sentences.

    Captions are embedded as they are written, not tokenised as for BLEU.

    Args:
        embedder: see `SentenceEmbedder`.

    >>> from types import SimpleNamespace
    >>> letters = SimpleNamespace(
    ...     signature="toy", texts=lambda said: np.array([[s.count("a"), 1.0] for s in said])
    ... )
    >>> metric = SentenceSimilarity(letters)
    >>> metric.statistics(["a cat"], [["a cat"]]).round(6).tolist(), metric.signature
    ([1.0], 'sentence_similarity|model:toy|mean:references|v:1')
    """

    name = "sentence_similarity"
    higher_is_better = True
    least = -1.0

    def __init__(self, embedder: SentenceEmbedder) -> None:
        self.embedder = embedder

    @property
    def signature(self) -> str:
        """The network."""
        return f"{self.name}|model:{self.embedder.signature}|mean:references|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """Of each caption and its list of references, [N]."""
        check_lengths(self.name, predictions, references)
        lengths = [len(group) for group in references]
        rows = self.embedder.texts([*predictions, *(text for group in references for text in group)])
        split = np.cumsum([len(predictions), *lengths])[:-1]
        candidates, *groups = np.split(rows, split) if len(predictions) else (rows,)
        return sentence_similarity_items(candidates, groups)


class Fense(SentenceSimilarity):
    """FENSE: sentence similarity, a tenth of it where a caption is probably not fluent.

    Predictions are pairs of a caption and its probability of a fluency error, from FENSE's own detector or
    another; none is shipped, and without any the metric is `SentenceSimilarity`.

    >>> from types import SimpleNamespace
    >>> letters = SimpleNamespace(
    ...     signature="toy", texts=lambda said: np.array([[s.count("a"), 1.0] for s in said])
    ... )
    >>> Fense(letters).statistics([("a cat", 0.99)], [["a cat"]]).round(6).tolist()
    [0.1]
    """

    name = "fense"

    @property
    def signature(self) -> str:
        """The network and the penalty."""
        return f"{self.name}|model:{self.embedder.signature}|mean:references|fluency:given,>{THRESHOLD:g}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """Of each caption with its probability, and its list of references, [N]."""
        similar = super().statistics([caption for caption, _ in predictions], references)
        return fluency_penalised(similar, [odds for _, odds in predictions])
