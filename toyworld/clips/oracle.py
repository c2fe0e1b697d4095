"""The oracle of clips: reads frames back into a clip, by comparison with everything that a cell could hold.

No network and no training. Where something is before and after each turn says what happened; what it is, all
frames in which it rests say together; how fast it moved, the frame between.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nextgpt.media import Image, Video
from toyworld.clips.clip import DIRECTIONS, SPEEDS, TURNS, Actor, Clip, Deed, beside
from toyworld.clips.render import FRAMES, FRAMES_A_TURN
from toyworld.oracle import UNREADABLE, cell_errors
from toyworld.render import SIDE, cell_centre, draw
from toyworld.scene import CELLS, Thing

VERSION = 1

Floats = NDArray[np.float32]
# The frames that show the clip at rest: before the first turn, and after each.
_RESTS = ((0,), (2, 3), (5, 6), (8,))


@dataclass(frozen=True)
class Watching:
    """What the oracle sees.

    Attributes:
        actors: Every thing seen and what it does, in reading order; up to nine.
        clip: The clip, or None where it is none: nothing happens, too much, or a cell is unreadable.
        distance: Root mean square difference between the frames at rest and their reading, of 255.
    """

    actors: tuple[Actor, ...]
    clip: Clip | None
    distance: float


def watch(video: Video) -> Watching:
    """Read a clip, of which nine frames count, evenly spread, each resized to 64 by 64.

    Example:
        >>> from toyworld.clips.render import render
        >>> circle, star = Thing(0, "small", "red", "circle"), Thing(5, "large", "blue", "star")
        >>> move = Deed("moves", "down", "quickly")
        >>> clip = Clip.of(Actor(star, Deed("vanishes"), 2), Actor(circle, move, 1))
        >>> watch(render(clip)).clip == clip
        True
    """
    frames = _nine(video)
    rests = [np.mean([frames[k] for k in group], axis=0) for group in _RESTS]
    # [4 rests, 9 cells, 49 things]: the first of the things is none.
    errors = np.stack([[cell_errors(rest, cell)[1] for cell in range(len(CELLS))] for rest in rests])
    there = errors.argmin(axis=2) > 0
    actors = _tracked(there, errors, frames)
    least = errors.min(axis=2)
    clip = None
    if least.max() <= UNREADABLE**2:
        try:
            clip = Clip(actors)
        except ValueError:
            clip = None
    return Watching(actors, clip, float(np.sqrt(least.mean())))


@dataclass
class _Track:
    """One thing while the frames are read: the rests and cells in which it is seen, and what it did."""

    seen: list[tuple[int, int]]
    deed: Deed | None = None
    turn: int = 0

    def acted(self, deed: Deed, turn: int) -> None:
        """Keeps the first deed; a clip has none of two."""
        if self.deed is None:
            self.deed, self.turn = deed, turn


def _tracked(there: NDArray[np.bool_], errors: Floats, frames: Floats) -> tuple[Actor, ...]:
    here = {cell: _Track([(0, cell)]) for cell in np.flatnonzero(there[0]).tolist()}
    tracks = list(here.values())
    for turn in range(1, TURNS + 1):
        left = [cell for cell in here if not there[turn, cell]]
        came = [cell for cell in np.flatnonzero(there[turn]).tolist() if cell not in here]
        for cell in left:
            track = here.pop(cell)
            way = next((d for d in DIRECTIONS if beside(cell, d) in came), None)
            if way is None:
                track.acted(Deed("vanishes"), turn)
                continue
            to = beside(cell, way)
            came.remove(to)
            here[to] = track
            speed = _speed(
                frames[FRAMES_A_TURN * (turn - 1) + 1], _thing(errors, [(turn - 1, cell), (turn, to)]), to
            )
            track.acted(Deed("moves", way, speed), turn)
        for cell in came:
            here[cell] = _Track([], Deed("appears"), turn)
            tracks.append(here[cell])
        for cell, track in here.items():
            track.seen.append((turn, cell))
    return tuple(sorted((_actor(track, errors) for track in tracks), key=lambda actor: actor.thing))


def _actor(track: _Track, errors: Floats) -> Actor:
    return Actor(_thing(errors, track.seen), track.deed, track.turn)


def _thing(errors: Floats, seen: Iterable[tuple[int, int]]) -> Thing:
    """What is seen in these rests and cells, taken together; in the first of the cells."""
    places = list(seen)
    together = np.sum([errors[rest, cell] for rest, cell in places], axis=0)
    things = cell_things()
    thing = things[int(together[1:].argmin())]
    return dataclasses.replace(thing, cell=places[0][1])


def _speed(between: Floats, thing: Thing, to: int) -> str:
    """Slowly where the frame between shows it between the cells, quickly where it is there already."""
    (x0, y0), (x1, y1) = cell_centre(thing.cell), cell_centre(to)
    looks = [draw([(thing, centre)]) for centre in (((x0 + x1) / 2, (y0 + y1) / 2), (x1, y1))]
    left, right = sorted((x0, x1))
    top, bottom = sorted((y0, y1))
    window = slice(max(0, int(top) - 10), int(bottom) + 11), slice(max(0, int(left) - 10), int(right) + 11)
    return SPEEDS[int(np.argmin([((between[window] - look[window]) ** 2).mean() for look in looks]))]


def _nine(video: Video) -> Floats:
    """Frames evenly spread, the middle of each ninth, as float32 [9, 64, 64, 3]."""
    count = len(video.frames)
    places = [min(count - 1, int((k + 0.5) * count / FRAMES)) for k in range(FRAMES)]
    if (video.width, video.height) == (SIDE, SIDE):
        return video.frames[places].astype(np.float32)
    shown = {k: Image(video.frames[k]).resized(SIDE, SIDE).pixels for k in set(places)}
    return np.stack([shown[k] for k in places]).astype(np.float32)


@lru_cache(maxsize=1)
def cell_things() -> tuple[Thing, ...]:
    """Everything that a cell can hold, in the order of the errors after the first."""
    blank = np.zeros((SIDE, SIDE, 3), dtype=np.float32)
    return tuple(thing for thing in cell_errors(blank, 0)[0] if thing is not None)
