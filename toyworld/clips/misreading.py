"""How often the oracle of clips is wrong about clips that are known, whole or damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nextgpt.media import Video
from toyworld.clips.oracle import watch
from toyworld.clips.render import render
from toyworld.splits import clips

COUNT = 200


def own_error(
    degradations: Mapping[str, Callable[[Video], Video]] | None = None, count: int = COUNT
) -> dict[str, float]:
    """Share of known clips that the oracle misreads, by how they were degraded.

    Args:
        degradations: Named functions from clip to clip; by default `DEGRADATIONS`.
        count: Clips of the test split.
    """
    shown = [(clip, render(clip)) for clip in clips("test", count, seed=99)]
    return {
        name: sum(watch(degrade(video)).clip != clip for clip, video in shown) / count
        for name, degrade in (degradations or DEGRADATIONS).items()
    }


def _mp4(video: Video) -> Video:
    return Video.decode(video.mp4(), "degraded.mp4")


def _blur(video: Video) -> Video:
    frames = [video.frame(k) for k in range(len(video.frames))]
    sides = video.width, video.height
    small = [frame.resized(sides[0] // 2, sides[1] // 2) for frame in frames]
    return Video(np.stack([frame.resized(*sides).pixels for frame in small]), video.fps)


def _noise(video: Video) -> Video:
    noise = np.random.default_rng(int(video.content_hash[:8], 16)).normal(0, 20, video.frames.shape)
    return Video(np.clip(video.frames + noise, 0, 255).astype(np.uint8), video.fps)


def _shift(video: Video) -> Video:
    return Video(np.roll(video.frames, 1, axis=2), video.fps)


def _faster(video: Video) -> Video:
    places = (np.arange(16) * len(video.frames)) // 16
    return Video(video.frames[places], 8.0)


DEGRADATIONS: dict[str, Callable[[Video], Video]] = {
    "none": lambda video: video,
    "mp4": _mp4,
    "halved and doubled again": _blur,
    "noise of 20": _noise,
    "shifted by a pixel": _shift,
    "at 8 frames a second": _faster,
}
