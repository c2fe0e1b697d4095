"""Scene to words and back: captions, paraphrases, and the parser that reads them."""

from __future__ import annotations

import random
import re

from toyworld.scene import CELLS, COLOURS, SHAPES, SIZES, Scene, Thing
from toyworld.wording import listed, normalise

PLACES = (
    "in the top left",
    "at the top",
    "in the top right",
    "on the left",
    "in the center",
    "on the right",
    "in the bottom left",
    "at the bottom",
    "in the bottom right",
)
OTHER_SIZES = {"small": "little", "large": "big"}
_SIZE_WORDS = {**{s: s for s in SIZES}, **{other: s for s, other in OTHER_SIZES.items()}}
_CELL_WORDS = {**{c: i for i, c in enumerate(CELLS)}, "middle": 4}
_CELL_PATTERN = re.compile(r"\b(" + "|".join(sorted(_CELL_WORDS, key=len, reverse=True)) + r")\b")


def name(thing: Thing) -> str:
    """A thing without its place.

    Example:
        >>> name(Thing(0, "small", "red", "circle"))
        'a small red circle'
    """
    return f"a {thing.size} {thing.colour} {thing.shape}"


def describe(scene: Scene) -> str:
    """The canonical description, in reading order.

    Example:
        >>> describe(Scene.of(Thing(0, "small", "red", "circle"), Thing(4, "large", "blue", "square")))
        'a small red circle in the top left and a large blue square in the center'
    """
    return listed([f"{name(t)} {PLACES[t.cell]}" for t in scene.things])


def captions(scene: Scene, rng: random.Random) -> tuple[str, ...]:
    """Five captions of a scene, as five people might write them; the first is `describe`."""
    shuffled = rng.sample(scene.things, len(scene.things))
    big = listed([f"a {OTHER_SIZES[t.size]} {t.colour} {t.shape} {PLACES[t.cell]}" for t in scene.things])
    return (
        describe(scene),
        f"there is {describe(scene)}",
        ", ".join(f"{PLACES[t.cell]} {name(t)}" for t in shuffled),
        f"a picture of {listed([f'{name(t)} {PLACES[t.cell]}' for t in shuffled])}",
        big,
    )


def paraphrase(scene: Scene, rng: random.Random) -> str:
    """One wording out of many, terser ones included: what the language model has to understand."""
    kind = rng.randrange(8)
    if kind < 5:
        return captions(scene, rng)[kind]
    things = rng.sample(scene.things, len(scene.things))
    if kind == 5:
        return "; ".join(f"{t.size} {t.colour} {t.shape} {CELLS[t.cell]}" for t in things)
    if kind == 6:
        return " and ".join(f"{CELLS[t.cell]} {t.size} {t.colour} {t.shape}" for t in things)
    return " ".join(f"{t.size} {t.colour} {t.shape} {CELLS[t.cell]}" for t in scene.things)


def mentions(text: str) -> tuple[Thing, ...]:
    """What a text says of things, attribute by attribute; what it leaves out stays empty.

    Example:
        >>> mentions("a big red star")
        (Thing(cell=-1, size='large', colour='red', shape='star'),)
    """
    found = []
    for segment in re.split(r"[,;.]|\band\b", normalise(text)):
        thing = mention(segment)
        if thing is not None:
            found.append(thing)
    return tuple(found)


def parse(text: str) -> Scene | None:
    """The scene that a text describes, or None where it is incomplete or contradicts itself.

    Example:
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"), Thing(4, "large", "blue", "square"))
        >>> parse(describe(scene)) == scene
        True
        >>> parse("a red circle") is None
        True
    """
    try:
        return Scene(mentions(text))
    except ValueError:
        return None


def mention(segment: str) -> Thing | None:
    """What a piece of a text, in small letters, says of one thing; None where it says nothing of any.

    Example:
        >>> mention("the star in the middle")
        Thing(cell=4, size='', colour='', shape='star')
    """
    words = re.findall(r"[a-z]+", segment)
    place = _CELL_PATTERN.search(segment)
    thing = Thing(
        _CELL_WORDS[place.group()] if place else -1,
        next((_SIZE_WORDS[w] for w in words if w in _SIZE_WORDS), ""),
        next((w for w in words if w in COLOURS), ""),
        next((w for w in words if w in SHAPES), ""),
    )
    return thing if thing.shape or thing.colour or thing.size else None
