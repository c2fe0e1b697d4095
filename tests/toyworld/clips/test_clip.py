from __future__ import annotations

import json

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_clip
from toyworld.clips.clip import TURNS, Actor, Clip, Deed, clip_accuracy, clip_f1
from toyworld.scene import Thing

CIRCLE = Thing(0, "small", "red", "circle")
SQUARE = Thing(4, "large", "blue", "square")
RIGHT = Deed("moves", "right", "slowly")


@given(any_clip)
def test_a_clip_survives_json(clip: Clip) -> None:
    assert Clip.from_json(json.loads(json.dumps(clip.to_json()))) == clip


@given(any_clip, any_clip)
def test_equal_keys_mean_equal_clips(a: Clip, b: Clip) -> None:
    assert (a.key == b.key) == (a == b)


@given(any_clip, any_clip)
def test_f1_is_one_exactly_for_the_same_clip(predicted: Clip, true: Clip) -> None:
    score = clip_f1(predicted, true)
    assert 0 <= score <= 1
    assert (score == 1) == (predicted == true) == (clip_accuracy(predicted, true) == 1)


@given(any_clip)
def test_in_each_turn_exactly_one_thing_acts(clip: Clip) -> None:
    for turn in range(1, TURNS + 1):
        before, after = clip.after(turn - 1), clip.after(turn)
        assert len(set(before) ^ set(after)) <= 2
        assert (before != after) == (turn <= len(clip.acting))


def test_f1_counts_what_is_missing_and_what_is_too_much() -> None:
    true = Clip.of(Actor(CIRCLE, RIGHT, 1), Actor(SQUARE))
    assert clip_f1([Actor(CIRCLE, RIGHT, 1)], true) == pytest.approx(2 * 8 / (8 + 13))
    assert clip_f1([*true.actors, Actor(Thing(8, "small", "red", "star"))], true) == pytest.approx(26 / 31)
    assert clip_f1([Actor(CIRCLE, RIGHT, 2), Actor(SQUARE)], true) == pytest.approx(2 * 12 / 26)
    assert clip_f1([], true) == 0
    assert clip_f1([Actor(CIRCLE, RIGHT, 1)] * 500, true) == pytest.approx(2 * 8 / (72 + 13))


@pytest.mark.parametrize(
    ("actors", "message"),
    [
        ((), "1 to 3"),
        ((Actor(CIRCLE),), "something moves"),
        ((Actor(CIRCLE, Deed("moves", "right"), 1),), "every attribute"),
        ((Actor(CIRCLE, None, 1), Actor(SQUARE, RIGHT, 1)), "every attribute"),
        ((Actor(CIRCLE, Deed("vanishes"), 2),), "counted from 1"),
        ((Actor(CIRCLE, Deed("vanishes"), 1), Actor(SQUARE, RIGHT, 1)), "counted from 1"),
        ((Actor(CIRCLE, Deed("moves", "up", "slowly"), 1),), "leaves the grid"),
        ((Actor(Thing(3, "small", "red", "star"), RIGHT, 1), Actor(SQUARE)), "meets another"),
    ],
)
def test_an_impossible_clip_is_refused(actors: tuple[Actor, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Clip(actors)


def test_a_place_that_was_left_is_free_again() -> None:
    star = Thing(3, "small", "red", "star")
    clip = Clip.of(Actor(SQUARE, Deed("vanishes"), 1), Actor(star, RIGHT, 2))
    assert [thing.cell for thing in clip.after(2)] == [4]
    assert clip.still("end") is not None
    assert Clip.of(Actor(SQUARE, Deed("vanishes"), 1)).still("end") is None
