"""Splits: which scenes, clips and sounds are for training, which for testing, and the compositional ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar, get_args

from toyworld.clips.clip import DIRECTIONS, KINDS, SPEEDS, Actor, Clip, Deed
from toyworld.scene import CELLS, COLOURS, MOST_THINGS, SHAPES, SIZES, Scene, Thing
from toyworld.sounds.sound import LOUDNESSES, MOST_EVENTS, MOST_REPEATS, PITCHES, TIMBRES, Event, Sound

Split = Literal["train", "validation", "test", "compositional"]

Value = Scene | Clip | Sound
V = TypeVar("V", Scene, Clip, Sound)

# Of a hundred scenes without a held-out pair: 15 to test, 5 to validation, the others to training.
_TEST_PERCENT, _VALIDATION_PERCENT = 15, 5
# One-thing scenes are few (360 without a held-out pair), so fewer of them are drawn.
_COUNT_WEIGHTS = (1, 2, 2)
_KIND_WEIGHTS = (2, 1, 1)


def split_of(value: Value) -> Split:
    """The one split that a scene, a clip or a sound belongs to.

    A function of the value alone, so that splits never overlap.
    """
    if value.compositional:
        return "compositional"
    percent = int(value.key[:8], 16) % 100
    if percent < _TEST_PERCENT:
        return "test"
    return "validation" if percent < _TEST_PERCENT + _VALIDATION_PERCENT else "train"


def random_scene(rng: random.Random) -> Scene:
    """Any scene, of any split."""
    count = rng.choices(range(1, MOST_THINGS + 1), _COUNT_WEIGHTS)[0]
    cells = rng.sample(range(len(CELLS)), count)
    return Scene(tuple(Thing(c, rng.choice(SIZES), rng.choice(COLOURS), rng.choice(SHAPES)) for c in cells))


def random_clip(rng: random.Random) -> Clip:
    """Any clip, of any split."""
    while True:
        things = random_scene(rng).things
        acting = rng.sample(things, rng.randint(1, len(things)))
        actors = [
            Actor(t, _random_deed(rng), acting.index(t) + 1) if t in acting else Actor(t) for t in things
        ]
        try:
            return Clip(tuple(actors))
        except ValueError:  # somebody left the grid or met another
            continue


def _random_deed(rng: random.Random) -> Deed:
    kind = rng.choices(KINDS, _KIND_WEIGHTS)[0]
    return Deed(kind, rng.choice(DIRECTIONS), rng.choice(SPEEDS)) if kind == "moves" else Deed(kind)


def random_sound(rng: random.Random) -> Sound:
    """Any sound, of any split."""
    count = rng.choices(range(1, MOST_EVENTS + 1), _COUNT_WEIGHTS)[0]
    return Sound(
        tuple(
            Event(
                rng.choice(TIMBRES), rng.choice(PITCHES), rng.choice(LOUDNESSES), rng.randint(1, MOST_REPEATS)
            )
            for _ in range(count)
        )
    )


def stream(split: Split, seed: int = 0) -> Iterator[Scene]:
    """Scenes of a split without end, repeats allowed: for training.

    Raises:
        ValueError: If there is no such split.
    """
    return _stream(split, f"{split}-{seed}", random_scene)


def clip_stream(split: Split, seed: int = 0) -> Iterator[Clip]:
    """Clips of a split without end, as `stream`."""
    return _stream(split, f"clips-{split}-{seed}", random_clip)


def sound_stream(split: Split, seed: int = 0) -> Iterator[Sound]:
    """Sounds of a split without end, as `stream`."""
    return _stream(split, f"sounds-{split}-{seed}", random_sound)


def scenes(split: Split, count: int, seed: int = 0) -> list[Scene]:
    """The first `count` different scenes of a split: for benchmarks.

    Example:
        >>> sample = scenes("test", 20)
        >>> len(set(sample)), {split_of(scene) for scene in sample}
        (20, {'test'})
    """
    return _first(stream(split, seed), count)


def clips(split: Split, count: int, seed: int = 0) -> list[Clip]:
    """The first `count` different clips of a split.

    Example:
        >>> {split_of(clip) for clip in clips("compositional", 20)}
        {'compositional'}
    """
    return _first(clip_stream(split, seed), count)


def sounds(split: Split, count: int, seed: int = 0) -> list[Sound]:
    """The first `count` different sounds of a split.

    Example:
        >>> len(set(sounds("test", 20)))
        20
    """
    return _first(sound_stream(split, seed), count)


def _stream(split: Split, seed: str, draw: Callable[[random.Random], V]) -> Iterator[V]:
    if split not in get_args(Split):
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(get_args(Split))}")
    rng = random.Random(seed)
    while True:
        value = draw(rng)
        if split_of(value) == split:
            yield value


def _first(stream: Iterator[V], count: int) -> list[V]:
    found: dict[V, None] = {}
    for value in stream:
        if len(found) >= count:
            break
        found.setdefault(value)
    return list(found)
