"""Captions prepared once for all caption metrics: checked, tokenised, counted.

Every caption metric starts from the same tokens, and the n-gram metrics from the same counts. A
`CaptionCorpus` holds both; asking for several metrics of the same captions prepares them once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, pairwise

import numpy as np

from metrics.captions.meteor import meteor_statistics
from metrics.captions.ngrams import NgramScores, ngram_scores
from metrics.captions.rouge import rouge_l_scores
from metrics.captions.spice import spice_scores
from metrics.captions.tokenizer import tokenize
from metrics.metric import Arrays, FloatArray, MetricInputError, check_lengths


@dataclass(frozen=True, eq=False)
class CaptionCorpus:
    """Tokenised captions, each a string of tokens joined by single spaces.

    Attributes:
        predictions: N captions to score.
        references: for each of them, one or more captions that people wrote.
    """

    predictions: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]

    @classmethod
    def prepare(cls, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionCorpus:
        """Checks and tokenises raw captions. The last two corpora are kept and not prepared again.

        Raises:
            MetricInputError: different numbers of predictions and references, an item without
                references, or a caption that is not a string; the message names the item.
            JavaError: the tokeniser cannot run.

        >>> CaptionCorpus.prepare(["A dog."], [["Dogs!", "one dog"]]).references
        (('dogs', 'one dog'),)
        """
        check_lengths("captions", predictions, references)
        for number, (prediction, group) in enumerate(zip(predictions, references, strict=True)):
            _check(number, prediction, group)
        return _prepared(tuple(predictions), tuple(map(tuple, references)))

    @classmethod
    def concatenate(cls, parts: Iterable[CaptionCorpus]) -> CaptionCorpus:
        """The items of all parts in order, equal to having prepared them together."""
        parts = list(parts)
        return cls(
            tuple(chain.from_iterable(part.predictions for part in parts)),
            tuple(chain.from_iterable(part.references for part in parts)),
        )

    def packed(self) -> Arrays:
        """All captions as bytes, how long each is, and how many references each item has.

        >>> corpus = CaptionCorpus(("a dog",), (("dogs", "one dog"),))
        >>> {name: array.tolist() for name, array in corpus.packed().items() if name != "text"}
        {'lengths': [5, 4, 7], 'references': [2]}
        >>> CaptionCorpus.unpacked(corpus.packed()).references
        (('dogs', 'one dog'),)
        """
        captions = [
            caption.encode("utf-8", "surrogatepass")
            for caption in chain(self.predictions, chain.from_iterable(self.references))
        ]
        return {
            "text": np.frombuffer(b"".join(captions), dtype=np.uint8),
            "lengths": np.array([len(caption) for caption in captions], dtype=np.int64),
            "references": np.array([len(group) for group in self.references], dtype=np.int64),
        }

    @classmethod
    def unpacked(cls, arrays: Arrays) -> CaptionCorpus:
        """The captions that `packed` made arrays of."""
        text, ends = arrays["text"].tobytes(), np.cumsum(arrays["lengths"]).tolist()
        captions = iter(
            [text[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise([0, *ends])]
        )
        counts = arrays["references"].tolist()
        predictions = tuple([next(captions) for _ in counts])
        return cls(predictions, tuple([tuple([next(captions) for _ in range(n)]) for n in counts]))

    def __len__(self) -> int:
        return len(self.predictions)

    @cached_property
    def ngrams(self) -> NgramScores:
        """What BLEU, CIDEr-D and CIDEr make of the n-grams."""
        return ngram_scores(self.predictions, self.references)

    @cached_property
    def rouge_l(self) -> FloatArray:
        """ROUGE-L per item, [N]."""
        return rouge_l_scores(self.predictions, self.references)

    @cached_property
    def meteor(self) -> FloatArray:
        """METEOR's counts per item, [N, 23]."""
        return meteor_statistics(self.predictions, self.references)

    @cached_property
    def spice(self) -> FloatArray:
        """SPICE per item, [N]."""
        return spice_scores(self.predictions, self.references)


@lru_cache(maxsize=2)  # a comparison of two systems goes back and forth between two
def _prepared(predictions: tuple[str, ...], references: tuple[tuple[str, ...], ...]) -> CaptionCorpus:
    tokens = iter(tokenize(chain(predictions, chain.from_iterable(references))))
    tokenised = tuple([next(tokens) for _ in predictions])
    return CaptionCorpus(tokenised, tuple([tuple([next(tokens) for _ in group]) for group in references]))


def _check(number: int, prediction: object, references: object) -> None:
    if isinstance(references, str):
        raise MetricInputError(
            f"item {number}: its references are one string; give a list, ['{references[:40]}', ...]"
        )
    if not isinstance(references, Sequence) or not references:
        raise MetricInputError(f"item {number} has no references; give at least one caption, or leave it out")
    for caption in (prediction, *references):
        if not isinstance(caption, str):
            raise MetricInputError(
                f"item {number}: {caption!r} is not a caption; give a string ('' where a system was silent)"
            )
