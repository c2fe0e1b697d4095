"""The oracle of pictures: reads one back into a scene, by comparison with all that a cell could hold.

No network and no training: what it says of a picture does not depend on any model that it judges.
`python -m toyworld.oracle` prints its own error on pictures whose scene is known, and that of the oracles of
clips and sounds.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nextgpt.media import Image
from nextgpt.terminal import say
from toyworld.render import BACKGROUND, SIDE, pixels
from toyworld.scene import CELLS, COLOURS, SHAPES, SIZES, Scene, Thing
from toyworld.splits import scenes

VERSION = 1
# A cell farther than this from everything the world can show (root mean square, of 255) is not of the world.
UNREADABLE = 48.0
_EDGES = (0, 21, 43, 64)


@dataclass(frozen=True)
class Reading:
    """What the oracle sees.

    Attributes:
        things: Every thing read, in reading order; up to nine.
        scene: The scene, or None where the things are none or too many, or a cell is unreadable.
        distance: Root mean square difference between the picture and its reading, of 255.
    """

    things: tuple[Thing, ...]
    scene: Scene | None
    distance: float


def read(picture: Image) -> Reading:
    """Read a picture, which is first resized to 64 by 64.

    Example:
        >>> from toyworld.render import render
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"), Thing(5, "large", "blue", "star"))
        >>> read(render(scene)).scene == scene
        True
    """
    if (picture.width, picture.height) != (SIDE, SIDE):
        picture = picture.resized(SIDE, SIDE)
    canvas = picture.pixels.astype(np.float32)
    things, squares, readable = [], 0.0, True
    for cell in range(len(CELLS)):
        candidates, errors = cell_errors(canvas, cell)
        best = int(errors.argmin())
        squares += float(errors[best])
        readable &= bool(errors[best] <= UNREADABLE**2)
        thing = candidates[best]
        if thing is not None:
            things.append(thing)
    try:
        scene = Scene(tuple(things)) if readable else None
    except ValueError:
        scene = None
    return Reading(tuple(things), scene, float(np.sqrt(squares / len(CELLS))))


def cell_errors(
    canvas: NDArray[np.float32], cell: int
) -> tuple[tuple[Thing | None, ...], NDArray[np.float32]]:
    """How far a cell looks from each thing that it could hold, the first being none.

    Args:
        canvas: float32 [64, 64, 3] in [0, 255].
        cell: Index into `toyworld.scene.CELLS`.

    Returns:
        The 49 candidates, and the mean square difference from each, float32 [49].
    """
    candidates, stack = _templates(cell)
    errors: NDArray[np.float32] = ((stack - canvas[_window(cell)].reshape(1, -1)) ** 2).mean(axis=1)
    return candidates, errors


def own_error(
    degradations: Mapping[str, Callable[[Image], Image]] | None = None, count: int = 300
) -> dict[str, float]:
    """Share of known scenes that the oracle misreads, by how the picture was degraded.

    Args:
        degradations: Named functions from picture to picture; by default none, JPEG, blur, noise and a
            shift by a pixel.
        count: Scenes of the test split.
    """
    sample = scenes("test", count, seed=99)
    found = {}
    for name, degrade in (degradations or DEGRADATIONS).items():
        wrong = sum(read(degrade(Image(pixels(scene)))).scene != scene for scene in sample)
        found[name] = wrong / len(sample)
    return found


def _window(cell: int) -> tuple[slice, slice]:
    row, column = divmod(cell, 3)
    return slice(_EDGES[row], _EDGES[row + 1]), slice(_EDGES[column], _EDGES[column + 1])


@lru_cache(maxsize=len(CELLS))
def _templates(cell: int) -> tuple[tuple[Thing | None, ...], NDArray[np.float32]]:
    """Everything that a cell can hold, and how it looks: float32 [49, pixels * 3]."""
    things = [Thing(cell, size, colour, shape) for size in SIZES for colour in COLOURS for shape in SHAPES]
    blank = np.empty((SIDE, SIDE, 3), dtype=np.uint8)
    blank[:] = BACKGROUND
    drawn = [blank, *(pixels(Scene.of(thing)) for thing in things)]
    stack = np.stack([d[_window(cell)].reshape(-1) for d in drawn]).astype(np.float32)
    return (None, *things), stack


def _jpeg(picture: Image) -> Image:
    buffer = io.BytesIO()
    picture.to_pil().save(buffer, "JPEG", quality=50)
    return Image.decode(buffer.getvalue(), "degraded.jpg")


def _blur(picture: Image) -> Image:
    return picture.resized(SIDE // 2, SIDE // 2).resized(SIDE, SIDE)


def _noise(picture: Image) -> Image:
    noise = np.random.default_rng(int(picture.content_hash[:8], 16)).normal(0, 20, picture.pixels.shape)
    return Image(np.clip(picture.pixels + noise, 0, 255).astype(np.uint8))


def _shift(picture: Image) -> Image:
    step = random.Random(picture.content_hash).choice([(0, 1), (1, 0), (-1, 0), (0, -1)])
    return Image(np.roll(picture.pixels, step, axis=(0, 1)))


DEGRADATIONS: dict[str, Callable[[Image], Image]] = {
    "none": lambda picture: picture,
    "jpeg, quality 50": _jpeg,
    "halved and doubled again": _blur,
    "noise of 20": _noise,
    "shifted by a pixel": _shift,
}


def main() -> None:
    """Print the own error of all three oracles."""
    from toyworld.clips import misreading as of_clips
    from toyworld.sounds import misreading as of_sounds

    for count, values, own in (
        (300, "pictures whose scene", own_error),
        (of_clips.COUNT, "clips that", of_clips.own_error),
        (of_sounds.COUNT, "sounds that", of_sounds.own_error),
    ):
        say(f"share of {count} test {values} the oracle misreads")
        for degradation, share in own().items():
            say(f"  {degradation:26s} {share:.4f}")


if __name__ == "__main__":
    main()
