"""Two systems' captions compared: CIDEr-D keeps what n-grams weigh, whoever's items are swapped."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from metrics.captions.corpus import CaptionCorpus
from metrics.captions.metrics import Bleu, Cider, CiderD
from metrics.metric import MetricInputError
from metrics.statistics import compare_metric

REFERENCES = (
    ("a dog runs on grass", "the dog runs"),
    ("two cats sleep", "cats sleep on a bed"),
    ("a man rides a horse", "a rider on a horse"),
    ("people eat at a table", "a family eats dinner"),
    ("a red bus in town", "the bus stops in town"),
    ("a boat on the water", "boats on a lake"),
)
# Words that no reference holds, whose weight depends on the number of items alone.
FIRST = (
    "a dog runs on snow",
    "two cats sleep",
    "a man on a horse",
    "people eat",
    "a red bus",
    "a boat on land",
)
SECOND = (
    "a cat walks",
    "two dogs sleep",
    "a man rides a camel",
    "people dance at a table",
    "a bus",
    "an ark",
)


def corpus(
    predictions: tuple[str, ...], references: tuple[tuple[str, ...], ...] = REFERENCES
) -> CaptionCorpus:
    """Captions that are tokenised already."""
    return CaptionCorpus(predictions, references)


@pytest.mark.parametrize("metric", [CiderD(), Cider()], ids=lambda metric: metric.name)
def test_swapping_items_gives_the_p_value_of_all_swaps(metric: CiderD) -> None:
    found = compare_metric(metric, corpus(FIRST), corpus(SECOND))
    observed = metric.value(corpus(FIRST)) - metric.value(corpus(SECOND))
    assert found.difference == pytest.approx(observed, abs=1e-12)
    swapped = []
    for swaps in product((False, True), repeat=len(FIRST)):
        pairs = [(b, a) if swap else (a, b) for a, b, swap in zip(FIRST, SECOND, swaps, strict=True)]
        one, other = (corpus(tuple(side)) for side in zip(*pairs, strict=True))
        swapped.append(metric.value(one) - metric.value(other))
    exact = np.mean(np.abs(swapped) >= abs(observed) - 1e-12)
    assert found.p == pytest.approx(exact, abs=1e-12)
    assert found.low <= found.difference <= found.high


def test_equal_captions_differ_by_nothing() -> None:
    found = compare_metric(CiderD(), corpus(FIRST), corpus(FIRST))
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_other_references_are_refused_where_they_change_every_weight() -> None:
    others = (*REFERENCES[:2], ("a man rides", "a rider"), *REFERENCES[3:])
    with pytest.raises(MetricInputError, match="cider_d: the references of item 2 differ"):
        compare_metric(CiderD(), corpus(FIRST), corpus(SECOND, others))


def test_a_different_number_of_captions_is_refused() -> None:
    with pytest.raises(MetricInputError, match="6 items against 5; compare the same items"):
        compare_metric(CiderD(), corpus(FIRST), corpus(SECOND[:5], REFERENCES[:5]))


def test_counts_that_add_up_are_swapped_as_they_are() -> None:
    metric = Bleu(2)
    pair = metric.from_corpus(corpus(FIRST)), metric.from_corpus(corpus(SECOND))
    found = compare_metric(metric, *pair, resamples=200)
    assert found.difference == pytest.approx(metric.value(pair[0]) - metric.value(pair[1]))
    assert "permutation" in found.method
