"""Whether an answer holds the media that were asked for: read off by plain code, no judge.

What an answer holds is the sequence of its media's kinds; text between them is not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.benchmark import MetricUse, Sample
from metrics.metric import FloatArray, MeanMetric, check_lengths
from nextgpt.messages import Message

if TYPE_CHECKING:
    from nextgpt.messages import Modality

Kinds = Sequence[str]


class StructureExact(MeanMetric):
    """Share of answers whose media are exactly those asked for: kinds, numbers and order.

    >>> asked = [("image", "audio")] * 3
    >>> StructureExact().statistics([("image", "audio"), ("audio", "image"), ()], asked).tolist()
    [1.0, 0.0, 0.0]
    """

    name = "structure_exact"
    higher_is_better = True

    @property
    def signature(self) -> str:
        """What is compared."""
        return f"{self.name}|media:kinds,numbers,order|v:1"

    def statistics(self, predictions: Sequence[Kinds], references: Sequence[Kinds]) -> FloatArray:
        """1 or 0 for each answer, [N]."""
        check_lengths(self.name, predictions, references)
        pairs = zip(predictions, references, strict=True)
        return np.array([float(tuple(said) == tuple(asked)) for said, asked in pairs])


class StructureF1(MeanMetric):
    """Mean F1 of the media in an answer, kinds and numbers without order; nothing for nothing is 1.

    >>> asked = [("image", "audio")] * 3
    >>> StructureF1().statistics([("audio", "image"), ("image",), ("video",)], asked).round(2).tolist()
    [1.0, 0.67, 0.0]
    """

    name = "structure_f1"
    higher_is_better = True

    @property
    def signature(self) -> str:
        """What is compared."""
        return f"{self.name}|media:kinds,numbers|v:1"

    def statistics(self, predictions: Sequence[Kinds], references: Sequence[Kinds]) -> FloatArray:
        """F1 of each answer, [N]."""
        check_lengths(self.name, predictions, references)
        return np.array([_f1(*map(Counter, pair)) for pair in zip(predictions, references, strict=True)])


def structure_uses() -> tuple[MetricUse, ...]:
    """Both, of an answer's media, by a sample's ``media``."""
    return tuple(
        MetricUse(metric.name, metric, _held, lambda sample: sample.references["media"])
        for metric in (StructureExact, StructureF1)
    )


def number_of_kinds(sample: Sample) -> str:
    """The slice of a sample: how many kinds of media are asked for."""
    kinds = len(set(sample.references["media"]))
    return f"{kinds} kinds" if kinds != 1 else "one kind"


def asked_for(kinds: Sequence[Modality], *, with_text: bool = False) -> frozenset[Modality]:
    """What a request wants back.

    >>> sorted(asked_for(["image", "audio"], with_text=True))
    ['audio', 'image', 'text']
    """
    return frozenset((*kinds, "text")) if with_text else frozenset(kinds)


def _held(answer: Message) -> tuple[str, ...]:
    return tuple(medium.modality for medium in answer.media)


def _f1(said: Counter[Any], asked: Counter[Any]) -> float:
    both = sum((said & asked).values())
    total = sum(said.values()) + sum(asked.values())
    return 2 * both / total if total else 1.0
