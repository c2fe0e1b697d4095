from __future__ import annotations

import random

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_clip, seeds
from toyworld.clips.clip import Actor, Clip, Deed
from toyworld.clips.instructions import EDITS, instruct
from toyworld.clips.render import frames
from toyworld.scene import Thing

CIRCLE = Thing(0, "small", "red", "circle")
SQUARE = Thing(5, "large", "blue", "square")
MOVING = Actor(CIRCLE, Deed("moves", "right", "slowly"), 1)
GOING = Actor(SQUARE, Deed("vanishes"), 2)
GREEN = Thing(0, "small", "green", "circle")


def edits(clip: Clip, kind: str, tries: int = 40) -> dict[str, Clip]:
    found = (instruct(clip, random.Random(seed), kind=kind) for seed in range(tries))
    return {edit.text: edit.target for edit in found if edit is not None}


@pytest.mark.parametrize(
    ("kind", "text", "target"),
    [
        ("recolour", "make the circle green", Clip.of(Actor(GREEN, MOVING.deed, 1), GOING)),
        ("remove", "remove the red one", Clip.of(Actor(SQUARE, Deed("vanishes"), 1))),
        (
            "redirect",
            "make the one that moves move down",
            Clip.of(Actor(CIRCLE, Deed("moves", "down", "slowly"), 1), GOING),
        ),
        (
            "hasten",
            "make the circle move quickly",
            Clip.of(Actor(CIRCLE, Deed("moves", "right", "quickly"), 1), GOING),
        ),
        ("stop", "make the circle stay", Clip.of(Actor(CIRCLE), Actor(SQUARE, Deed("vanishes"), 1))),
        (
            "swap",
            "swap the order",
            Clip.of(Actor(CIRCLE, MOVING.deed, 2), Actor(SQUARE, Deed("vanishes"), 1)),
        ),
        (
            "mirror",
            "mirror the clip",
            Clip.of(
                Actor(Thing(2, "small", "red", "circle"), Deed("moves", "left", "slowly"), 1),
                Actor(Thing(3, "large", "blue", "square"), Deed("vanishes"), 2),
            ),
        ),
        (
            "reverse",
            "play it backwards",
            Clip.of(
                Actor(Thing(1, "small", "red", "circle"), Deed("moves", "left", "slowly"), 2),
                Actor(SQUARE, Deed("appears"), 1),
            ),
        ),
    ],
)
def test_each_instruction_has_its_exact_target(kind: str, text: str, target: Clip) -> None:
    assert edits(Clip.of(MOVING, GOING), kind)[text] == target


def test_who_stays_can_be_made_to_act_at_the_end() -> None:
    for text, target in edits(Clip.of(MOVING, Actor(SQUARE)), "start").items():
        assert text.endswith(" at the end")
        assert target.acting[-1].thing == SQUARE


@given(any_clip, seeds)
def test_an_instruction_changes_the_clip_and_is_of_its_kind(clip: Clip, seed: int) -> None:
    for kind in EDITS:
        edit = instruct(clip, random.Random(seed), kind=kind)
        if edit is not None:
            assert edit.target != clip
            assert edit.kind == kind


@given(any_clip, seeds)
def test_training_never_shows_what_is_held_out(clip: Clip, seed: int) -> None:
    edit = instruct(clip, random.Random(seed), seen=True)
    assert edit is None or not edit.target.compositional


@given(any_clip)
def test_backwards_twice_is_forwards(clip: Clip) -> None:
    back = instruct(clip, random.Random(0), kind="reverse")
    if back is not None:
        again = instruct(back.target, random.Random(0), kind="reverse")
        assert again is not None
        assert again.target == clip
        assert (frames(back.target)[[0, -1]] == frames(clip)[[-1, 0]]).all()


def test_only_what_is_named_is_changed() -> None:
    clip = Clip.of(MOVING, GOING)
    for seed in range(20):
        edit = instruct(clip, random.Random(seed), kind="resize", named=[("it", GOING)])
        assert edit is not None
        assert edit.text == "make it small"
