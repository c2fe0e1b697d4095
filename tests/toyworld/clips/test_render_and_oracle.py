from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from nextgpt.media import Video
from tests.toyworld.strategies import any_clip, any_scene
from toyworld.clips.clip import Actor, Clip, Deed
from toyworld.clips.misreading import own_error
from toyworld.clips.oracle import watch
from toyworld.clips.render import FPS, FRAMES, frames, render
from toyworld.oracle import read
from toyworld.render import pixels
from toyworld.scene import Scene, Thing

STAR = Thing(3, "small", "red", "star")


@given(any_clip)
@settings(max_examples=60)
def test_the_oracle_reads_every_clean_clip(clip: Clip) -> None:
    watching = watch(render(clip))
    assert watching.clip == clip
    assert watching.distance == 0


@given(any_clip)
@settings(max_examples=30)
def test_a_clip_begins_and_ends_with_its_stills(clip: Clip) -> None:
    video = render(clip)
    assert (len(video.frames), video.fps, video.seconds) == (FRAMES, FPS, 2.0)
    assert read(video.frame(0)).scene == clip.still("beginning")
    assert read(video.frame(-1)).scene == clip.still("end")


def test_who_moves_slowly_is_half_way_between() -> None:
    slow, quick = (
        frames(Clip.of(Actor(STAR, Deed("moves", "right", speed), 1))) for speed in ("slowly", "quickly")
    )
    assert np.array_equal(slow[0], quick[0])
    assert np.array_equal(slow[2], quick[1])
    assert not np.array_equal(slow[1], slow[0])
    assert not np.array_equal(slow[1], slow[2])


@given(any_scene)
@settings(max_examples=20)
def test_where_nothing_happens_there_is_no_clip(scene: Scene) -> None:
    watching = watch(Video(np.repeat(pixels(scene)[None], FRAMES, axis=0), FPS))
    assert watching.clip is None
    assert [actor.thing for actor in watching.actors] == list(scene.things)
    assert not any(actor.deed for actor in watching.actors)


def test_noise_is_no_clip() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (5, 48, 80, 3), dtype=np.uint8)
    assert watch(Video(noise, 4.0)).clip is None


def test_another_size_and_length_are_read_all_the_same() -> None:
    clip = Clip.of(
        Actor(STAR, Deed("moves", "right", "slowly"), 1), Actor(Thing(8, "large", "black", "square"))
    )
    large = np.repeat(np.repeat(np.repeat(frames(clip), 2, axis=0), 3, axis=1), 3, axis=2)
    assert watch(Video(large, 9.0)).clip == clip


def test_a_deed_too_many_is_told_and_makes_no_clip() -> None:
    there, gone = pixels(Scene.of(STAR)), np.full((64, 64, 3), (244, 242, 236), dtype=np.uint8)
    blinking = Video(np.stack([there, gone, gone, gone, there, there, there, gone, gone]), FPS)
    watching = watch(blinking)
    assert watching.clip is None
    assert len(watching.actors) == 2


def test_the_oracles_own_error_is_small_and_measured() -> None:
    errors = own_error(count=25)
    assert errors["none"] == errors["mp4"] == errors["at 8 frames a second"] == 0
    assert errors["noise of 20"] < 0.05
    assert errors["shifted by a pixel"] < 0.2
