"""Clip to frames: nine of 64 by 64 pixels in two seconds, three a turn, the same bytes on every machine.

The first frame of a turn shows it before anything happens. Who moves slowly is half-way in the second and
there in the third; who moves quickly is there in the second already. Who appears or vanishes does so in the
second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nextgpt.media import Video
from toyworld.clips.clip import TURNS, Actor, Clip
from toyworld.render import cell_centre, draw
from toyworld.scene import Thing

FRAMES_A_TURN = 3
FRAMES = TURNS * FRAMES_A_TURN
FPS = 4.5

Placed = tuple[Thing, tuple[float, float]]


def render(clip: Clip) -> Video:
    """Draw a clip.

    Example:
        >>> from toyworld.clips.clip import Deed
        >>> circle = Thing(4, "large", "red", "circle")
        >>> video = render(Clip.of(Actor(circle, Deed("moves", "right", "slowly"), 1)))
        >>> video, tuple(video.frames[0, 32, 32].tolist()), tuple(video.frames[2, 32, 53].tolist())
        (Video(64x64, 9 frames at 4.5/s, ...), (214, 40, 40), (214, 40, 40))
    """
    return Video(frames(clip), FPS)


def frames(clip: Clip) -> NDArray[np.uint8]:
    """The drawn clip as uint8 [9, 64, 64, 3]: what training loops use, without the hash of a `Video`."""
    shown = [tuple(p for a in clip.actors if (p := _placed(a, number))) for number in range(FRAMES)]
    drawn = {placed: draw(placed) for placed in set(shown)}  # where nothing happens, frames are alike
    return np.stack([drawn[placed] for placed in shown])


def _placed(actor: Actor, number: int) -> Placed | None:
    """Thing and centre in pixels in a frame, or None where it is not seen."""
    turn, step = number // FRAMES_A_TURN + 1, number % FRAMES_A_TURN
    after = actor.cell_after(turn if step else turn - 1)
    if after is None:
        return None
    x, y = cell_centre(after)
    if step == 1 and actor.turn == turn and actor.deed is not None and actor.deed.speed == "slowly":
        x0, y0 = cell_centre(actor.thing.cell)
        x, y = (x0 + x) / 2, (y0 + y) / 2
    return actor.thing, (x, y)
