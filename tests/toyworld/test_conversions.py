from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.strategies import any_clip, any_scene, any_sound, seeds
from toyworld.clips.clip import Clip
from toyworld.clips.oracle import watch
from toyworld.conversions import Conversion, convert
from toyworld.kinds import KINDS, call, called, kind_of
from toyworld.scene import Scene
from toyworld.sounds.sound import Sound
from toyworld.splits import Value, clips, scenes, sounds
from toyworld.ties import heard

any_value: st.SearchStrategy[Value] = any_scene | any_clip | any_sound


@given(any_value, seeds)
def test_what_a_medium_is_turned_into_is_right(value: Value, seed: int) -> None:
    found = convert(value, random.Random(seed))
    if found is not None:
        assert type(found.target) is not type(value)
        assert found.kind == f"{kind_of(value).modality}-to-{kind_of(found.target).modality}"
        assert found.right(found.target)
        assert not found.right(None)
        assert not found.right(value)


@given(any_value, seeds)
def test_training_never_shows_what_is_held_out(value: Value, seed: int) -> None:
    found = convert(value, random.Random(seed), seen=True)
    assert found is None or not found.target.compositional


def test_every_way_between_two_media_is_there() -> None:
    values: list[Value] = [*scenes("train", 20), *clips("train", 20), *sounds("train", 60)]
    found = (convert(value, random.Random(value.key), to=kind) for value in values for kind in KINDS)
    ways = {conversion.kind for conversion in found if conversion is not None}
    media = ("image", "video", "audio")
    assert ways == {f"{a}-to-{b}" for a in media for b in media if a != b}


@given(any_sound)
def test_of_a_sound_only_what_is_heard_is_asked_for(sound: Sound) -> None:
    found = convert(sound, random.Random(0), to=Clip)
    if found is not None:
        assert isinstance(found.target, Clip)
        assert heard(found.target) == sound
        assert not found.exact


@given(any_scene)
def test_a_picture_set_in_motion_begins_as_it_was(scene: Scene) -> None:
    found = convert(scene, random.Random(1), to=Clip)
    if found is not None:
        assert isinstance(found.target, Clip)
        assert found.target.still("beginning") == scene


@given(any_value, seeds)
def test_a_call_is_read_back_in_any_wording(value: Value, seed: int) -> None:
    kind = kind_of(value)
    assert called(call(value)) == value
    worded = random.Random(seed).choice(kind.captions(value, random.Random(seed)))
    assert called(kind.call.format(caption=worded)) == value
    assert called("hello.") is None


def test_each_kind_is_shown_as_its_own_medium() -> None:
    for value in (scenes("test", 1)[0], clips("test", 1)[0], sounds("test", 1)[0]):
        kind = kind_of(value)
        assert kind.render(value).modality == kind.modality
    assert watch(kind_of(clip := clips("test", 1)[0]).render(clip)).clip == clip  # type: ignore[arg-type]


def test_another_colour_is_as_right_where_colours_are_not_heard() -> None:
    sound = next(s for s in sounds("train", 200) if convert(s, random.Random(0), to=Scene))
    asked = convert(sound, random.Random(0), to=Scene)
    assert asked is not None
    assert isinstance(asked.target, Scene)
    red = Scene.from_json([{**thing, "colour": "red"} for thing in asked.target.to_json()])
    assert asked.right(red)
    assert not Conversion(asked.text, asked.target, asked.kind, exact=True).right(red)
