"""GenEval's rules over detections: what counts as there, as so many, as so coloured, as so placed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metrics.metric import MetricInputError
from metrics.pairs.composition import Detected, GenEval, fulfils, relations
from metrics.statistics import estimate

Box = tuple[float, float, float, float]


def at(x: float, y: float, kind: str = "dog", size: float = 10, **more: Any) -> Detected:
    half = size / 2
    return Detected(kind, (x - half, y - half, x + half, y + half), **more)


def wish(kind: str = "dog", count: int = 1, **more: Any) -> dict[str, Any]:
    return {"class": kind, "count": count, **more}


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [
        (100, 0, {"right of"}),
        (-100, 0, {"left of"}),
        (0, -100, {"above"}),
        (0, 100, {"below"}),
        (100, 100, {"right of", "below"}),
        (100, 40, {"right of"}),  # 0.37 of the way down
        (2, 0, set()),  # a tenth of both sizes is play
        (2.2, 0, set()),  # beyond it, but less than half of the offset
        (4.2, 0, {"right of"}),
        (0, 0, set()),
    ],
)
def test_one_thing_stands_to_another_where_its_centre_does(x: float, y: float, found: set[str]) -> None:
    assert relations(at(x, y), at(0, 0)) == found


@pytest.mark.parametrize(
    ("tag", "include", "exclude", "seen", "right"),
    [
        ("single_object", [wish()], [], [at(0, 0)], True),
        ("single_object", [wish()], [], [at(0, 0, "cat")], False),
        ("single_object", [wish()], [], [at(0, 0, score=0.3)], False),
        ("single_object", [wish()], [], [at(0, 0, score=0.31)], True),
        ("counting", [wish(count=2)], [wish(count=3)], [at(0, 0, score=0.95)] * 2, True),
        ("counting", [wish(count=2)], [wish(count=3)], [at(0, 0, score=0.95)] * 3, False),
        ("counting", [wish(count=2)], [wish(count=3)], [at(0, 0, score=0.95), at(0, 0, score=0.8)], False),
        ("two_object", [wish(), wish("cat")], [], [at(0, 0), at(9, 9, "cat")], True),
        ("two_object", [wish(), wish("cat")], [], [at(0, 0)], False),
        ("colors", [wish(color="red")], [], [at(0, 0, color="red")], True),
        ("colors", [wish(color="red")], [], [at(0, 0, color="blue")], False),
        # The surest is looked at, and no other.
        (
            "colors",
            [wish(color="red")],
            [],
            [at(0, 0, color="red", score=0.5), at(9, 9, color="blue")],
            False,
        ),
        ("position", [wish("cat"), wish(position=["right of", 0])], [], [at(0, 0, "cat"), at(99, 0)], True),
        ("position", [wish("cat"), wish(position=["left of", 0])], [], [at(0, 0, "cat"), at(99, 0)], False),
        ("position", [wish("cat"), wish(position=["left of", 0])], [], [at(0, 0)], False),
    ],
)
def test_a_picture_is_right_where_it_holds_all_that_is_asked_for(
    tag: str, include: list[Any], exclude: list[Any], seen: list[Detected], right: bool
) -> None:
    assert fulfils(seen, {"tag": tag, "include": include, "exclude": exclude}) is right


def test_an_object_without_a_colour_is_told_and_not_judged() -> None:
    with pytest.raises(MetricInputError, match="item 0: a dog without a colour"):
        GenEval().statistics([[[at(0, 0)]]], [{"tag": "colors", "include": [wish(color="red")]}])


def test_the_score_is_the_mean_over_kinds_of_prompts_and_not_over_prompts() -> None:
    asked = [{"tag": tag, "include": [wish()]} for tag in ("a", "a", "a", "b")]
    metric = GenEval()
    statistics = metric.statistics([[True], [True], [False, True, True, True], [False]], asked)
    assert metric.value(statistics) == pytest.approx((2.75 / 3 + 0) / 2)
    assert metric.value(statistics, np.array([0.0, 0.0, 1.0, 0.0])) == 0.75, (
        "a kind that is not drawn is left out"
    )
    assert metric.items(statistics).tolist() == [1, 1, 0.75, 0]
    found = estimate(metric, statistics)
    assert found.low <= found.value <= found.high
    with pytest.raises(MetricInputError, match="no prompts"):
        metric.value(statistics[:0])
