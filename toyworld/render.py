"""Scene to picture: 64 by 64 pixels, anti-aliased, the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nextgpt.media import Image
from toyworld.scene import Scene, Thing

SIDE = 64
BACKGROUND = (244, 242, 236)
PALETTE = {
    "red": (214, 40, 40),
    "green": (42, 157, 60),
    "blue": (38, 84, 214),
    "yellow": (242, 196, 16),
    "purple": (142, 48, 180),
    "black": (28, 28, 32),
}
RADIUS = {"small": 5.2, "large": 9.4}  # pixels; a cell is 21.33 wide
_FINE = 8  # sub-pixels a side


def render(scene: Scene) -> Image:
    """Draw a scene.

    Example:
        >>> picture = render(Scene.of(Thing(4, "large", "red", "circle")))
        >>> picture.pixels.shape, tuple(picture.pixels[32, 32].tolist())
        ((64, 64, 3), (214, 40, 40))
    """
    return Image(pixels(scene))


def pixels(scene: Scene) -> NDArray[np.uint8]:
    """The drawn scene as uint8 [64, 64, 3]: what training loops use, without the hash of an `Image`."""
    return draw((thing, cell_centre(thing.cell)) for thing in scene.things)


def draw(placed: Iterable[tuple[Thing, tuple[float, float]]]) -> NDArray[np.uint8]:
    """Things with their centres (x, y) in pixels, the later over the earlier, as uint8 [64, 64, 3]."""
    canvas = np.empty((SIDE, SIDE, 3), dtype=np.float32)
    canvas[:] = BACKGROUND
    for thing, centre in placed:
        cover = _cover(thing.shape, thing.size, centre)[..., None]
        canvas += cover * (np.array(PALETTE[thing.colour], dtype=np.float32) - canvas)
    return np.rint(canvas).astype(np.uint8)


def cell_centre(cell: int) -> tuple[float, float]:
    """Centre (x, y) of a cell in pixels.

    Example:
        >>> cell_centre(4)
        (32.0, 32.0)
    """
    width = SIDE / 3
    return (cell % 3 + 0.5) * width, (cell // 3 + 0.5) * width


@cache
def _cover(shape: str, size: str, centre: tuple[float, float]) -> NDArray[np.float32]:
    """Share of each pixel that a thing covers, float32 [64, 64] in [0, 1]."""
    x0, y0 = centre
    reach = RADIUS[size] * 1.1  # no shape goes farther from its centre
    left, top = (max(0, int(middle - reach)) for middle in (x0, y0))
    wide, high = (min(SIDE, int(middle + reach) + 1) - start for middle, start in ((x0, left), (y0, top)))
    across = (left + (np.arange(wide * _FINE) + 0.5) / _FINE - x0) / RADIUS[size]
    down = (top + (np.arange(high * _FINE) + 0.5) / _FINE - y0) / RADIUS[size]
    inside = _inside(shape, *np.meshgrid(across, down))
    cover = np.zeros((SIDE, SIDE), dtype=np.float32)
    cover[top : top + high, left : left + wide] = inside.reshape(high, _FINE, wide, _FINE).mean(
        axis=(1, 3), dtype=np.float32
    )
    return cover


def _inside(shape: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points (in radii from the centre, y down) lie in the shape of radius one."""
    if shape == "circle":
        return np.asarray(x**2 + y**2 <= 1)
    if shape == "square":
        return np.asarray(np.maximum(abs(x), abs(y)) <= 0.88)
    if shape == "triangle":
        return _polygon(x, y, [(0, -1.0), (0.98, 0.8), (-0.98, 0.8)])
    radii = [1.06 if k % 2 == 0 else 0.44 for k in range(10)]
    angles = [np.pi * k / 5 - np.pi / 2 for k in range(10)]
    return _polygon(x, y, [(r * np.cos(a), r * np.sin(a)) for r, a in zip(radii, angles, strict=True)])


def _polygon(
    x: NDArray[np.float64], y: NDArray[np.float64], corners: list[tuple[float, float]]
) -> NDArray[np.bool_]:
    """Even-odd rule: a point is inside when a ray from it crosses the outline an odd number of times."""
    inside = np.zeros(x.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y1 != y2:
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside


__all__ = ["BACKGROUND", "PALETTE", "RADIUS", "SIDE", "Thing", "cell_centre", "draw", "pixels", "render"]
