from __future__ import annotations

import numpy as np
from hypothesis import given

from nextgpt.media import Image
from tests.toyworld.strategies import any_scene
from toyworld.oracle import own_error, read
from toyworld.render import PALETTE, cell_centre, render
from toyworld.scene import Scene, Thing


@given(any_scene)
def test_the_oracle_reads_every_clean_picture(scene: Scene) -> None:
    reading = read(render(scene))
    assert reading.scene == scene
    assert reading.distance == 0


def test_things_are_drawn_in_their_cells_and_colours() -> None:
    for cell in range(9):
        picture = render(Scene.of(Thing(cell, "large", "purple", "circle")))
        x, y = cell_centre(cell)
        assert tuple(picture.pixels[int(y), int(x)]) == PALETTE["purple"]


def test_edges_are_anti_aliased() -> None:
    picture = render(Scene.of(Thing(4, "large", "black", "circle")))
    assert len(np.unique(picture.pixels.reshape(-1, 3), axis=0)) > 10


def test_a_photograph_like_picture_is_no_scene() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    assert read(Image(noise)).scene is None
    assert read(Image(np.zeros((64, 64, 3), dtype=np.uint8))).scene is None


def test_a_larger_picture_of_a_scene_is_read_all_the_same() -> None:
    scene = Scene.of(Thing(0, "small", "red", "star"), Thing(8, "large", "green", "square"))
    assert read(render(scene).resized(256, 256)).scene == scene


def test_the_oracles_own_error_is_small_and_measured() -> None:
    errors = own_error(count=60)
    assert errors["none"] == 0
    assert errors["noise of 20"] < 0.05
    assert errors["shifted by a pixel"] < 0.2


def test_its_own_error_grows_with_the_damage() -> None:
    def flatten(picture: Image) -> Image:
        return picture.resized(6, 6).resized(64, 64)

    assert own_error({"flattened": flatten}, count=40)["flattened"] > 0.5
