"""Caption metrics against pycocoevalcap: the same captions, the same values, time and memory.

    python -m benchmarks.speed.captions                     # 40,504 items, 5 references each: five minutes
    python -m benchmarks.speed.captions --items 2000

Times include everything that a person waits for: Java's start, and METEOR's.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.captions_data import captions
from benchmarks.speed.timing import (
    Arrays,
    Measured,
    assert_around,
    header,
    interval_row,
    largest_difference,
    measured,
    row,
    timed,
)
from metrics.captions import meteor
from metrics.captions.corpus import CaptionCorpus
from metrics.captions.java import java
from metrics.captions.metrics import Meteor
from metrics.captions.scores import caption_metrics, caption_scores
from metrics.metric import FloatArray, Metric
from metrics.statistics import estimate

SCORERS = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d")
ALL = (*SCORERS, "meteor")
PEER = "pycocoevalcap"


def our_scorers(corpus: CaptionCorpus) -> Arrays:
    """BLEU, ROUGE-L and CIDEr-D of tokenised captions, of each item and of the corpus."""
    fresh = CaptionCorpus(corpus.predictions, corpus.references)  # nothing counted yet
    items, values = {}, {}
    for metric in caption_metrics(SCORERS):
        statistics = metric.from_corpus(fresh)
        items[metric.name], values[metric.name] = metric.items(statistics), metric.value(statistics)
    return {**items, **_of_corpus(values)}


def their_scorers(gts: dict[int, list[str]], res: dict[int, list[str]]) -> Arrays:
    """The same by pycocoevalcap."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    bleu = Bleu(4).compute_score(gts, res, verbose=0)
    scores = {f"bleu_{order}": (bleu[0][order - 1], bleu[1][order - 1]) for order in range(1, 5)}
    scores["rouge_l"] = Rouge().compute_score(gts, res)
    scores["cider_d"] = Cider().compute_score(gts, res)
    items = {name: np.array(items) for name, (_, items) in scores.items()}
    return {**items, **_of_corpus({name: value for name, (value, _) in scores.items()})}


def our_evaluation(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Arrays:
    """Raw text to all scores, of each item and of the corpus; METEOR's counts come too, for the intervals."""
    scores = caption_scores(predictions, references, ALL)
    items = {**scores.items, **_of_corpus(scores.values)}
    items["counts"] = CaptionCorpus.prepare(predictions, references).meteor  # as prepared and counted above
    meteor.stop()
    return items


def their_evaluation(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Arrays:
    """The same by pycocoevalcap, step by step as its `COCOEvalCap.evaluate` does it.

    What the scorers took comes along, so that they need not run again to be compared alone.
    """
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    os.environ["PATH"] = f"{Path(java()).parent}{os.pathsep}{os.environ['PATH']}"
    tokenizer = PTBTokenizer()
    gts = tokenizer.tokenize(_by_number(references))
    res = tokenizer.tokenize(_by_number([[prediction] for prediction in predictions]))
    scorers = timed(partial(their_scorers, gts, res))
    items = dict(scorers.arrays)
    items["scorers"] = np.array([scorers.seconds, scorers.cpu_seconds, scorers.megabytes])
    scorer = Meteor()
    value, each = scorer.compute_score(gts, res)
    items["meteor"] = np.array(each)
    items.update(_of_corpus({"meteor": value}))
    scorer.__del__()  # waits for Java, so that its time and memory are counted
    return items


def our_intervals(corpus: CaptionCorpus, counts: FloatArray) -> Arrays:
    """95 % intervals of all metrics, and their values, from what has been counted already."""
    parts: list[tuple[Metric[Any], Any]]
    parts = [(metric, metric.from_corpus(corpus)) for metric in caption_metrics(SCORERS)]
    parts.append((Meteor(start=False), counts))
    results = {metric.name: estimate(metric, statistics) for metric, statistics in parts}
    return {name: np.array([result.low, result.high, result.value]) for name, result in results.items()}


def _of_corpus(values: Mapping[str, float]) -> Arrays:
    """Values of the whole corpus under names of their own."""
    return {f"{name} of the corpus": np.array([value]) for name, value in values.items()}


def _by_number(groups: Sequence[Sequence[str]]) -> dict[int, list[dict[str, Any]]]:
    return {number: [{"caption": caption} for caption in group] for number, group in enumerate(groups)}


def rows(items: int = 40_504, references: int = 5) -> Iterator[str]:
    """Measures, and gives the lines of the table; an error where a value differs."""
    given = captions(items, references)
    whole = measured(partial(our_evaluation, *given))
    theirs = measured(partial(their_evaluation, *given))
    values, peers = dict(whole.arrays), dict(theirs.arrays)
    counts, took = values.pop("counts"), peers.pop("scorers")
    difference = largest_difference(values, peers, {})
    what = f"{items:,} x {references} captions: "
    yield row(f"{what}tokens and all metrics but SPICE", PEER, whole, theirs, difference, 3)
    corpus = CaptionCorpus.prepare(*given)
    scorers = measured(partial(our_scorers, corpus))
    scored = {name: peers[name] for name in scorers.arrays}
    difference = largest_difference(scorers.arrays, scored, {})
    yield row(f"{what}BLEU, ROUGE-L, CIDEr-D", PEER, scorers, Measured(scored, *took), difference, 10)
    _ = corpus.ngrams, corpus.rouge_l  # counted before the intervals' time starts
    intervals = measured(partial(our_intervals, corpus, counts))
    for name, ends in intervals.arrays.items():
        assert_around(name, ends, float(peers[f"{name} of the corpus"][0]))
    yield interval_row(f"these {len(intervals.arrays)} metrics", intervals, whole)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints; nothing is printed where a value differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--items", type=int, default=40_504, help="predictions (default: COCO's validation set)"
    )
    parser.add_argument("--references", type=int, default=5, help="references of each (default: 5)")
    options = parser.parse_args(arguments)
    print(header("pycocoevalcap", "numpy"), flush=True)
    for line in rows(options.items, options.references):
        print(line, flush=True)


if __name__ == "__main__":
    main()
