"""Multiple choice: which option a free reply chooses, and the accuracy of such replies."""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from metrics.answers.normalizer import vqa_normalized
from metrics.metric import ArrayMetric, FloatArray, MeanMetric, MetricInputError, check_lengths

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WRAPPING = "*_`\"'“”‘’()[]{}<>$.,:;!? \t\n"

# What follows an A or an I that is a letter; before any other word it is an article, or the speaker.
_AFTER_A_LETTER = "is|was|because|since|as|given|due|based|which|or|and|nor|but"
# Between "answer" and its letter: "answer: **B**", "answer is most likely ('B')", "<answer>B", JSON.
_VERB = r"(?:\s+to\s+\w+\s+question)?(?:\s+(?:is|was|(?:would|should|must|could|might|may)\s+be))?"
_ADVERB = r"(?:[\s:]+(?:probably|likely|most|clearly|definitely|option|choice|letter|answer)\b){0,3}"
_OPENING = r"[\s:=*_`\"'“”‘’(\[{<>$\\–—-]*"
_SAYING = r"choose|chose|pick|picked|select|selected|say|think|believe|guess|go(?:ing)?\s+with|opt\s+for"
_NEGATED = re.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|except|eliminate|exclude|rule\s+out)|n['’]t)"
    r"(?:[^\w.,;:!?\n]+\w+){0,4}[^\w.,;:!?\n]*\Z",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"[^\w.,;:!?\n]*\s+(?:is|was|can|could|must|seems)(?:n['’]t\b|not\b|\s+(?:not|wrong|incorrect|false)\b)",
    re.IGNORECASE,
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

    In this order: a letter alone, an option's text alone, a letter that is named plainly ("(B)", "B. a dog",
    "the answer is B", "it's B", "B is correct"), one option's text within the reply. A reply that names two
    letters chooses none, however it names them, and so does one that denies the letter it names; nothing is
    guessed.

    Args:
        reply: what was answered, in any words.
        options: the options' texts in the order of their letters, 1 to 26.

    >>> options = ["a cat", "a dog", "a red dog"]
    >>> [chosen(reply, options) for reply in ("B", "(b)", "The answer is C.", "A red dog!", "a cat there")]
    [1, 1, 2, 2, 0]
    >>> [chosen(reply, options) for reply in ("VISA card", "A or B", "neither", "A bird", "(A), not (B)")]
    [None, None, None, None, None]
    """
    letters = LETTERS[: len(options)]
    bare = reply.strip(_WRAPPING)
    if len(bare) == 1 and bare.upper() in letters:
        return letters.index(bare.upper())
    whole, wholes = reply.strip().casefold(), [option.strip().casefold() for option in options]
    if whole and wholes.count(whole) == 1:
        return wholes.index(whole)
    named, denied = _named(reply, letters)
    if named:
        return letters.index(named.pop()) if len(named) == 1 and not denied else None
    return _option_within(vqa_normalized(reply), list(map(vqa_normalized, options)))


def _named(reply: str, letters: str) -> tuple[set[str], bool]:
    """The letters that a reply names, with those beside them, and whether it denies one of them."""
    plain, beside = _forms(letters)
    found = [match for form in plain for match in form.finditer(reply)]
    if not found:
        return set(), False
    named = {match["letter"].upper() for match in found}
    for form in beside:
        named |= {letter.upper() for match in form.finditer(reply) for letter in match.groups()}
    denied = any(
        _NEGATED.search(reply, max(0, match.start("letter") - 60), match.start("letter"))
        or _DENIED.match(reply, match.end("letter"))
        for match in found
    )
    return named, denied


@lru_cache(maxsize=len(LETTERS))
def _forms(letters: str) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """The forms that name one of the letters plainly, and those that count where there is such a one."""
    capitals = f"[{letters}]"
    begin = rf"(?<!\w)(?<!\w['’])(?![AaIi][^\S\n]+(?!(?:{_AFTER_A_LETTER})\b)\w)"
    end = r"(?!\w|['’.]\w)"
    letter, small_too = rf"{begin}(?P<letter>{capitals}){end}", rf"{begin}(?P<letter>(?i:{capitals})){end}"
    plain = (
        # At the start: "B, he runs", "**B** run", "B - run", "B because he runs".
        rf"\A\W*?{letter}(?=[)\]:,!;*_\"”]|\.(?=[\s*]|\Z)|\s+[-–—]\s|\s*\n|\s+(?:because|since|as)\b)",
        # At the start of any line, and anywhere: "B. run", "B: run"; "B) run", "(B)", "[b]".
        rf"(?m:^)[^\w\n]*?{letter}[.:](?=\s|\Z)",
        rf"(?<!\w){letter}\)",
        rf"(?<!\w)[(\[{{]\s*{small_too}\s*[)\]}}]",
        # LaTeX: "\boxed{{B}}", "\boxed{{\text{{B}}}}".
        rf"\\boxed\s*\{{\s*(?:\\\w+\s*\{{)?\W*{small_too}",
        # In words: "the answer is B", "option A shows", "it's B", "I choose B", "B is correct".
        rf"(?i:\b(?:answer|option|choice|letter)\b{_VERB}{_ADVERB}){_OPENING}{small_too}",
        rf"(?i:\b(?:option|choice|letter))[ *_`\"'“”‘’(]+(?P<letter>{capitals}){end}",
        rf"(?i:\b(?:it|that)(?:['’]?s|\s+is){_ADVERB}){_OPENING}{letter}",
        rf"(?i:\b(?:{_SAYING})\b{_ADVERB}){_OPENING}{letter}",
        rf"{letter}\W{{0,3}}\s+is\s+(?:(?:the|my|most|likely|best)\s+)*(?:correct|right|true|answer|choice|option)\b",
    )
    pair = rf"{begin}({capitals}){end}"
    gap = r"[^\w\n]{0,4}"
    joint = rf"{gap}(?:\b(?:or|and|nor)\b|[,/&+]){gap}(?:(?:option|choice|answer)\s{{1,2}})?{gap}"
    beside = (
        rf"{pair}(?={joint}{pair})",  # "A or B", "A, B", "A. or B."
        rf"(?<!\w)(?<!\w\.)({capitals})[.:](?=\s|\Z)",  # "A. walk B. run"
        rf"[*_`\"“]({capitals})[*_`\"”]",  # "**A** walk **B** run"
    )
    return tuple(map(re.compile, plain)), tuple(map(re.compile, beside))


def _option_within(reply: str, options: Sequence[str]) -> int | None:
    """The one option that is the reply, or else that stands in it and is no part of a longer one there."""
    if reply and options.count(reply) == 1:
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
        return f"{self.name}|reply:letter-or-option-text|unparsed:wrong|v:2"

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


@dataclass(frozen=True)
class Turn:
    """A question with its options in one of their orders, as MMBench's CircularEval asks it.

    Attributes:
        choice: the options in this order.
        question: what the turns of one question share.
    """

    choice: Choice
    question: str


class ChoiceCircular(ArrayMetric):
    """MMBench's CircularEval: share of questions answered rightly in every turn of their options.

    A question has as many turns as options; one that lacks some, as the last one under a limit may, is left
    out. A reply that chooses nothing is wrong.

    >>> turns = [Turn(Choice(("a cat", "a dog"), 1), "7"), Turn(Choice(("a dog", "a cat"), 0), "7")]
    >>> metric = ChoiceCircular()
    >>> [metric.value(metric.statistics(said, turns)) for said in (["B", "A"], ["B", "B"])]
    [1.0, 0.0]
    """

    name = "choice_circular"
    higher_is_better = True
    signature = "choice_circular|reply:letter-or-option-text|right:all-turns|unparsed:wrong|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[Turn]) -> FloatArray:
        """Of each reply a number for its question, whether it is right, and the turns there are, [N, 3]."""
        right = ChoiceAccuracy().statistics(predictions, [turn.choice for turn in references])
        questions = [_number(turn.question) for turn in references]
        return np.column_stack([questions, right, [len(turn.choice.options) for turn in references]])

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """The share of the questions that have all their turns; a question weighs what its turns do.

        Raises:
            MetricInputError: there is none.
        """
        _, place, turns = np.unique(statistics[:, 0], return_inverse=True, return_counts=True)
        most = np.zeros(len(turns))
        np.maximum.at(most, place, statistics[:, 2])
        whole = turns >= most
        if not whole.any():
            raise MetricInputError("no question has all turns of its options; ask each in every one of them")
        right = np.bincount(place, weights=statistics[:, 1]) == turns
        times = turns if weights is None else np.bincount(place, weights=weights)
        return float(np.average(right[whole], weights=(times / turns)[whole]))


def _number(question: str) -> float:
    """A question as a whole number that a float64 holds exactly."""
    return float(int.from_bytes(hashlib.sha256(question.encode()).digest()[:6]))
