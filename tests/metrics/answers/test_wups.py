"""WUPS: the two rules of combining similarities, and WordNet behind them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from metrics.answers.wups import OpenAnswer, Variant, Wups, wordnet_similarity
from metrics.metric import MetricInputError

SIMILAR = {frozenset({"dog", "cat"}): 0.857, frozenset({"run", "walk"}): 0.95}


def toy(one: str, other: str) -> float:
    return SIMILAR.get(frozenset({one, other}), 0.0)


def score(prediction: str, *answers: str, exact: bool = False, **options: Any) -> float:
    metric = Wups(toy, "toy", **options)
    return metric.value(metric.statistics([prediction], [OpenAnswer(answers, exact)]))


def test_similarity_below_the_threshold_counts_a_tenth() -> None:
    assert score("dog", "cat") == pytest.approx(0.857)
    assert score("dog", "cat", threshold=0.9) == pytest.approx(0.0857)
    assert score("run", "walk", threshold=0.9) == pytest.approx(0.95)


def test_next_qa_passes_over_words_without_counterpart() -> None:
    assert score("the dog xyz", "cat") == pytest.approx(0.857)
    assert score("the dog run", "cat walk") == pytest.approx(0.857 * 0.95)
    assert score("xyz", "cat") == 0
    assert score("", "") == 0


def test_malinowski_compares_sets_and_forgives_no_missing_word() -> None:
    assert score("dog, cat", "cat,dog", variant="malinowski") == 1
    assert score("dog, xyz", "dog", variant="malinowski") == 0
    assert score("dog, cat", "dog", variant="malinowski") == pytest.approx(0.857)
    assert score("dog, dog", "cat", variant="malinowski") == pytest.approx(0.857)


def test_the_best_answer_counts_and_exact_questions_are_exact() -> None:
    assert score("dog", "xyz", "cat", "dog") == 1
    assert score("dog", "cat", exact=True) == 0
    assert score("Two", "2", "two", exact=True) == 1


def test_the_signature_names_what_the_number_depends_on() -> None:
    one = Wups(toy, "nltk-wordnet-3.0", threshold=0.9)
    assert one.signature == "wups_0.9_next_qa|below:0.1x|words:nltk-wordnet-3.0|v:1"
    assert Wups(toy, "toy", variant="malinowski").name == "wups_0_malinowski"


@pytest.mark.parametrize("item", [("a", OpenAnswer(())), (None, OpenAnswer(("a",)))])
def test_bad_items_are_named(item: tuple[Any, OpenAnswer]) -> None:
    with pytest.raises(MetricInputError, match="item 0"):
        Wups(toy, "toy").statistics([item[0]], [item[1]])


class Sense:
    """A stand-in for a synset: similar as given, by the number of each sense."""

    def __init__(self, number: int) -> None:
        self.number = number

    def wup_similarity(self, other: Sense) -> float | None:
        return None if self.number == other.number == 0 else (self.number + other.number) / 10


@pytest.mark.parametrize(("variant", "expected"), [("next-qa", 0.2), ("malinowski", 0.5)])
def test_wordnet_is_asked_for_first_senses_or_the_closest_nouns(
    variant: Variant, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def synsets(word: str, pos: str | None = None) -> list[Sense]:
        return {"dog": [Sense(1), Sense(2)], "cat": [Sense(1), Sense(3)], "zero": [Sense(0)]}.get(word, [])

    fake = SimpleNamespace(wordnet=SimpleNamespace(synsets=synsets, NOUN="n"))
    monkeypatch.setitem(sys.modules, "nltk", SimpleNamespace(corpus=fake))
    monkeypatch.setitem(sys.modules, "nltk.corpus", fake)
    similarity = wordnet_similarity(variant)
    assert similarity("dog", "cat") == pytest.approx(expected)
    assert similarity("dog", "xyz") == similarity("zero", "zero") == 0


def test_without_wordnet_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk.corpus", None)
    with pytest.raises(MetricInputError, match="pip install nltk"):
        wordnet_similarity("next-qa")
