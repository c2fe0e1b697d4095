from __future__ import annotations

from hypothesis import given

from tests.toyworld.strategies import any_clip, any_scene, any_sound
from toyworld import ties
from toyworld.clips.clip import DIRECTIONS, HELD_OUT_QUICK, KINDS, SPEEDS, Actor, Clip, Deed
from toyworld.scene import COLOURS, SHAPES, SIZES, Scene, Thing
from toyworld.sounds.sound import HELD_OUT_LOUD, PITCHES, TIMBRES, Sound
from toyworld.ties import PITCH_OF, REPEATS_OF, TIMBRE_OF, agree, filmed, heard, pictured


def test_every_shape_and_size_and_deed_has_a_sound_of_its_own() -> None:
    assert set(TIMBRE_OF) == set(SHAPES)
    assert set(TIMBRE_OF.values()) == set(TIMBRES)
    assert set(PITCH_OF) == set(SIZES)
    assert set(PITCH_OF.values()) == set(PITCHES)
    assert set(REPEATS_OF) == set(KINDS)


def test_the_table_that_people_read_says_what_the_code_does() -> None:
    told = " ".join(str(ties.__doc__).split())
    for table in (TIMBRE_OF, PITCH_OF):
        for seen, heard_as in table.items():
            assert f"{seen} {heard_as}" in told
    assert [REPEATS_OF[kind] for kind in ("moves", "appears", "vanishes")] == [1, 2, 3]
    assert "who moves is heard once, who appears twice, who vanishes three times" in told


def test_what_is_held_out_for_the_eye_is_held_out_for_the_ear() -> None:
    assert {TIMBRE_OF[shape] for shape in HELD_OUT_QUICK} == HELD_OUT_LOUD


@given(any_sound)
def test_what_a_sound_is_turned_into_sounds_like_it(sound: Sound) -> None:
    for seen in (pictured(sound), filmed(sound)):
        if seen is not None:
            assert heard(seen) == sound
            assert agree(seen, sound)
            assert sound.compositional or not seen.compositional


@given(any_scene)
def test_every_picture_has_a_sound_and_that_sound_a_picture(scene: Scene) -> None:
    again = pictured(heard(scene))
    assert again is None or agree(scene, again)
    assert sum(event.repeats for event in heard(scene).events) == len(scene.things)


@given(any_clip)
def test_every_clip_has_a_sound_and_that_sound_a_clip(clip: Clip) -> None:
    again = filmed(heard(clip))
    assert again is not None
    assert agree(clip, again)
    if heard(clip).compositional:
        assert clip.compositional


@given(any_scene)
def test_a_colour_cannot_be_heard(scene: Scene) -> None:
    painted = Scene(tuple(Thing(t.cell, t.size, COLOURS[k], t.shape) for k, t in enumerate(scene.things)))
    assert agree(scene, painted)


def test_a_direction_cannot_be_heard_but_a_speed_can() -> None:
    star = Thing(4, "large", "red", "star")
    clips = [Clip.of(Actor(star, Deed("moves", way, speed), 1)) for way in DIRECTIONS for speed in SPEEDS]
    assert len({heard(clip) for clip in clips}) == len(SPEEDS)
