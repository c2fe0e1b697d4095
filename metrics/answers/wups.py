"""WUPS, the soft accuracy of open-ended answers by Wu-Palmer similarity of words: NExT-QA's and Malinowski's.

The two share a name and no numbers. NExT-QA's compares bags of lemmas by their first senses and passes over
a word without counterpart; Malinowski's (DAQUAR, COCO-QA) compares comma-separated answers as sets by their
best noun senses, and a word without counterpart makes the answer wrong.

Lemmatiser, stop words and WordNet change the numbers, so they are handed in, and named in the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import prod
from typing import Any, Literal, get_args

import numpy as np

from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths, check_name

Variant = Literal["next-qa", "malinowski"]
Similarity = Callable[[str, str], float]
"""Wu-Palmer similarity of two different words, 0 to 1; 0 where one is in no dictionary."""
Words = Callable[[str], Sequence[str]]
"""An answer taken apart into what is compared."""


@dataclass(frozen=True)
class OpenAnswer:
    """What an open-ended question may be answered with.

    Attributes:
        answers: one or more right answers; the most similar one counts.
        exact: only an equal answer counts, as for NExT-QA's questions of type DC (counting) and DB (yes/no).
    """

    answers: tuple[str, ...]
    exact: bool = False


class Wups(MeanMetric):
    """WUPS, 0 to 1: mean over items of the similarity to the best answer.

    Args:
        similarity: of two words, such as `wordnet_similarity(variant)`.
        source: what `similarity` and `words` are, for the signature.
        variant: `next-qa` or `malinowski`.
        threshold: similarities below it count a tenth; 0 (NExT-QA's headline) and 0.9 are usual.
        words: by default lower-cased at spaces (`next-qa`, whose published numbers lemmatise by pywsd and
            drop a list of stop words first) or at commas (`malinowski`).

    Raises:
        MetricInputError: an unknown variant.

    >>> metric = Wups(lambda one, other: 0.8 if {one, other} == {"dog", "cat"} else 0.0, "toy", threshold=0.9)
    >>> metric.statistics(["dog", "a dog"], [OpenAnswer(("cat",)), OpenAnswer(("cat", "the dog"))]).round(3)
    array([0.08, 1.  ])
    """

    higher_is_better = True

    def __init__(
        self,
        similarity: Similarity,
        source: str,
        *,
        variant: Variant = "next-qa",
        threshold: float = 0.0,
        words: Words | None = None,
    ) -> None:
        check_name("variant", variant, get_args(Variant))
        self._similarity, self._source = similarity, source
        self._variant, self._threshold = variant, threshold
        self._words = words or (_at_spaces if variant == "next-qa" else _at_commas)
        self.name = f"wups_{threshold:g}_{variant.replace('-', '_')}"

    @property
    def signature(self) -> str:
        """Variant, threshold, and what words and similarities come from."""
        return f"{self.name}|below:0.1x|words:{self._source}|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[OpenAnswer]) -> FloatArray:
        """The score of each prediction, [N].

        Raises:
            MetricInputError: different lengths, a prediction that is not a string, an item without answers.
        """
        check_lengths(self.name, predictions, references)
        values = np.empty(len(predictions))
        for number, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
            if not isinstance(prediction, str) or not reference.answers:
                raise MetricInputError(
                    f"item {number}: {prediction!r}, {reference!r}; give a text and its answers"
                )
            said = self._words(prediction)
            score = self._exact if reference.exact else self._score
            values[number] = max(score(said, self._words(answer)) for answer in reference.answers)
        return values

    def _exact(self, one: Sequence[str], other: Sequence[str]) -> float:
        return float(list(one) == list(other))

    def _score(self, one: Sequence[str], other: Sequence[str]) -> float:
        return min(self._covered(one, other), self._covered(other, one))

    def _covered(self, words: Sequence[str], others: Sequence[str]) -> float:
        """Product over words of the similarity of the other side's most similar word."""
        best = [max((self._discounted(word, other) for other in others), default=0.0) for word in words]
        if self._variant == "next-qa":
            best = [similarity for similarity in best if similarity > 0]
        return prod(best) if best else 0.0

    def _discounted(self, one: str, other: str) -> float:
        if one == other:
            return 1.0
        similarity = self._similarity(one, other)
        return similarity if similarity >= self._threshold else 0.1 * similarity


def wordnet_similarity(variant: Variant) -> Similarity:
    """Wu-Palmer similarity by NLTK's WordNet: of first senses (`next-qa`) or closest nouns (`malinowski`).

    >>> round(wordnet_similarity("malinowski")("dog", "cat"), 3)  # doctest: +SKIP
    0.857

    Raises:
        MetricInputError: an unknown variant, or NLTK or its WordNet is not installed.
    """
    check_name("variant", variant, get_args(Variant))
    try:
        wordnet: Any = import_module("nltk.corpus").wordnet
        wordnet.synsets("dog")
    except (ImportError, LookupError) as error:
        raise MetricInputError(
            "WUPS needs WordNet: run `pip install nltk`, then `python -m nltk.downloader wordnet`"
        ) from error

    def senses(word: str) -> Any:
        return (
            wordnet.synsets(word, pos=wordnet.NOUN) if variant == "malinowski" else wordnet.synsets(word)[:1]
        )

    def similarity(one: str, other: str) -> float:
        pairs = [(first, second) for first in senses(one) for second in senses(other)]
        return max((first.wup_similarity(second) or 0.0 for first, second in pairs), default=0.0)

    return similarity


def _at_spaces(answer: str) -> list[str]:
    return answer.lower().split()


def _at_commas(answer: str) -> list[str]:
    """An answer's parts as a set, in order."""
    return list(dict.fromkeys(part for part in map(str.strip, answer.lower().split(",")) if part))
