"""N-gram counts of captions as integers, and what BLEU, CIDEr-D and CIDEr make of them.

Words and n-grams become numbers, and all counting is sorting: one list sorted by n-gram, item and
caption holds every term frequency, every document frequency and every match between a prediction and
its references. The values are those of pycocoevalcap's dictionaries, up to rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from metrics.metric import FloatArray

ORDERS = 4
SIGMA = 6.0
KEY_BITS = 62  # of an int64 that may hold an n-gram and its place together
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NgramScores:
    """What the n-gram metrics need of N items.

    Attributes:
        lengths: words of each prediction, [N].
        reference_lengths: words of the reference closest in length, the shorter of two as close, [N].
        correct: matched n-grams of order 1 to 4, clipped by the most frequent reference, [N, 4].
        cider_d: CIDEr-D per item, [N], 0 to 10; document frequencies are of all N items' references.
        cider: the original CIDEr, likewise.
    """

    lengths: IntArray
    reference_lengths: IntArray
    correct: IntArray
    cider_d: FloatArray
    cider: FloatArray


@dataclass(frozen=True, eq=False)
class _Captions:
    """The words of all captions behind one another, an item's prediction before its references.

    Attributes:
        words: number of each word, [T].
        caption: the caption of each word, [T].
        lengths: number of words of each caption, [C].
        item: the item of each caption, [C].
        reference: whether a caption is a reference, [C].
    """

    words: IntArray
    caption: IntArray
    lengths: IntArray
    item: IntArray
    reference: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Counts:
    """How often each n-gram of one order stands in each caption, [E] entries.

    Entries of one n-gram in one item (a group) follow one another, the prediction's first.

    Attributes:
        caption: the caption of each entry, [E].
        times: how often the n-gram stands in it, [E].
        group: where each group starts among the entries, [G].
        ngram: the n-gram of each group, [G].
    """

    caption: IntArray
    times: IntArray
    group: IntArray
    ngram: IntArray


def ngram_scores(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> NgramScores:
    """Counts the n-grams of N tokenised predictions and their references, and scores them.

    >>> scores = ngram_scores(["a dog", "a cat"], [["a dog runs"], ["a cat", "cats"]])
    >>> scores.correct.tolist(), scores.reference_lengths.tolist()
    ([[2, 1, 0, 0], [2, 1, 0, 0]], [3, 2])
    """
    n = len(predictions)
    captions = _captions(predictions, references)
    correct = np.zeros((n, ORDERS), dtype=np.int64)
    clipped, plain = np.zeros((2, len(captions.lengths)))
    ngrams = captions.words
    for order in range(ORDERS):
        if order:
            ngrams = _longer(ngrams, captions, order)
        counts, ngrams = _count(ngrams, captions, order)
        correct[:, order] = _correct(counts, captions, n)
        similar = _similarities(counts, captions, n)
        clipped += similar[0]
        plain += similar[1]
    lengths = captions.lengths[~captions.reference]
    # CIDEr-D's "length" is the number of bigrams: empty captions and single words are equally long.
    bigrams = np.maximum(captions.lengths - 1, 0)
    delta = bigrams - bigrams[~captions.reference][captions.item]
    clipped *= np.exp(-(delta**2) / (2 * SIGMA**2))
    return NgramScores(
        lengths,
        _closest(captions, lengths),
        correct,
        _mean_over_references(clipped, captions, n),
        _mean_over_references(plain, captions, n),
    )


def _captions(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> _Captions:
    texts = [
        caption
        for prediction, group in zip(predictions, references, strict=True)
        for caption in (prediction, *group)
    ]
    sizes = np.array([1 + len(group) for group in references], dtype=np.int64)
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    words = chain.from_iterable(map(str.split, texts))
    lengths = np.fromiter((len(text.split()) for text in texts), np.int64, len(texts))
    reference = np.ones(len(texts), dtype=bool)
    reference[np.cumsum(sizes) - sizes] = False
    return _Captions(
        words=np.fromiter(map(numbers.__getitem__, words), np.int64, int(lengths.sum())),
        caption=np.repeat(np.arange(len(texts)), lengths),
        lengths=lengths,
        item=np.repeat(np.arange(len(sizes)), sizes),
        reference=reference,
    )


def _longer(ngrams: IntArray, captions: _Captions, order: int) -> IntArray:
    """The n-grams one word longer that start at each word, from those of `order` words; -1 past the end."""
    longer = np.full_like(ngrams, -1)
    words = int(captions.words.max(initial=0)) + 1
    longer[:-order] = ngrams[:-order] * words + captions.words[order:]
    longer[-order:] = -1
    longer[:-order][captions.caption[:-order] != captions.caption[order:]] = -1
    return longer


def _count(ngrams: IntArray, captions: _Captions, order: int) -> tuple[_Counts, IntArray]:
    """Counts the n-grams at each word, and numbers them anew from 0 without gaps."""
    places = _sorted_places(ngrams)
    key, caption = ngrams[places], captions.caption[places]
    new_ngram = np.diff(key, prepend=-2) != 0
    new_caption = new_ngram | (np.diff(caption, prepend=-1) != 0)
    starts = np.flatnonzero(new_caption)
    times = np.diff(starts, append=len(places))
    numbers = np.cumsum(new_ngram) - 1
    renumbered = np.full_like(ngrams, -1)
    renumbered[places] = numbers
    entry_caption, entry_ngram = caption[starts], numbers[starts]
    entry_item = captions.item[entry_caption]
    group = np.flatnonzero((np.diff(entry_ngram, prepend=-1) != 0) | (np.diff(entry_item, prepend=-1) != 0))
    return _Counts(entry_caption, times, group, entry_ngram[group]), renumbered


def _sorted_places(ngrams: IntArray) -> IntArray:
    """The places of n-grams (those that are not -1), by n-gram, then in order of the text."""
    bits = max(1, (len(ngrams) - 1).bit_length())
    if int(ngrams.max(initial=0)).bit_length() + bits <= KEY_BITS:
        # Both in one number: sorting numbers is many times faster than a stable sort of places.
        both = (ngrams << bits) | np.arange(len(ngrams))
        both = np.sort(both[ngrams >= 0])
        return both & ((1 << bits) - 1)
    places = np.flatnonzero(ngrams >= 0)
    return places[np.argsort(ngrams[places], kind="stable")]


def _correct(counts: _Counts, captions: _Captions, n: int) -> IntArray:
    """N-grams of each prediction that some reference has as often, [N]."""
    if not len(counts.group):
        return np.zeros(n, dtype=np.int64)
    in_reference = captions.reference[counts.caption]
    most = np.maximum.reduceat(np.where(in_reference, counts.times, 0), counts.group)
    predicted = np.where(in_reference[counts.group], 0, counts.times[counts.group])
    item = captions.item[counts.caption[counts.group]]
    return np.bincount(item, np.minimum(most, predicted), n).astype(np.int64)


def _similarities(counts: _Counts, captions: _Captions, n: int) -> tuple[FloatArray, FloatArray]:
    """Cosine of each reference's tf-idf vector and its prediction's: clipped (CIDEr-D) and plain, [C]."""
    total = len(captions.lengths)
    in_reference = captions.reference[counts.caption]
    sizes = np.diff(counts.group, append=len(counts.caption))
    documents = np.bincount(counts.ngram, in_reference[counts.group + sizes - 1])
    rarity = np.log(max(1, n)) - np.log(np.maximum(1.0, documents))
    weight = counts.times * np.repeat(rarity[counts.ngram], sizes)
    norm = np.sqrt(np.bincount(counts.caption, weight**2, total))
    first = np.repeat(counts.group, sizes)
    shared = np.flatnonzero(in_reference & ~in_reference[first])
    ours, theirs, caption = weight[first[shared]], weight[shared], counts.caption[shared]
    lengths = norm * norm[~captions.reference][captions.item]
    lengths[lengths == 0] = 1.0
    clipped = np.bincount(caption, np.minimum(ours, theirs) * theirs, total) / lengths
    return clipped, np.bincount(caption, ours * theirs, total) / lengths


def _closest(captions: _Captions, lengths: IntArray) -> IntArray:
    """Length of the reference closest in length to each prediction, the shorter of two as close, [N]."""
    of_reference, item = captions.lengths[captions.reference], captions.item[captions.reference]
    distance = np.abs(of_reference - lengths[item])
    span = int(captions.lengths.max(initial=0)) + 1
    best = np.full(len(lengths), np.iinfo(np.int64).max)
    np.minimum.at(best, item, distance * span + of_reference)
    return best % span


def _mean_over_references(similarity: FloatArray, captions: _Captions, n: int) -> FloatArray:
    """Ten times the mean over references and orders of the similarities summed over orders, [N]."""
    item = captions.item[captions.reference]
    return 10 / ORDERS * np.bincount(item, similarity[captions.reference], n) / np.bincount(item, minlength=n)
