"""Replies of a language model that judges: verdicts on answers, CLAIR's scores; off the menu is none.

A reply that is not on the menu has no score: it is neither searched for a digit nor counted as wrong. Whoever
    asks
keeps the raw reply, the judge's name and fingerprint and a hash of the prompt; a run does (see
`benchmarks.tasks.judging`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from metrics.metric import FloatArray, MeanMetric, MetricInputError

VERDICT_PROMPT = (
    "Question: {question}\nCorrect answer: {reference}\nGiven answer: {answer}\n"
    "Does the given answer say the same as the correct answer? Reply with yes or no only."
)
CLAIR_PROMPT = (
    "Two descriptions were written. Do they describe the same thing?\nFirst: {answer}\nSecond: {reference}\n"
    'Reply with JSON only: {{"score": a whole number from 0 (surely not) to 100 (surely), "reason": why}}'
)


def prompt_hash(prompt: str) -> str:
    """Sixteen hex digits of a prompt: judgements under different prompts are not comparable.

    >>> len(prompt_hash(VERDICT_PROMPT))
    16
    """
    return sha256(prompt.encode()).hexdigest()[:16]


def verdict(reply: str) -> bool | None:
    """What a reply decides: yes, no, or nothing at all where it says more or something else.

    >>> [verdict(reply) for reply in ("Yes.", " no", "yes and no", "The answer is yes", "")]
    [True, False, None, None, None]
    """
    said = re.sub(r"[.!\s*\"'`]+$|^[\s*\"'`]+", "", reply.strip()).lower()
    return {"yes": True, "no": False}.get(said)


def clair_score(reply: str) -> float | None:
    """The score of a reply in CLAIR's form, 0 to 1; None where it holds no such score, or one off the scale.

    >>> clair_score('{"score": 85, "reason": "both are dogs"}')
    0.85
    >>> clair_score("85") is None, clair_score('{"score": 850}') is None
    (True, True)
    """
    found = re.search(r"\{.*\}", reply, re.DOTALL)
    try:
        told = json.loads(found[0]) if found else None
    except ValueError:
        return None
    score = told.get("score") if isinstance(told, dict) else None
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return None
    return float(score) / 100 if 0 <= score <= 100 else None


class JudgedAnswers(MeanMetric):
    """Share of answers that a language model calls right, over its raw replies, 0 to 1.

    Args:
        prompt: what it was asked; its hash stands in the signature.

    >>> metric = JudgedAnswers()
    >>> metric.statistics(["yes", "No."], [None, None]).tolist()
    [1.0, 0.0]
    """

    name = "judged_right"
    higher_is_better = True
    least = 0.0
    read: Callable[[str], float | bool | None] = staticmethod(verdict)
    menu = "yes or no"

    def __init__(self, prompt: str = VERDICT_PROMPT) -> None:
        self.prompt = prompt

    @property
    def signature(self) -> str:
        """What was asked; who was asked is the system."""
        return f"{self.name}|prompt:{prompt_hash(self.prompt)}|menu:{self.menu}|off-menu:unscored|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """What each reply says, [N]; references are not looked at.

        Raises:
            MetricInputError: a reply off the menu; the message names it.
        """
        found = [self.read(str(reply)) for reply in predictions]
        for number, value in enumerate(found):
            if value is None:
                raise MetricInputError(
                    f"{self.name}: item {number} is off the menu: {predictions[number]!r:.60}; "
                    "leave it out and count it"
                )
        return np.array([float(value) for value in found if value is not None], dtype=np.float64)


class Clair(JudgedAnswers):
    """CLAIR (Chan et al. 2023): a model's score of a caption beside a reference, over its raw replies.

    The prompt is this project's own, so numbers of the original are not comparable; the ties that it breaks
    by another metric stay ties here.

    >>> Clair().statistics(['{"score": 40, "reason": "no"}'], [None]).tolist()
    [0.4]
    """

    name = "clair"
    read = staticmethod(clair_score)
    menu = "JSON score of 0 to 100"

    def __init__(self, prompt: str = CLAIR_PROMPT) -> None:
        super().__init__(prompt)


class VerdictAccuracy(JudgedAnswers):
    """Share of verdicts that are the known ones: how far a judge of answers is right, 0 to 1.

    >>> VerdictAccuracy().statistics(["yes", "no"], [True, True]).tolist()
    [1.0, 0.0]
    """

    name = "verdict_accuracy"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """1 or 0 for each reply, [N]."""
        found = super().statistics(predictions, references)
        known = np.asarray(references, dtype=np.float64)
        return np.where(found == known, 1.0, 0.0)
