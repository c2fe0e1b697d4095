from __future__ import annotations

import random

from hypothesis import given

from tests.toyworld.strategies import any_scene, seeds
from toyworld.language import captions, describe, mentions, paraphrase, parse
from toyworld.scene import Scene


@given(any_scene, seeds)
def test_every_caption_can_be_read_back(scene: Scene, seed: int) -> None:
    for caption in captions(scene, random.Random(seed)):
        assert parse(caption) == scene, caption


@given(any_scene, seeds)
def test_a_paraphrase_names_everything(scene: Scene, seed: int) -> None:
    text = paraphrase(scene, random.Random(seed))
    for thing in scene.things:
        assert thing.colour in text
        assert thing.shape in text


@given(any_scene)
def test_reading_ignores_case_and_stops(scene: Scene) -> None:
    assert parse(describe(scene).upper() + ".") == scene


def test_what_is_not_of_the_world_reads_as_nothing() -> None:
    for text in ("", "a man riding a horse", "<script>alert(1)</script>", "\n\t", "and and , ; ."):
        assert mentions(text) == ()
        assert parse(text) is None


def test_two_things_in_one_place_are_no_scene() -> None:
    assert parse("a small red circle at the top and a large blue star at the top") is None
