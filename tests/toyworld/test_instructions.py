from __future__ import annotations

import random

from hypothesis import given

from tests.toyworld.strategies import any_scene, seeds
from toyworld.instructions import instruct
from toyworld.scene import Scene, Thing

CIRCLE = Thing(0, "small", "red", "circle")
SQUARE = Thing(5, "large", "blue", "square")


def edits(scene: Scene, tries: int = 300) -> dict[str, Scene]:
    found = (instruct(scene, random.Random(seed)) for seed in range(tries))
    return {edit.text: edit.target for edit in found if edit is not None}


def test_each_instruction_has_its_exact_target() -> None:
    targets = edits(Scene.of(CIRCLE, SQUARE))
    assert targets["mirror the scene"] == Scene.of(
        Thing(2, "small", "red", "circle"), Thing(3, "large", "blue", "square")
    )
    assert targets["swap the two"] == Scene.of(
        Thing(5, "small", "red", "circle"), Thing(0, "large", "blue", "square")
    )
    assert targets["remove the circle"] == Scene.of(SQUARE)
    assert targets["make the left one green"] == Scene.of(Thing(0, "small", "green", "circle"), SQUARE)
    assert targets["make the square small"] == Scene.of(CIRCLE, Thing(5, "small", "blue", "square"))
    assert targets["turn the red one into a star"] == Scene.of(Thing(0, "small", "red", "star"), SQUARE)


@given(any_scene, seeds)
def test_an_instruction_always_changes_the_scene(scene: Scene, seed: int) -> None:
    edit = instruct(scene, random.Random(seed))
    assert edit is None or edit.target != scene


@given(any_scene, seeds)
def test_training_never_shows_a_held_out_pair(scene: Scene, seed: int) -> None:
    edit = instruct(scene, random.Random(seed), seen=True)
    assert edit is None or not edit.target.compositional


@given(any_scene)
def test_two_alike_are_never_named_as_one(scene: Scene) -> None:
    shapes = [t.shape for t in scene.things]
    for text in edits(scene, 20):
        for shape in shapes:
            if f"remove the {shape}" == text:
                assert shapes.count(shape) == 1
