from __future__ import annotations

import itertools

import pytest

from toyworld.dialogue import turns
from toyworld.language import mentions
from toyworld.scene import HELD_OUT_PAIRS
from toyworld.splits import scenes, split_of, stream


def test_splits_share_no_scene() -> None:
    train = set(itertools.islice(stream("train"), 3000))
    for split in ("validation", "test", "compositional"):
        assert not train & set(scenes(split, 200))


def test_every_compositional_scene_holds_a_held_out_pair_and_no_other_scene_does() -> None:
    assert all(scene.compositional for scene in scenes("compositional", 100))
    for split in ("train", "validation", "test"):
        assert not any(scene.compositional for scene in scenes(split, 100))


def test_no_training_text_joins_a_held_out_pair_in_a_description() -> None:
    for turn in itertools.islice(turns("train"), 2000):
        described = {(t.colour, t.shape) for t in mentions(turn.request.split("?")[0]) if t.size}
        replied = {(t.colour, t.shape) for t in mentions(turn.reply)}
        assert not replied & HELD_OUT_PAIRS, turn
        if turn.request.startswith("picture: a "):
            assert not described & HELD_OUT_PAIRS, turn


def test_the_same_seed_gives_the_same_scenes() -> None:
    assert scenes("test", 30) == scenes("test", 30) == scenes("test", 40)[:30]
    assert scenes("test", 30) != scenes("test", 30, seed=1)
    assert all(split_of(scene) == "test" for scene in scenes("test", 30))


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match=r"'dev'.*train, validation"):
        scenes("dev", 1)  # type: ignore[arg-type]
