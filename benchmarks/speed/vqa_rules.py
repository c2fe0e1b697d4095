"""The official VQA script's rules, followed answer by answer as the script follows them: slow, and the truth.

Written from the published description of GT-Vision-Lab/VQA at a013f00. Nothing is remembered from one
answer to the next, as in the script, so this stands in for it where speed and values are compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from metrics.answers.normalizer import _SPELLINGS as SPELLINGS

THOUSANDS = re.compile(r"(\d)(\,)(\d)")
THOUSANDS_LMMS_EVAL = re.compile(r"(?<=\d)(\,)+(?=\d)")
_MARKS = [
    ";",
    "/",
    "[",
    "]",
    '"',
    "{",
    "}",
    "(",
    ")",
    "=",
    "+",
    "\\",
    "_",
    "-",
    ">",
    "<",
    "@",
    "`",
    ",",
    "?",
    "!",
]
_PERIOD = re.compile(r"(?!<=\d)(\.)(?!\d)")
_NUMBERS = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
_NUMBERS |= {"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}


def accuracies(
    predictions: Sequence[str], annotations: Sequence[dict[str, Any]], *, lmms_eval: bool = False
) -> list[float]:
    """The accuracy of each prediction. Changes the annotations' answers, as the script does."""
    return [
        _accuracy(prediction, annotation["answers"], lmms_eval)
        for prediction, annotation in zip(predictions, annotations, strict=True)
    ]


def accuracy_by(key: str, annotations: Sequence[dict[str, Any]], items: Sequence[float]) -> dict[str, float]:
    """The mean of each type's items, collected question by question."""
    collected: dict[str, list[float]] = {}
    for annotation, item in zip(annotations, items, strict=True):
        collected.setdefault(annotation[key], []).append(item)
    return {kind: sum(values) / len(values) for kind, values in collected.items()}


def normalised(text: str, thousands: re.Pattern[str]) -> str:
    """Punctuation, then numbers, articles and contractions."""
    out = text
    for mark in _MARKS:
        if (mark + " " in text or " " + mark in text) or re.search(thousands, text) is not None:
            out = out.replace(mark, "")
        else:
            out = out.replace(mark, " ")
    out = _PERIOD.sub("", out, count=32)
    words = [_NUMBERS.get(word, word) for word in out.lower().split()]
    return " ".join(SPELLINGS.get(word, word) for word in words if word not in ("a", "an", "the"))


def _accuracy(prediction: str, given: list[dict[str, Any]], lmms_eval: bool) -> float:
    for datum in given:
        datum["answer"] = _trimmed(datum["answer"])
    prediction = _trimmed(prediction)
    if lmms_eval or len({datum["answer"] for datum in given}) > 1:
        thousands = THOUSANDS_LMMS_EVAL if lmms_eval else THOUSANDS
        for datum in given:
            datum["answer"] = normalised(datum["answer"], thousands)
        prediction = normalised(prediction, thousands)
    worth = []
    for datum in given:
        others = [other for other in given if other != datum]
        matching = [other for other in others if other["answer"] == prediction]
        worth.append(min(1.0, len(matching) / 3))
    return sum(worth) / len(worth)


def _trimmed(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()
