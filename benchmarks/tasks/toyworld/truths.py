"""What a right answer is where many are, and in whatever medium: one judge for conversions and dialogues.

What a modality cannot carry is not asked for: a picture drawn from a sound is right in any colour and any
place, as long as it sounds so (`toyworld.ties`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.benchmark import MetricUse
from benchmarks.tasks.official import reference
from benchmarks.tasks.toyworld.readings import OF_MEDIA, OF_TEXTS, Read, reading
from metrics.answers.normalizer import vqa_normalized
from metrics.metric import FloatArray, MeanMetric, check_lengths
from nextgpt.messages import Message
from toyworld.kinds import call, kind_of
from toyworld.sounds.sound import Sound, sound_f1
from toyworld.splits import Value
from toyworld.ties import agree, heard

_READERS = ",".join(reader.name for table in (OF_MEDIA, OF_TEXTS) for reader in table.values())


@dataclass(frozen=True)
class Truth:
    """One thing that an answer should hold.

    Attributes:
        target: what should be shown, played or described; None where words alone are asked for.
        words: the true answer in words, where there is no target.
        told: whether the target should be described in words, not shown in a medium.
        exact: whether every attribute is asked for; else what can be heard is.
    """

    target: Value | None
    words: str = ""
    told: bool = False
    exact: bool = True

    @property
    def modality(self) -> str:
        """In what it is answered: ``text``, ``image``, ``video`` or ``audio``."""
        return "text" if self.target is None or self.told else kind_of(self.target).modality

    @property
    def plan(self) -> str:
        """What a system says that answers so: the words, or the call of its tool."""
        if self.target is None:
            return self.words
        return kind_of(self.target).describe(self.target) if self.told else call(self.target)


@dataclass(frozen=True)
class Answered:
    """An answer as it is judged: its words, and what the oracles read in each medium, in order."""

    text: str
    media: tuple[tuple[str, Read], ...]

    def read(self, truth: Truth) -> Read:
        """What the answer says of the target: the first medium of its kind, or the words."""
        if truth.told:
            return OF_TEXTS[type(truth.target)].read(self.text)
        return next((read for modality, read in self.media if modality == truth.modality), Read((), None))


def answered(answer: Message) -> Answered:
    """Read everything that an answer holds."""
    return Answered(answer.text, tuple((medium.modality, reading(medium)) for medium in answer.media))


def right(answer: Answered, truth: Truth) -> float:
    """1.0 where the answer is right, else 0.0."""
    if truth.target is None:
        return float(vqa_normalized(answer.text) == vqa_normalized(truth.words))
    value = answer.read(truth).value
    if value is None or truth.exact:
        return float(value == truth.target)
    return float(agree(value, truth.target))


def attribute_f1(answer: Answered, truth: Truth) -> float:
    """F1 of the attributes that are asked for; of words alone, whether they are right."""
    if truth.target is None:
        return right(answer, truth)
    read = answer.read(truth)
    if truth.exact:
        return OF_MEDIA[type(truth.target)].f1(read.parts, truth.target)
    sounding = truth.target if isinstance(truth.target, Sound) else heard(truth.target)
    return sound_f1(None if read.value is None else heard(read.value), sounding)  # type: ignore[arg-type]


class _Judged(MeanMetric):
    """What the metrics of this file share: an answer is held against all that it should hold.

    Args:
        name: in tables.
        judge: of an answer and one truth, 0 to 1.
        together: puts the judgements of one answer together.
    """

    higher_is_better = True

    def __init__(
        self,
        name: str,
        judge: Callable[[Answered, Truth], float],
        together: Callable[[Sequence[float]], Any],
    ) -> None:
        self.name, self.judge, self.together = name, judge, together

    @property
    def signature(self) -> str:
        """Who reads the answers."""
        return f"{self.name}|reader:{_READERS}|unheard:not-asked|v:1"

    def statistics(
        self, predictions: Sequence[Answered], references: Sequence[Sequence[Truth]]
    ) -> FloatArray:
        """The judgement of each answer, [N]."""
        check_lengths(self.name, predictions, references)
        pairs = zip(predictions, references, strict=True)
        return np.array(
            [float(self.together([self.judge(said, truth) for truth in truths])) for said, truths in pairs]
        )


def truth_uses(accuracy: str) -> tuple[MetricUse, ...]:
    """Share of answers that are right, under the name given, and attribute F1, by a sample's ``truths``."""
    truths = reference("truths")
    return (
        MetricUse(accuracy, partial(_Judged, accuracy, right, min), answered, truths),
        MetricUse("attribute_f1", partial(_Judged, "attribute_f1", attribute_f1, np.mean), answered, truths),
    )
