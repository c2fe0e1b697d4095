from __future__ import annotations

import json

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_scene
from toyworld.scene import Scene, Thing, attribute_f1, scene_accuracy

CIRCLE = Thing(0, "small", "red", "circle")
SQUARE = Thing(4, "large", "blue", "square")


@given(any_scene)
def test_a_scene_survives_json(scene: Scene) -> None:
    assert Scene.from_json(json.loads(json.dumps(scene.to_json()))) == scene


@given(any_scene, any_scene)
def test_equal_keys_mean_equal_scenes(a: Scene, b: Scene) -> None:
    assert (a.key == b.key) == (a == b)


@given(any_scene, any_scene)
def test_f1_is_one_exactly_for_the_same_scene(predicted: Scene, true: Scene) -> None:
    score = attribute_f1(predicted, true)
    assert 0 <= score <= 1
    assert (score == 1) == (predicted == true) == (scene_accuracy(predicted, true) == 1)


def test_f1_counts_what_is_missing_and_what_is_too_much() -> None:
    true = Scene.of(CIRCLE, SQUARE)
    assert attribute_f1([CIRCLE], true) == pytest.approx(2 * 4 / (4 + 8))
    assert attribute_f1([CIRCLE, SQUARE, Thing(8, "small", "red", "star")], true) == pytest.approx(16 / 20)
    assert attribute_f1([Thing(-1, "", "red", "circle")], true) == pytest.approx(2 * 2 / (2 + 8))
    assert attribute_f1([], true) == 0


def test_f1_does_not_choke_on_babble() -> None:
    assert attribute_f1([CIRCLE] * 500, Scene.of(CIRCLE)) == pytest.approx(2 * 4 / (36 + 4))


@pytest.mark.parametrize(
    ("things", "message"),
    [
        ((), "1 to 3"),
        ((CIRCLE, Thing(0, "large", "red", "star")), "share a cell"),
        ((Thing(-1, "small", "red", "circle"),), "every attribute"),
    ],
)
def test_an_impossible_scene_is_refused(things: tuple[Thing, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scene(things)
