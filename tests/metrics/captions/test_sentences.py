"""Sentence similarity, FENSE and the fluency penalty against their formulas, written out."""

from __future__ import annotations

import numpy as np
import pytest

from metrics import Fense, MetricInputError, SentenceSimilarity, fluency_penalised, sentence_similarity_items
from metrics.extractors import SentenceExtractor
from tests.metrics.extractors.tiny_networks import tiny_sentences

SAID = ["a red circle", "a blue square", "circle"]
TRUE = [["red circle", "a circle"], ["a red square"], ["circle", "a red circle", "blue"]]
ODDS = [0.95, 0.2, 0.9]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> SentenceExtractor:
    return SentenceExtractor(tiny_sentences(tmp_path_factory.mktemp("networks") / "tiny"))


def by_hand(embedder: SentenceExtractor) -> list[float]:
    found = []
    for said, true in zip(SAID, TRUE, strict=True):
        (a,) = embedder.texts([said]).astype(float)
        total = 0.0
        for text in true:
            (b,) = embedder.texts([text]).astype(float)
            total += sum(x * y for x, y in zip(a, b, strict=True)) / (
                sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5
            )
        found.append(total / len(true))
    return found


def test_similarity_is_the_mean_cosine_with_the_references(embedder: SentenceExtractor) -> None:
    metric = SentenceSimilarity(embedder)
    assert metric.statistics(SAID, TRUE) == pytest.approx(by_hand(embedder), rel=1e-6)
    assert metric.statistics([], []).tolist() == []
    assert "sentences:tiny@" in metric.signature
    assert "mean-of-tokens" in metric.signature


def test_fense_keeps_a_tenth_of_what_is_not_fluent(embedder: SentenceExtractor) -> None:
    found = Fense(embedder).statistics(list(zip(SAID, ODDS, strict=True)), TRUE)
    plain = by_hand(embedder)
    assert found == pytest.approx([plain[0] * (1 - 0.9), plain[1], plain[2]], rel=1e-6)


def test_spider_fl_is_spider_s_items_penalised() -> None:
    """aac-metrics: spider * (1 - 0.9 * [probability > 0.9])."""
    spider, odds = np.random.default_rng(0).uniform(0, 2, 50), np.random.default_rng(1).uniform(0, 1, 50)
    expected = [each * (1.0 - 0.9 * (1.0 if p > 0.9 else 0.0)) for each, p in zip(spider, odds, strict=True)]
    assert fluency_penalised(spider, odds) == pytest.approx(expected, rel=1e-12)


def test_a_caption_about_something_else_scores_lower(embedder: SentenceExtractor) -> None:
    same, other = SentenceSimilarity(embedder).statistics(
        ["a red circle", "blue square"], [["a red circle"]] * 2
    )
    assert same == pytest.approx(1.0)
    assert other < same


def test_odd_input_is_named() -> None:
    with pytest.raises(MetricInputError, match="item 1 has no reference"):
        sentence_similarity_items(np.eye(2), [[[1.0, 0.0]], []])
    with pytest.raises(MetricInputError, match=r"item 1: 1\.5 is no probability"):
        fluency_penalised([0.1, 0.2], [0.1, 1.5])
