from __future__ import annotations

import random

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_sound, seeds
from toyworld.sounds.instructions import EDITS, instruct
from toyworld.sounds.language import name
from toyworld.sounds.sound import Event, Sound

FLUTE = Event("flute", "low", "soft", 2)
BELL = Event("bell", "high", "loud", 1)


def edits(sound: Sound, kind: str, tries: int = 40) -> dict[str, Sound]:
    found = (instruct(sound, random.Random(seed), kind=kind) for seed in range(tries))
    return {edit.text: edit.target for edit in found if edit is not None}


@pytest.mark.parametrize(
    ("kind", "text", "target"),
    [
        ("retimbre", "turn the flute into a trumpet", Sound.of(Event("trumpet", "low", "soft", 2), BELL)),
        ("retune", "make the bell low", Sound.of(FLUTE, Event("bell", "low", "loud", 1))),
        ("reinforce", "make the first one loud", Sound.of(Event("flute", "low", "loud", 2), BELL)),
        ("repeat", "let the high one sound three times", Sound.of(FLUTE, Event("bell", "high", "loud", 3))),
        ("remove", "remove the last one", Sound.of(FLUTE)),
        ("reverse", "play it backwards", Sound.of(BELL, FLUTE)),
    ],
)
def test_each_instruction_has_its_exact_target(kind: str, text: str, target: Sound) -> None:
    assert edits(Sound.of(FLUTE, BELL), kind)[text] == target


def test_what_is_added_comes_last() -> None:
    for text, target in edits(Sound.of(FLUTE), "add").items():
        assert target.events[0] == FLUTE
        assert text == f"add {name(target.events[1])} at the end"


@given(any_sound, seeds)
def test_an_instruction_changes_the_sound_and_is_of_its_kind(sound: Sound, seed: int) -> None:
    for kind in EDITS:
        edit = instruct(sound, random.Random(seed), kind=kind)
        if edit is not None:
            assert edit.target != sound
            assert edit.kind == kind


@given(any_sound, seeds)
def test_training_never_plays_what_is_held_out(sound: Sound, seed: int) -> None:
    edit = instruct(sound, random.Random(seed), seen=True)
    assert edit is None or not edit.target.compositional


def test_of_two_alike_the_one_that_is_named_is_changed() -> None:
    edit = instruct(Sound.of(FLUTE, FLUTE), random.Random(0), kind="retune", named=[("the last one", 1)])
    assert edit is not None
    assert edit.target == Sound.of(FLUTE, Event("flute", "high", "soft", 2))
