"""ROUGE-L as pycocoevalcap computes it: beta 1.2, best precision and best recall taken apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metrics.metric import FloatArray

BETA = 1.2


def rouge_l_scores(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> FloatArray:
    """ROUGE-L of tokenised captions against their references, [N], each in [0, 1].

    The best precision and the best recall may come from two different references. Tokens are split at
    spaces only, so that an empty caption is one empty token, equal to that of an empty reference.

    >>> rouge_l_scores(["a dog runs", ""], [["a dog", "the dog runs"], [""]]).round(4).tolist()
    [0.8299, 1.0]
    """
    scores = np.empty(len(predictions))
    for number, (prediction, group) in enumerate(zip(predictions, references, strict=True)):
        words = prediction.split(" ")
        masks: dict[str, int] = {}
        for place, word in enumerate(words):
            masks[word] = masks.get(word, 0) | 1 << place
        full = (1 << len(words)) - 1
        precision = recall = 0.0
        for reference in group:
            reference_words = reference.split(" ")
            common = _common(masks, full, reference_words)
            precision = max(precision, common / len(words))
            recall = max(recall, common / len(reference_words))
        scores[number] = (
            (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
            if precision and recall
            else 0.0
        )
    return scores


def _common(masks: dict[str, int], full: int, words: list[str]) -> int:
    """Length of the longest common subsequence, by Hyyrö's bit-parallel recurrence.

    `masks` holds, for each word of the other caption, its places as bits; `full` has a bit per place.
    Bit k of `row` is 0 where the subsequence grows by one when place k is added; the additions carry
    growth along all places at once.
    """
    row = full
    for word in words:
        match = masks.get(word)
        if match is not None:
            hit = row & match
            row = (row + hit | row - hit) & full
    return (~row & full).bit_count()
