"""Instructions that change a scene, each with the exact scene that results."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from toyworld.scene import COLOURS, SHAPES, SIZES, Scene, Thing


@dataclass(frozen=True)
class Edit:
    """An instruction, the scene it asks for, and its kind: mirror, swap, remove, recolour, ..."""

    text: str
    target: Scene
    kind: str


Named = tuple[str, Thing]


def instruct(
    scene: Scene,
    rng: random.Random,
    *,
    seen: bool = False,
    kind: str | None = None,
    named: Iterable[Named] | None = None,
) -> Edit | None:
    """One instruction that applies to the scene without ambiguity and changes it.

    Args:
        scene: The scene before.
        rng: Draws the kind and the wording.
        seen: Keep to results without a held-out pair of colour and shape: what training may show.
        kind: One of `EDITS`, or any.
        named: What may be changed, and by which words it is called; by default everything that its shape,
            its colour or its side names alone.

    Returns:
        The instruction, or None for the rare scene that has none (three alike in one column, say).

    Example:
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"), Thing(2, "large", "blue", "square"))
        >>> edits = [instruct(scene, random.Random(seed)) for seed in range(50)]
        >>> sorted({edit.kind for edit in edits})
        ['mirror', 'recolour', 'remove', 'reshape', 'resize', 'swap']
        >>> any(edit.target == scene for edit in edits)
        False
    """
    chosen = list(names(scene) if named is None else named)
    makers = list(_MAKERS.values()) if kind is None else [_MAKERS[kind]]
    for make in rng.sample(makers, len(makers)):
        edits = [edit for edit in make(scene, chosen, rng) if not (seen and edit.target.compositional)]
        if edits:
            return rng.choice(edits)
    return None


def _mirror(scene: Scene, named: list[Named], rng: random.Random) -> Iterator[Edit]:
    target = Scene(tuple(dataclasses.replace(t, cell=3 * t.row + 2 - t.column) for t in scene.things))
    if target != scene:
        yield Edit("mirror the scene", target, "mirror")


def _swap(scene: Scene, named: list[Named], rng: random.Random) -> Iterator[Edit]:
    if len(scene.things) == 2:
        a, b = scene.things
        target = Scene.of(dataclasses.replace(a, cell=b.cell), dataclasses.replace(b, cell=a.cell))
        if target != scene:
            yield Edit("swap the two", target, "swap")


def _remove(scene: Scene, named: list[Named], rng: random.Random) -> Iterator[Edit]:
    if len(scene.things) > 1:
        for words, thing in named:
            rest = tuple(t for t in scene.things if t != thing)
            yield Edit(f"remove {words}", Scene(rest), "remove")


def _recolour(scene: Scene, named: list[Named], rng: random.Random) -> Iterator[Edit]:
    for words, thing in named:
        colour = rng.choice([c for c in COLOURS if c != thing.colour])
        yield Edit(f"make {words} {colour}", _with(scene, thing, colour=colour), "recolour")


def _resize(scene: Scene, named: list[Named], rng: random.Random) -> Iterator[Edit]:
    for words, thing in named:
        size = next(s for s in SIZES if s != thing.size)
        yield Edit(f"make {words} {size}", _with(scene, thing, size=size), "resize")


def _reshape(scene: Scene, named: list[Named], rng: random.Random) -> Iterator[Edit]:
    for words, thing in named:
        shape = rng.choice([s for s in SHAPES if s != thing.shape])
        yield Edit(f"turn {words} into a {shape}", _with(scene, thing, shape=shape), "reshape")


def _with(scene: Scene, thing: Thing, **change: str) -> Scene:
    return Scene(tuple(dataclasses.replace(t, **change) if t == thing else t for t in scene.things))  # type: ignore[arg-type]


def names(scene: Scene) -> Iterator[Named]:
    """Every way to name exactly one thing: by shape, by colour, as the left or right or only one."""
    for attribute in ("shape", "colour"):
        often = Counter(getattr(t, attribute) for t in scene.things)
        for t in scene.things:
            if often[getattr(t, attribute)] == 1:
                yield (f"the {t.shape}" if attribute == "shape" else f"the {t.colour} one"), t
    columns = [t.column for t in scene.things]
    if len(columns) > 1:
        for side, edge in (("left", min(columns)), ("right", max(columns))):
            if columns.count(edge) == 1:
                yield f"the {side} one", scene.things[columns.index(edge)]


_MAKERS: dict[str, Callable[[Scene, list[Named], random.Random], Iterator[Edit]]] = {
    "mirror": _mirror,
    "swap": _swap,
    "remove": _remove,
    "recolour": _recolour,
    "resize": _resize,
    "reshape": _reshape,
}
EDITS = tuple(_MAKERS)
