"""Caption scores by name, as the COCO caption evaluation defines them, from raw text.

`caption_scores` is for those who only want the numbers. The metrics themselves, each a class under the
contract of `metrics.metric`, are in `metrics.captions.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from metrics.captions import spice
from metrics.captions.corpus import CaptionCorpus
from metrics.captions.metrics import Bleu, CaptionMetric, Cider, CiderD, Meteor, RougeL, Spice, Spider
from metrics.captions.ngrams import ORDERS
from metrics.metric import FloatArray, MetricInputError

_METRICS: Mapping[str, Callable[[], CaptionMetric[Any]]] = {
    **{f"bleu_{order}": partial(Bleu, order) for order in range(1, ORDERS + 1)},
    "meteor": Meteor,
    "rouge_l": RougeL,
    "cider_d": CiderD,
    "cider": Cider,
}
_WITH_SPICE: Mapping[str, Callable[[], CaptionMetric[Any]]] = {"spice": Spice, "spider": Spider}


def caption_metrics(names: Iterable[str] = tuple(_METRICS)) -> list[CaptionMetric[Any]]:
    """The caption metrics of these names; by default all but SPICE and SPIDEr, in COCO's order.

    Raises:
        MetricInputError: a name that is no caption metric.
        JavaError: what a metric needs is not installed.

    >>> [metric.signature.split("|")[0] for metric in caption_metrics(["bleu_4", "cider_d"])]
    ['bleu_4', 'cider_d']
    """
    known, made = {**_METRICS, **_WITH_SPICE}, []
    for name in names:
        if name not in known:
            raise MetricInputError(f"{name!r} is no caption metric; there are {', '.join(known)}")
        made.append(known[name]())
    return made


@dataclass(frozen=True, eq=False)
class CaptionScores:
    """What caption metrics make of one list of captions.

    Attributes:
        values: metric name to corpus value.
        items: metric name to the value of each item, [N].
        signatures: metric name to signature.
        skipped: metric name to the reason why it could not run.
    """

    values: Mapping[str, float]
    items: Mapping[str, FloatArray]
    signatures: Mapping[str, str]
    skipped: Mapping[str, str]


def caption_scores(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    metrics: Iterable[str] | None = None,
) -> CaptionScores:
    """Scores captions (raw text) with every caption metric that can run here, or with those named.

    Args:
        predictions: N captions.
        references: for each of them, at least one caption that people wrote.
        metrics: names of metrics; METEOR takes ten seconds to start, so naming others saves time. By
            default all; SPICE and SPIDEr are skipped where SPICE is not installed.

    Raises:
        MetricInputError: different lengths, an item without references, fewer than two items (CIDEr), or
            a name that is no caption metric.
        JavaError: Java is missing or stopped.

    >>> references = [["a dog runs fast", "dogs run"], ["The cat!"]]
    >>> scores = caption_scores(["A dog runs.", "A cat"], references, ["bleu_1", "cider_d"])
    >>> print(f"{scores.values['bleu_1']:.4f} {scores.values['cider_d']:.4f}")
    0.8000 2.0979
    """
    skipped: Mapping[str, str] = {}
    if metrics is None:
        reason = spice.missing()
        skipped = dict.fromkeys(_WITH_SPICE, reason) if reason is not None else {}
        metrics = [name for name in (*_METRICS, *_WITH_SPICE) if name not in skipped]
    chosen = caption_metrics(metrics)  # METEOR starts while the captions are tokenised
    corpus = CaptionCorpus.prepare(predictions, references)
    values, items = {}, {}
    for metric in sorted(chosen, key=lambda metric: isinstance(metric, Meteor)):  # last: it is starting still
        statistics = metric.from_corpus(corpus)
        values[metric.name], items[metric.name] = metric.value(statistics), metric.items(statistics)
    signatures = {metric.name: metric.signature for metric in chosen}
    return CaptionScores(
        {name: values[name] for name in signatures},
        {name: items[name] for name in signatures},
        signatures,
        skipped,
    )
