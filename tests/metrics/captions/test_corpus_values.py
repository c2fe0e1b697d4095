"""The value of a whole corpus, of every caption metric, as pycocoevalcap and METEOR's own program give it."""

from __future__ import annotations

import ast
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu import Bleu as ReferenceBleu
from pycocoevalcap.cider.cider import Cider as ReferenceCider
from pycocoevalcap.meteor.meteor import Meteor as ReferenceMeteor
from pycocoevalcap.rouge.rouge import Rouge as ReferenceRouge

from metrics.captions import meteor
from metrics.captions.corpus import CaptionCorpus
from metrics.captions.metrics import Meteor
from metrics.captions.scores import caption_metrics, caption_scores
from metrics.statistics import compare_metric, estimate

pytestmark = pytest.mark.java

KNOWN = Path(__file__).parents[3].parent / "shared" / "data" / "known_scores" / "audiocaps_test_conette.csv"
NAMES = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider_d")
Item = tuple[str, Sequence[str]]

# Words with stems, synonyms and function words in common, so that each of METEOR's modules has matches.
WORDS = "a the dog dogs puppy runs running on grass lawn cat sleeps bench photo picture of 's 中"
CAPTION = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=9).map(" ".join)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """A prediction and its references: as often perfect, empty or a single word as anything else."""
    references = draw(st.lists(st.one_of(CAPTION, CAPTION, st.just("")), min_size=1, max_size=3))
    kinds = (st.sampled_from(references), st.just(""), st.sampled_from(WORDS.split()), CAPTION, CAPTION)
    return draw(st.one_of(*kinds)), references


class ProgramsMeteor(ReferenceMeteor):  # type: ignore[misc]  # pycocoevalcap has no types
    """pycocoevalcap's METEOR over the program that runs already: starting a second one takes ten seconds."""

    def __init__(self) -> None:
        (process,) = meteor._Process.running(1)
        self.meteor_p, self.lock = process._process, process._asking

    def __del__(self) -> None:
        """Leaves the program to its owner."""


def corpus_of(items: Sequence[Item]) -> CaptionCorpus:
    """A corpus of captions that are tokenised already."""
    return CaptionCorpus(tuple(said for said, _ in items), tuple(tuple(group) for _, group in items))


def reference_values(corpus: CaptionCorpus) -> dict[str, float]:
    """pycocoevalcap's values of the corpus, by metric name."""
    gts = {number: list(group) for number, group in enumerate(corpus.references)}
    res = {number: [prediction] for number, prediction in enumerate(corpus.predictions)}
    values = {
        f"bleu_{order + 1}": value
        for order, value in enumerate(ReferenceBleu(4).compute_score(gts, res, verbose=0)[0])
    }
    values["meteor"] = ProgramsMeteor().compute_score(gts, res)[0]
    values["rouge_l"] = ReferenceRouge().compute_score(gts, res)[0]
    values["cider_d"] = ReferenceCider().compute_score(gts, res)[0]
    return {name: float(value) for name, value in values.items()}


@settings(max_examples=300)
@given(st.lists(items(), min_size=2, max_size=6))
def test_any_corpus_has_the_value_that_pycocoevalcap_gives_it(given: list[Item]) -> None:
    corpus = corpus_of(given)
    assume(any(map(any, corpus.references)))  # pycocoevalcap needs one reference with words
    expected = reference_values(corpus)
    for metric in caption_metrics(NAMES):
        assert metric.value(metric.from_corpus(corpus)) == pytest.approx(expected[metric.name], abs=1e-9), (
            metric.name
        )


@settings(max_examples=30)
@given(st.lists(items(), min_size=2, max_size=6), st.data())
def test_a_resampled_corpus_has_meteors_value_of_the_items_drawn(
    given: list[Item], data: st.DataObject
) -> None:
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(given), max_size=len(given)).filter(any))
    metric, corpus = Meteor(), corpus_of(given)
    drawn = corpus_of([item for item, often in zip(given, times, strict=True) for _ in range(often)])
    assume(any(map(any, drawn.references)))
    weighted = metric.value(metric.from_corpus(corpus), np.array(times, dtype=np.float64))
    assert weighted == pytest.approx(reference_values(drawn)["meteor"], abs=1e-9)


def test_perfect_captions_have_a_perfect_corpus_and_so_has_its_interval() -> None:
    captions = ["a dog runs on the grass", "two cats sleep on a bed in the room", "a red bus on the street"]
    metric = Meteor()
    perfect = metric.from_corpus(corpus_of([(caption, [caption]) for caption in captions]))
    found = estimate(metric, perfect, resamples=50)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    silence = metric.from_corpus(corpus_of([("", [caption]) for caption in captions]))
    assert compare_metric(metric, perfect, silence, resamples=50).difference == 1.0


def test_one_perfect_caption_does_not_take_pieces_to_the_others() -> None:
    mixed = [("a dog runs", ["a dog runs"]), ("runs the dog on a lawn", ["a dog runs on the grass"])]
    corpus, metric = corpus_of(mixed), Meteor()
    expected = reference_values(corpus)["meteor"]
    found = estimate(metric, metric.from_corpus(corpus), resamples=200)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.low <= expected <= found.high


@pytest.mark.skipif(not KNOWN.exists(), reason=f"needs the published scores in {KNOWN}")
def test_the_published_meteor_of_912_clips_is_reproduced() -> None:
    rows = list(csv.DictReader(KNOWN.open()))
    references = [ast.literal_eval(row["references"]) for row in rows]
    scores = caption_scores([row["prediction"] for row in rows], references, ["meteor"])
    assert scores.values["meteor"] == pytest.approx(0.23195610281654, abs=1e-13)
