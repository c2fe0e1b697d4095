"""ActivityNet-QA's break-down by type."""

from __future__ import annotations

import pytest

from metrics.answers.videos import activitynet_qa
from metrics.metric import MetricInputError


def test_activitynets_free_accuracy_does_not_depend_on_the_order_of_questions() -> None:
    questions = [
        ("yes", "yes", 3),
        ("no", "yes", 3),
        ("up", "up", 1),
        ("run", "sit", 0),
        ("red", "red", 4),
        ("x", "y", 2),
    ]
    for order in (questions, questions[::-1], sorted(questions)):
        scores = activitynet_qa(*map(list, zip(*order, strict=True)))
        assert scores.free == pytest.approx(2 / 3)
        assert scores.accuracy == 0.5
        assert scores.by_type == {
            "motion": 0.0, "spatial relation": 1.0, "temporal relation": 0.0, "yes/no": 0.5, "color": 1.0,
        }  # fmt: skip


def test_activitynet_refuses_unknown_types_and_empty_input() -> None:
    with pytest.raises(MetricInputError, match="not one of 0 to 8"):
        activitynet_qa(["a"], ["a"], [9])
    with pytest.raises(MetricInputError, match="no items"):
        activitynet_qa([], [], [])
    assert activitynet_qa(["a"], ["a"], [0]).free is None
