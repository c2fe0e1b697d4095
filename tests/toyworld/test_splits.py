from __future__ import annotations

import itertools

import pytest

from toyworld.clips.clip import HELD_OUT_QUICK
from toyworld.dialogue import turns
from toyworld.language import mentions
from toyworld.scene import HELD_OUT_PAIRS
from toyworld.sounds.sound import HELD_OUT_LOUD
from toyworld.splits import clip_stream, clips, scenes, sound_stream, sounds, split_of, stream


def test_splits_share_no_scene() -> None:
    train = set(itertools.islice(stream("train"), 3000))
    for split in ("validation", "test", "compositional"):
        assert not train & set(scenes(split, 200))


def test_splits_share_no_clip_and_no_sound() -> None:
    films, tones = (
        set(itertools.islice(clip_stream("train"), 2000)),
        set(itertools.islice(sound_stream("train"), 2000)),
    )
    for split in ("validation", "test", "compositional"):
        assert not films & set(clips(split, 100))
        assert not tones & set(sounds(split, 100))


def test_training_shows_neither_quick_moves_nor_loud_notes_that_are_held_out() -> None:
    for clip in itertools.islice(clip_stream("train"), 300):
        assert not any(
            a.deed and a.deed.speed == "quickly" and a.thing.shape in HELD_OUT_QUICK for a in clip.actors
        )
        assert not {(a.thing.colour, a.thing.shape) for a in clip.actors} & HELD_OUT_PAIRS
    for sound in itertools.islice(sound_stream("train"), 300):
        assert not any(event.loudness == "loud" and event.timbre in HELD_OUT_LOUD for event in sound.events)
    assert all(clip.compositional for clip in clips("compositional", 50))
    assert all(sound.compositional for sound in sounds("compositional", 50))


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
    with pytest.raises(ValueError, match=r"'dev'"):
        sounds("dev", 1)  # type: ignore[arg-type]
