"""Answers about videos: ActivityNet-QA's break-down by type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metrics.answers.accuracy import ExactMatch
from metrics.metric import MetricInputError, check_lengths

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
