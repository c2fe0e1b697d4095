from __future__ import annotations

import itertools
import random

import pytest

from toyworld.drills import drills
from toyworld.instructions import names
from toyworld.scene import Scene
from toyworld.several import MOST, several
from toyworld.splits import scenes


def changed(before: Scene, after: Scene) -> int:
    pairs = list(zip(before.things, after.things, strict=True))
    assert all(a.cell == b.cell for a, b in pairs)
    return sum(getattr(a, n) != getattr(b, n) for a, b in pairs for n in ("size", "colour", "shape"))


@pytest.mark.parametrize("count", range(1, MOST + 1))
def test_as_many_attributes_change_as_are_asked_for(count: int) -> None:
    rng = random.Random(count)
    made = [(scene, several(scene, rng, count, seen=True)) for scene in scenes("test", 60)]
    found = [(scene, edit) for scene, edit in made if edit is not None]
    assert len(found) >= 40
    for scene, edit in found:
        assert changed(scene, edit.target) == count
        assert not edit.target.compositional
        assert any(words in edit.text for words, _ in names(scene))


def test_two_things_alike_cannot_be_told_apart_and_are_not_asked_about() -> None:
    scene = next(s for s in scenes("test", 400) if len(s.things) == 1)
    assert several(scene, random.Random(0), 4) is None


def test_drills_hold_several_changes_at_once() -> None:
    texts = [e.request[-1] for held in itertools.islice(drills("train"), 400) for e in held]
    assert sum(str(text).count(" and turn ") for text in texts) >= 3
