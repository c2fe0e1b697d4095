"""Answers about videos: multiple choice read out of free text, and ActivityNet-QA's break-down by type."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metrics.answers.accuracy import ExactMatch
from metrics.answers.normalizer import normalized, trimmed
from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WRAPPING = "*_`\"'“”‘’()[]. \t\n"
# "B", "B: because", "B) a dog", "B. a dog", "(B) a dog"; but not "A dog", where A is an article.
_LEADING = re.compile(r"\A\W*?\(?([A-Z])(?:\)|\]|:|\.(?=\s|$)|,?\s*\n)")
# "the answer is (B)", "answer: B", "option B"; but not "the answer is A dog", nor "answer: B or C".
_NAMED = re.compile(
    r"""\b(?:answer|option|choice)(?:\s+is)?\s*:?\s*[*(\["']*
    ([B-Z]|A(?!\s+\w))(?![\w'])
    (?!\W*(?:or|and|,|/)\W*[A-Z]\b)""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Choice:
    """A multiple-choice question's options and which of them is right.

    Attributes:
        options: the texts, in the order of their letters.
        answer: the right one's place, from 0.
    """

    options: tuple[str, ...]
    answer: int

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.options) <= len(LETTERS):
            raise MetricInputError(
                f"answer {self.answer} of {len(self.options)} options {self.options!r}; give 1 to "
                f"{len(LETTERS)} options, and the place of the right one from 0"
            )


def chosen(reply: str, options: Sequence[str]) -> int | None:
    """The place of the option that a reply chooses, or None where it cannot be told.

    In this order: a letter alone or at the start, "the answer is" and a letter, an option's text alone,
    one option's text within the reply. A reply that names two options chooses none; nothing is guessed.

    >>> options = ["a cat", "a dog", "a red dog"]
    >>> [chosen(reply, options) for reply in ("B", "(b)", "The answer is C.", "A red dog!", "a cat there")]
    [1, 1, 2, 2, 0]
    >>> [chosen(reply, options) for reply in ("VISA card", "A or B", "neither", "A bird")]
    [None, None, None, None]
    """
    letters = LETTERS[: len(options)]
    bare = reply.strip(_WRAPPING)
    if len(bare) == 1 and bare.upper() in letters:
        return letters.index(bare.upper())
    named = {letter.upper() for letter in _LEADING.findall(reply)[:1] + _NAMED.findall(reply)}.intersection(
        letters
    )
    if named:
        return letters.index(named.pop()) if len(named) == 1 else None
    return _option_within(normalized(trimmed(reply)), [normalized(trimmed(option)) for option in options])


def _option_within(reply: str, options: Sequence[str]) -> int | None:
    """The one option that is the reply, or else that stands in it and is no part of a longer one there."""
    if options.count(reply) == 1:
        return options.index(reply)
    within = [option for option in options if option and f" {option} " in f" {reply} "]
    longest = [
        one for one in within if not any(one != other and f" {one} " in f" {other} " for other in within)
    ]
    return options.index(longest[0]) if len(longest) == 1 and options.count(longest[0]) == 1 else None


class _ChoiceMetric(MeanMetric):
    """What both multiple-choice metrics share: the reading of replies."""

    @property
    def signature(self) -> str:
        """How replies are read."""
        return f"{self.name}|reply:letter-or-option-text|unparsed:wrong|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[Choice]) -> FloatArray:
        """The item values, [N]."""
        check_lengths(self.name, predictions, references)
        values = np.empty(len(predictions))
        for number, (reply, choice) in enumerate(zip(predictions, references, strict=True)):
            if not isinstance(reply, str):
                raise MetricInputError(f"item {number}: its reply {reply!r} is not a string; '' is no reply")
            values[number] = self._value(chosen(reply, choice.options), choice)
        return values

    @abstractmethod
    def _value(self, place: int | None, choice: Choice) -> float:
        """What one reply is worth: `place` is the option it chooses, None for none."""


class ChoiceAccuracy(_ChoiceMetric):
    """Share of replies that choose the right option; one that chooses none is wrong, never a coin toss.

    >>> question = Choice(("a cat", "a dog"), answer=1)
    >>> ChoiceAccuracy().statistics(["B", "a dog", "A", "who knows"], [question] * 4).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """

    name = "choice_accuracy"
    higher_is_better = True

    def _value(self, place: int | None, choice: Choice) -> float:
        return float(place == choice.answer)


class ChoiceUnparsed(_ChoiceMetric):
    """Share of replies that choose no option: to be shown beside every multiple-choice accuracy.

    >>> question = Choice(("a cat", "a dog"), answer=1)
    >>> ChoiceUnparsed().statistics(["B", "a dog", "A", "who knows"], [question] * 4).tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    name = "choice_unparsed"
    higher_is_better = False

    def _value(self, place: int | None, choice: Choice) -> float:
        return float(place is None)


ACTIVITYNET_TYPES = (
    "motion",
    "spatial relation",
    "temporal relation",
    "yes/no",
    "color",
    "object",
    "location",
    "number",
    "other",
)
"""ActivityNet-QA's question types in the order of their numbers, 0 to 8; from 3 on they are "free"."""


@dataclass(frozen=True)
class ActivityNetScores:
    """ActivityNet-QA's accuracies, each a share of the questions it is about.

    Attributes:
        accuracy: of all questions.
        free: of the questions of types 3 to 8.
        by_type: of each type that occurs, by its name.
    """

    accuracy: float
    free: float | None
    by_type: Mapping[str, float]


def activitynet_qa(
    predictions: Sequence[str], answers: Sequence[str], types: Sequence[int]
) -> ActivityNetScores:
    """ActivityNet-QA: answers compared letter by letter.

    "Free" is divided by the number of questions of types 3 to 8. The published script divides it by the
    sizes of whichever types come fourth and later in the annotation file.

    Args:
        predictions: N answers.
        answers: the right ones.
        types: the question types, 0 to 8.

    Raises:
        MetricInputError: different lengths, no questions, or a type that there is not.

    >>> scores = activitynet_qa(["yes", "red", "dog"], ["yes", "blue", "dog"], [3, 4, 0])
    >>> round(scores.accuracy, 2), scores.free, scores.by_type["motion"]
    (0.67, 0.5, 1.0)
    """
    metric, kinds = ExactMatch(), np.asarray(types, dtype=np.int64)
    check_lengths("activitynet_qa types", predictions, types)
    items = metric.statistics(predictions, answers)
    if not np.isin(kinds, range(len(ACTIVITYNET_TYPES))).all():
        raise MetricInputError(
            f"a question type is not one of 0 to {len(ACTIVITYNET_TYPES) - 1}: {set(types)}"
        )
    means = {
        name: float(items[kinds == kind].mean())
        for kind, name in enumerate(ACTIVITYNET_TYPES)
        if (kinds == kind).any()
    }
    free = items[kinds >= 3]
    return ActivityNetScores(metric.value(items), float(free.mean()) if len(free) else None, means)
