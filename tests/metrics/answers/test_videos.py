"""Multiple choice read from free text, and ActivityNet-QA."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.answers.videos import Choice, ChoiceAccuracy, ChoiceUnparsed, activitynet_qa, chosen
from metrics.metric import MetricInputError

OPTIONS = ["walk", "run", "a blue car", "a car", "sit down"]


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("B", 1),
        ("b", 1),
        ("**B**", 1),
        ("(B)", 1),
        ("B.", 1),
        ("B) run", 1),
        ("B: because he runs", 1),
        ("(C) a blue car", 2),
        ("B\nHe runs.", 1),
        ("Answer: E", 4),
        ("The answer is (D).", 3),
        ("The correct answer is option **C**.", 2),
        ("I would choose option E, he sits.", 4),
        ("The answer is I guess run", 1),
        ("run", 1),
        ("Run!", 1),
        ("They run in the park", 1),
        ("It is a blue car.", 2),
        ("the car", 3),
        ("He will sit down", 4),
    ],
)
def test_a_clear_reply_is_read(reply: str, place: int) -> None:
    assert chosen(reply, OPTIONS) == place


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "VISA card",
        "A man is standing",
        "Answer: B or answer: C",
        "Answer: B or C",
        "(B) or answer: C",
        "walk and run",
        "Z",
        "The answer is Z.",
        "The answer is A man",
        "running",
        "I don't know",
        "none",
    ],
)
def test_an_unclear_reply_is_not_guessed(reply: str) -> None:
    assert chosen(reply, OPTIONS) is None


@given(st.text("ABCDEabcderunwalk .:()\n*'", max_size=30))
def test_any_reply_gets_one_verdict(reply: str) -> None:
    place = chosen(reply, OPTIONS)
    assert place is None or 0 <= place < len(OPTIONS)
    assert chosen(reply, OPTIONS) == place


def test_an_option_that_is_there_twice_is_chosen_by_letter_only() -> None:
    assert chosen("cat", ["cat", "cat"]) is None
    assert chosen("B", ["cat", "cat"]) == 1


def test_accuracy_and_unparsed_share_add_up() -> None:
    question = Choice(("cat", "dog"), answer=0)
    replies = ["A", "cat", "B", "maybe"]
    assert ChoiceAccuracy().value(ChoiceAccuracy().statistics(replies, [question] * 4)) == 0.5
    assert ChoiceUnparsed().value(ChoiceUnparsed().statistics(replies, [question] * 4)) == 0.25


def test_bad_choices_are_named() -> None:
    with pytest.raises(MetricInputError, match="answer 2 of 2 options"):
        Choice(("cat", "dog"), answer=2)
    with pytest.raises(MetricInputError, match="item 0: its reply None"):
        ChoiceAccuracy().statistics([None], [Choice(("cat",), 0)])  # type: ignore[list-item]
    with pytest.raises(MetricInputError, match="1 predictions but 0"):
        ChoiceAccuracy().statistics(["A"], [])


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
