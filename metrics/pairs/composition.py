"""GenEval: whether a picture holds the objects that its prompt names, so many, so coloured, so placed.

The rules are those of GenEval's own program (Ghosh et al. 2023, djghosh13/geneval), over detections that
are given: what was seen, where, how surely, in which colour. Detectors and classifiers are not run here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.metric import ArrayMetric, FloatArray, MetricInputError, check_lengths

SURE = 0.3  # least confidence of an object
SURE_TO_COUNT = 0.9  # the same where objects are counted
MOST = 16  # objects of a class that are looked at, the surest first
PLAY = 0.1  # share of the objects' sizes by which centres may differ and still be level


@dataclass(frozen=True)
class Detected:
    """An object in a picture.

    Attributes:
        kind: COCO's name of its class.
        box: left, top, right, bottom, in pixels.
        score: how sure the detector is, 0 to 1.
        color: what its colour was called; empty where nobody said.
    """

    kind: str
    box: tuple[float, float, float, float]
    score: float = 1.0
    color: str = ""


def relations(one: Detected, other: Detected) -> set[str]:
    """How the first object stands to the second: among ``left of``, ``right of``, ``above``, ``below``.

    >>> cup, table = Detected("cup", (0, 0, 10, 10)), Detected("table", (0, 40, 10, 60))
    >>> relations(cup, table), relations(cup, cup)
    ({'above'}, set())
    """
    boxes = np.array([one.box, other.box], dtype=float).reshape(2, 2, 2)
    offset = np.subtract(*boxes.mean(axis=1))
    sizes = np.abs(boxes[:, 1] - boxes[:, 0]).sum(axis=0)
    apart = np.maximum(np.abs(offset) - PLAY * sizes, 0) * np.sign(offset)
    if np.all(np.abs(apart) < 1e-3):
        return set()
    across, down = apart / np.linalg.norm(offset)
    found = {"left of": across < -0.5, "right of": across > 0.5, "above": down < -0.5, "below": down > 0.5}
    return {name for name, holds in found.items() if holds}


def fulfils(seen: Sequence[Detected], asked: Mapping[str, Any]) -> bool:
    """Whether a picture holds all that its prompt asks for, and not what it must not.

    Args:
        seen: the objects that were detected, in any order.
        asked: a line of ``evaluation_metadata.jsonl``: tag, include, exclude.

    Raises:
        MetricInputError: a colour is asked for, and nobody said what colour an object has.

    >>> two = {"tag": "counting", "include": [{"class": "dog", "count": 2}],
    ...        "exclude": [{"class": "dog", "count": 3}]}
    >>> [fulfils([Detected("dog", (0, 0, 9, 9))] * count, two) for count in (1, 2, 3)]
    [False, True, False]
    """
    least = SURE_TO_COUNT if asked.get("tag") == "counting" else SURE
    surest = sorted((each for each in seen if each.score > least), key=lambda each: -each.score)
    kinds: dict[str, list[Detected]] = {}
    for each in surest:
        kinds.setdefault(each.kind, []).append(each)
    groups: list[list[Detected] | None] = []
    for wish in asked.get("include", ()):
        found = kinds.get(wish["class"], [])[:MOST][: wish["count"]]
        groups.append(found if _granted(found, wish, groups) else None)
    too_many = any(
        len(kinds.get(wish["class"], [])[:MOST]) >= wish["count"] for wish in asked.get("exclude", ())
    )
    return None not in groups and not too_many


def _granted(
    found: Sequence[Detected], wish: Mapping[str, Any], groups: Sequence[Sequence[Detected] | None]
) -> bool:
    """Whether the objects of a class are as one wish has them, those of earlier wishes given."""
    if len(found) < wish["count"]:
        return False
    if "color" in wish:
        if not all(each.color for each in found):
            raise MetricInputError(f"a {wish['class']} without a colour; give each object's, as color")
        if sum(each.color == wish["color"] for each in found) < wish["count"]:
            return False
    if "position" not in wish:
        return True
    relation, place = wish["position"]
    others = groups[place]
    return others is not None and all(
        relation in relations(each, other) for each in found for other in others
    )


class GenEval(ArrayMetric):
    """GenEval's score: the mean over kinds of prompts of the share of pictures that hold what was asked for.

    A prediction is what one prompt's pictures came to: whether each is right, or what was detected in it. A
    prompt without pictures is wrong.

    >>> asked = {"tag": "single_object", "include": [{"class": "dog", "count": 1}]}
    >>> metric = GenEval()
    >>> metric.value(metric.statistics([[True, [Detected("dog", (0, 0, 1, 1))], [], False]], [asked]))
    0.5
    """

    name = "geneval"
    higher_is_better = True
    signature = f"geneval|sure:{SURE},{SURE_TO_COUNT}|mean:tags|v:1"

    def statistics(
        self,
        predictions: Sequence[Sequence[bool | Sequence[Detected]]],
        references: Sequence[Mapping[str, Any]],
    ) -> FloatArray:
        """Of each prompt a number for its kind and the share of its pictures that are right, [N, 2]."""
        check_lengths(self.name, predictions, references)
        rows = np.empty((len(predictions), 2))
        for number, (pictures, asked) in enumerate(zip(predictions, references, strict=True)):
            try:
                right = [each if isinstance(each, bool) else fulfils(each, asked) for each in pictures]
            except MetricInputError as error:
                raise MetricInputError(f"item {number}: {error}") from error
            rows[number] = _number(asked["tag"]), np.mean(right) if right else 0.0
        return rows

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """The mean of the kinds' means.

        Raises:
            MetricInputError: no prompts.
        """
        if not len(statistics):
            raise MetricInputError(f"{self.name}: no prompts to average over")
        times = np.ones(len(statistics)) if weights is None else weights
        _, kind = np.unique(statistics[:, 0], return_inverse=True)
        count, right = np.bincount(kind, weights=times), np.bincount(kind, weights=times * statistics[:, 1])
        return float(np.mean(right[count > 0] / count[count > 0]))

    def items(self, statistics: FloatArray) -> FloatArray:
        """The shares of right pictures."""
        return statistics[:, 1]


def _number(tag: str) -> float:
    """A kind as a whole number that a float64 holds exactly."""
    return float(int.from_bytes(hashlib.sha256(tag.encode()).digest()[:6]))
