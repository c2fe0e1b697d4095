"""Splits: which scenes are for training, which for testing, and the compositional ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal, get_args

from toyworld.scene import CELLS, COLOURS, MOST_THINGS, SHAPES, SIZES, Scene, Thing

Split = Literal["train", "validation", "test", "compositional"]

# Of a hundred scenes without a held-out pair: 15 to test, 5 to validation, the others to training.
_TEST_PERCENT, _VALIDATION_PERCENT = 15, 5
# One-thing scenes are few (360 without a held-out pair), so fewer of them are drawn.
_COUNT_WEIGHTS = (1, 2, 2)


def split_of(scene: Scene) -> Split:
    """The one split that a scene belongs to: a function of the scene alone, so that splits never overlap."""
    if scene.compositional:
        return "compositional"
    percent = int(scene.key[:8], 16) % 100
    if percent < _TEST_PERCENT:
        return "test"
    return "validation" if percent < _TEST_PERCENT + _VALIDATION_PERCENT else "train"


def random_scene(rng: random.Random) -> Scene:
    """Any scene, of any split."""
    count = rng.choices(range(1, MOST_THINGS + 1), _COUNT_WEIGHTS)[0]
    cells = rng.sample(range(len(CELLS)), count)
    return Scene(tuple(Thing(c, rng.choice(SIZES), rng.choice(COLOURS), rng.choice(SHAPES)) for c in cells))


def stream(split: Split, seed: int = 0) -> Iterator[Scene]:
    """Scenes of a split without end, repeats allowed: for training.

    Raises:
        ValueError: If there is no such split.
    """
    if split not in get_args(Split):
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(get_args(Split))}")
    rng = random.Random(f"{split}-{seed}")
    while True:
        scene = random_scene(rng)
        if split_of(scene) == split:
            yield scene


def scenes(split: Split, count: int, seed: int = 0) -> list[Scene]:
    """The first `count` different scenes of a split: for benchmarks.

    Example:
        >>> sample = scenes("test", 20)
        >>> len(set(sample)), {split_of(scene) for scene in sample}
        (20, {'test'})
    """
    found: dict[Scene, None] = {}
    for scene in stream(split, seed):
        if len(found) >= count:
            break
        found.setdefault(scene)
    return list(found)
