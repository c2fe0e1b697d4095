"""Caption metrics as classes: BLEU, METEOR, ROUGE-L, CIDEr-D, CIDEr, SPICE, SPIDEr.

Per item they equal pycocoevalcap 1.2's values. Every metric takes raw text and tokenises it itself, once
for all metrics that are asked about the same captions.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numpy as np

from metrics.captions import meteor, spice
from metrics.captions.corpus import CaptionCorpus
from metrics.captions.java import JavaError
from metrics.captions.ngrams import ORDERS, SIGMA
from metrics.captions.rouge import BETA
from metrics.captions.tokenizer import NAME as TOKENS
from metrics.metric import ArrayMetric, Arrays, FloatArray, MeanMetric, Metric, MetricInputError, S

_SMALL, _TINY = 1e-9, 1e-15  # BLEU's guards against 0/0, part of every published per-item score


class CaptionMetric(Metric[S]):
    """A metric of captions: takes raw text, or a corpus that has been prepared for several metrics."""

    def statistics(self, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> S:
        """Statistics of raw captions, tokenised here; see `CaptionCorpus.prepare` for what is refused."""
        return self.from_corpus(CaptionCorpus.prepare(predictions, references))

    @abc.abstractmethod
    def from_corpus(self, corpus: CaptionCorpus) -> S:
        """Statistics of captions that are tokenised already."""

    @abc.abstractmethod
    def items(self, statistics: S) -> FloatArray:
        """The value of each item alone, [N]."""


class Bleu(ArrayMetric, CaptionMetric[FloatArray]):
    """BLEU-n of a corpus, 0 to 1: geometric mean of n-gram precisions up to `order`, times a length penalty.

    Not the mean of its items: counts are summed over items first. Statistics are, per item, the length
    of the prediction and of the closest reference, its n-grams of orders 1 to 4, and how many of them
    match: [N, 10].

    >>> metric = Bleu(2)
    >>> statistics = metric.statistics(["A dog runs."], [["a dog sleeps", "a cat runs"]])
    >>> print(f"{metric.value(statistics):.4f} {metric.signature}")
    0.7071 bleu_2|tok:ptb-3.4.1|len:closest|smooth:none|v:1
    """

    higher_is_better = True

    def __init__(self, order: int = 4) -> None:
        if not 1 <= order <= ORDERS:
            raise ValueError(f"BLEU-{order} is not computed here; orders are 1 to {ORDERS}")
        self.order = order
        self.name = f"bleu_{order}"

    @property
    def signature(self) -> str:
        """Tokens, the reference length's rule, no smoothing."""
        return f"{self.name}|tok:{TOKENS}|len:closest|smooth:none|v:1"

    def from_corpus(self, corpus: CaptionCorpus) -> FloatArray:
        """Lengths, n-grams and matches per item, [N, 10]."""
        counts = corpus.ngrams
        guessed = np.maximum(counts.lengths[:, None] - np.arange(ORDERS), 0)
        columns = [counts.lengths, counts.reference_lengths, guessed, counts.correct]
        return np.column_stack(columns).astype(np.float64)

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """BLEU of the counts summed over items."""
        _refuse_empty(self.name, len(statistics))
        return float(self._bleu(statistics.sum(axis=0) if weights is None else weights @ statistics))

    def items(self, statistics: FloatArray) -> FloatArray:
        """BLEU of each item alone, [N]; without smoothing, so mostly near 0 where no 4-gram matches."""
        return self._bleu(statistics)

    def _bleu(self, counts: FloatArray) -> FloatArray:
        guessed, correct = counts[..., 2 : 2 + self.order], counts[..., 6 : 6 + self.order]
        precision = np.prod((correct + _TINY) / (guessed + _SMALL), axis=-1)
        ratio = (counts[..., 0] + _TINY) / (counts[..., 1] + _SMALL)
        penalty = np.exp(np.minimum(0.0, 1 - 1 / ratio))
        return np.asarray(precision ** (1 / self.order) * penalty)


class Meteor(ArrayMetric, CaptionMetric[FloatArray]):
    """METEOR 1.5 for English, 0 to 1, by the original program; statistics are its 23 counts per item.

    Like BLEU, the value comes from summed counts, not from the mean of items. A caption whose words all match
    in one chunk adds none to the sum, as in the program (version 1 of the signature added one).

    Args:
        start: whether to start the program now, in the background, since it takes ten seconds; False where
            counts are at hand and need no program.

    >>> Meteor(start=False).signature.split("|")[0]
    'meteor'
    """

    name = "meteor"
    higher_is_better = True

    def __init__(self, *, start: bool = True) -> None:
        if start:
            meteor.start()

    @property
    def signature(self) -> str:
        """The program's own evaluation ID, and the tokens it is given."""
        return (
            f"meteor|tok:{TOKENS}|id:meteor-1.5-wo-en-norm-0.85_0.2_0.6_0.75-ex_st_sy_pa-1.0_0.6_0.8_0.6|v:2"
        )

    def from_corpus(self, corpus: CaptionCorpus) -> FloatArray:
        """METEOR's counts per item against its best reference, [N, 23]."""
        return corpus.meteor

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """METEOR of the counts summed over items."""
        _refuse_empty(self.name, len(statistics))
        return float(
            meteor.meteor_scores(statistics.sum(axis=0) if weights is None else weights @ statistics)
        )

    def items(self, statistics: FloatArray) -> FloatArray:
        """METEOR of each item, [N]."""
        return meteor.meteor_scores(statistics)


class RougeL(MeanMetric, CaptionMetric[FloatArray]):
    """ROUGE-L, 0 to 1: mean over items of the F-measure (beta 1.2) of longest common subsequences.

    >>> metric = RougeL()
    >>> print(f"{metric.value(metric.statistics(['A dog runs.'], [['a dog sleeps', 'dogs run']])):.4f}")
    0.6667
    """

    name = "rouge_l"
    higher_is_better = True

    @property
    def signature(self) -> str:
        """Tokens, beta, and that the best precision and recall are taken apart."""
        return f"rouge_l|tok:{TOKENS}|beta:{BETA}|refs:max-p-max-r|v:1"

    def from_corpus(self, corpus: CaptionCorpus) -> FloatArray:
        """ROUGE-L per item, [N]."""
        return corpus.rouge_l


class CiderD(CaptionMetric[CaptionCorpus]):
    """CIDEr-D, 0 to 10: what COCO and everyone else report as "CIDEr".

    How rare an n-gram is, is counted over the references of all items scored together, so statistics
    keep the tokens, shards merge exactly, and a subset scored alone is another measurement. Resampling
    holds these document frequencies fixed.

    >>> metric = CiderD()
    >>> statistics = metric.statistics(["a big dog runs", "a cat"], [["a big dog runs"], ["one cat"]])
    >>> metric.items(statistics).round(2).tolist()
    [10.0, 1.25]
    """

    name = "cider_d"
    higher_is_better = True
    mean_of_items = True

    @property
    def signature(self) -> str:
        """Orders, the width of the length penalty, tokens, and where document frequencies come from."""
        return f"cider_d|n:{ORDERS}|sigma:{SIGMA:g}|tok:{TOKENS}|df:references|v:1"

    def from_corpus(self, corpus: CaptionCorpus) -> CaptionCorpus:
        """The tokenised captions themselves."""
        return corpus

    def merge(self, parts: Sequence[CaptionCorpus]) -> CaptionCorpus:
        """All parts' captions; document frequencies are counted anew over all of them."""
        return CaptionCorpus.concatenate(parts)

    def packed(self, statistics: CaptionCorpus) -> Arrays:
        """The tokens' bytes; see `CaptionCorpus.packed`."""
        return statistics.packed()

    def unpacked(self, arrays: Arrays) -> CaptionCorpus:
        """The tokenised captions."""
        return CaptionCorpus.unpacked(arrays)

    def value(self, statistics: CaptionCorpus, weights: FloatArray | None = None) -> float:
        """Mean over items."""
        return float(np.average(self.items(statistics), weights=weights))

    def items(self, statistics: CaptionCorpus) -> FloatArray:
        """CIDEr-D of each item, [N].

        Raises:
            MetricInputError: fewer than two items.
        """
        if len(statistics) < 2:
            raise MetricInputError(
                f"{self.name} of {len(statistics)} item: every n-gram is in all references there are, so "
                "all weights are log(1) = 0; score two items or more, and shards together"
            )
        return self._scores(statistics)

    def size(self, statistics: CaptionCorpus) -> int:
        """Number of items."""
        return len(statistics)

    def check_pair(self, first: CaptionCorpus, second: CaptionCorpus) -> None:
        """Refuses two systems that were held against different references: an n-gram weighs otherwise there.

        Raises:
            MetricInputError: other references, or another number of items; names the first that differs.
        """
        super().check_pair(first, second)
        if first.references != second.references:
            pairs = zip(first.references, second.references, strict=True)
            number = next(number for number, (one, other) in enumerate(pairs) if one != other)
            raise MetricInputError(
                f"{self.name}: the references of item {number} differ between the two systems, and with them "
                "what every n-gram weighs; score both against the same references"
            )

    def _scores(self, corpus: CaptionCorpus) -> FloatArray:
        return corpus.ngrams.cider_d


class Cider(CiderD):
    """The original CIDEr, 0 to 10: without CIDEr-D's clipping and length penalty, so repetition pays.

    >>> Cider().signature.split("|")[:2]
    ['cider', 'n:4']
    """

    name = "cider"

    @property
    def signature(self) -> str:
        """Orders, tokens, and where document frequencies come from."""
        return f"cider|n:{ORDERS}|tok:{TOKENS}|df:references|v:1"

    def _scores(self, corpus: CaptionCorpus) -> FloatArray:
        return corpus.ngrams.cider


class Spice(MeanMetric, CaptionMetric[FloatArray]):
    """SPICE 1.0, 0 to 1: F-measure over scene-graph tuples, by the original program.

    Raises:
        JavaError: what it needs is not installed; `metrics.captions.spice.missing()` asks without raising.

    >>> metric = Spice()  # doctest: +SKIP
    """

    name = "spice"
    higher_is_better = True

    def __init__(self) -> None:
        reason = spice.missing()
        if reason is not None:
            raise JavaError(reason)

    @property
    def signature(self) -> str:
        """The program, its parser and the tokens that it is given."""
        return f"spice|tok:{TOKENS}|id:spice-1.0|parser:corenlp-3.6.0|v:1"

    def from_corpus(self, corpus: CaptionCorpus) -> FloatArray:
        """SPICE per item, [N]."""
        return corpus.spice


class Spider(CiderD):
    """SPIDEr: the mean of CIDEr-D and SPICE, per item and over the corpus; needs what SPICE needs.

    `metrics.fluency_penalised` makes SPIDEr-FL of its items.

    >>> metric = Spider()  # doctest: +SKIP
    """

    name = "spider"

    def __init__(self) -> None:
        self._spice = Spice()

    @property
    def signature(self) -> str:
        """Both metrics' own."""
        return f"spider|{super().signature.replace('|', ',')}|{self._spice.signature.replace('|', ',')}|v:1"

    def _scores(self, corpus: CaptionCorpus) -> FloatArray:
        return (corpus.ngrams.cider_d + corpus.spice) / 2


def _refuse_empty(name: str, size: int) -> None:
    if size == 0:
        raise MetricInputError(f"{name}: no items to score; give at least one prediction")
