"""Instructions that change several attributes of a scene at once; all others are to be carried over."""

from __future__ import annotations

import dataclasses
import random

from toyworld.instructions import Edit, names
from toyworld.scene import COLOURS, SHAPES, SIZES, Scene, Thing
from toyworld.wording import listed

MOST = 6
_VALUES = {"size": SIZES, "colour": COLOURS, "shape": SHAPES}
_TRIES = 20


def several(scene: Scene, rng: random.Random, count: int, *, seen: bool = False) -> Edit | None:
    """One instruction that changes so many attributes, each of a thing that is named without ambiguity.

    Args:
        scene: The scene before.
        rng: Draws what is changed, and the wording.
        count: Attributes that are changed, 1 to `MOST`; of one thing up to three.
        seen: Keep to results without a held-out pair of colour and shape: what training may show.

    Returns:
        The instruction, or None where too few things can be named.

    Example:
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"), Thing(2, "large", "blue", "square"))
        >>> several(scene, random.Random(1), 3).text
        'make the square small and purple and turn the square into a circle'
    """
    named: dict[Thing, str] = {}
    found = list(names(scene))
    for words, thing in rng.sample(found, len(found)):
        named.setdefault(thing, words)
    places = [(thing, attribute) for thing in scene.things if thing in named for attribute in _VALUES]
    if len(places) < count:
        return None
    for _ in range(_TRIES):
        changes: dict[Thing, dict[str, str]] = {}
        for thing, attribute in rng.sample(places, count):
            others = [value for value in _VALUES[attribute] if value != getattr(thing, attribute)]
            changes.setdefault(thing, {})[attribute] = rng.choice(others)
        target = Scene(
            tuple(dataclasses.replace(thing, **changes.get(thing, {})) for thing in scene.things)  # type: ignore[arg-type]
        )
        if not (seen and target.compositional):
            asked = [part for thing in changes for part in _asked(named[thing], changes[thing])]
            return Edit(listed(asked), target, "several")
    return None


def _asked(words: str, change: dict[str, str]) -> list[str]:
    """What is asked of one thing: how it is to look, and what it is to become."""
    looks = [change[attribute] for attribute in ("size", "colour") if attribute in change]
    parts = [f"make {words} {' and '.join(looks)}"] if looks else []
    return parts + ([f"turn {words} into a {change['shape']}"] if "shape" in change else [])
