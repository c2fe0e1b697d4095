"""Instructions that change a clip, each with the exact clip that results."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from toyworld.clips.clip import DIRECTIONS, KINDS, SPEEDS, TURNS, Actor, Clip, Deed
from toyworld.scene import COLOURS, SHAPES, SIZES, Thing

Named = tuple[str, Actor]
_BACK = MappingProxyType({"left": "right", "right": "left", "up": "down", "down": "up"})
_UNDONE = MappingProxyType({"appears": "vanishes", "vanishes": "appears"})


@dataclass(frozen=True)
class ClipEdit:
    """An instruction, the clip it asks for, and its kind: recolour, redirect, reverse, ..."""

    text: str
    target: Clip
    kind: str


def instruct(
    clip: Clip,
    rng: random.Random,
    *,
    seen: bool = False,
    kind: str | None = None,
    named: Iterable[Named] | None = None,
) -> ClipEdit | None:
    """One instruction that applies to the clip without ambiguity and changes it.

    Args:
        clip: The clip before.
        rng: Draws the kind and the wording.
        seen: Keep to results that training may show: without held-out pairs of attributes.
        kind: One of `EDITS`, or any.
        named: What may be changed, and by which words it is called; by default everything that a shape, a
            colour or a deed names alone.

    Returns:
        The instruction, or None where there is none.

    Example:
        >>> clip = Clip.of(Actor(Thing(4, "small", "red", "star"), Deed("moves", "left", "slowly"), 1))
        >>> instruct(clip, random.Random(0), kind="hasten").text in (
        ...     "make the star move quickly",
        ...     "make the red one move quickly",
        ...     "make the one that moves move quickly",
        ... )
        True
    """
    chosen = list(names(clip) if named is None else named)
    makers = list(_MAKERS.items()) if kind is None else [(kind, _MAKERS[kind])]
    for found, make in rng.sample(makers, len(makers)):
        edits = []
        for text, actors in make(clip, chosen, rng):
            try:
                target = Clip(tuple(actors))
            except ValueError:  # somebody would leave the grid, meet another, or nothing would happen
                continue
            if target != clip and not (seen and target.compositional):
                edits.append(ClipEdit(text, target, found))
        if edits:
            return rng.choice(edits)
    return None


def names(clip: Clip) -> Iterator[Named]:
    """Every way to name exactly one thing: by shape, by colour, by what it does."""
    for words, attribute in (("the {}", "shape"), ("the {} one", "colour"), ("the one that {}", "deed")):
        values = [str(actor.attributes[attribute]) for actor in clip.actors]
        often = Counter(values)
        for value, actor in zip(values, clip.actors, strict=True):
            if often[value] == 1:
                yield words.format(value), actor


Made = Iterator[tuple[str, Iterable[Actor]]]


def _recolour(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        colour = rng.choice([c for c in COLOURS if c != actor.thing.colour])
        yield f"make {words} {colour}", _with(clip, actor, dataclasses.replace(actor.thing, colour=colour))


def _resize(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        size = next(s for s in SIZES if s != actor.thing.size)
        yield f"make {words} {size}", _with(clip, actor, dataclasses.replace(actor.thing, size=size))


def _reshape(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        shape = rng.choice([s for s in SHAPES if s != actor.thing.shape])
        yield (
            f"turn {words} into a {shape}",
            _with(clip, actor, dataclasses.replace(actor.thing, shape=shape)),
        )


def _remove(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        rest = [other for other in clip.actors if other != actor]
        yield f"remove {words}", _in_turn(rest)


def _redirect(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        for way in DIRECTIONS:
            if actor.deed and actor.deed.kind == "moves":
                yield (
                    f"make {words} move {way}",
                    _doing(clip, actor, dataclasses.replace(actor.deed, direction=way)),
                )


def _hasten(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        if actor.deed and actor.deed.kind == "moves":
            speed = next(s for s in SPEEDS if s != actor.deed.speed)
            yield (
                f"make {words} move {speed}",
                _doing(clip, actor, dataclasses.replace(actor.deed, speed=speed)),
            )


def _start(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    """Lets a thing that stays act last of all."""
    for words, actor in named:
        if actor.deed is None:
            kind, way, speed = rng.choice(KINDS), rng.choice(DIRECTIONS), rng.choice(SPEEDS)
            told = {"moves": f"move {way} {speed}", "appears": "appear", "vanishes": "vanish"}[kind]
            deed = Deed(kind, way, speed) if kind == "moves" else Deed(kind)
            yield f"make {words} {told} at the end", _doing(clip, actor, deed, len(clip.acting) + 1)


def _stop(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    for words, actor in named:
        if actor.deed:
            yield f"make {words} stay", _in_turn(_doing(clip, actor, None, 0))


def _mirror(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    mirrored = []
    for actor in clip.actors:
        deed = actor.deed
        if deed and deed.direction in ("left", "right"):
            deed = dataclasses.replace(deed, direction=_BACK[deed.direction])
        cell = 3 * actor.thing.row + 2 - actor.thing.column
        mirrored.append(Actor(dataclasses.replace(actor.thing, cell=cell), deed, actor.turn))
    yield "mirror the clip", mirrored


def _reverse(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    yield "play it backwards", [_undone(actor, len(clip.acting)) for actor in clip.actors]


def _swap(clip: Clip, named: list[Named], rng: random.Random) -> Made:
    if len(clip.acting) == 2:
        yield (
            "swap the order",
            [
                dataclasses.replace(actor, turn=3 - actor.turn) if actor.deed else actor
                for actor in clip.actors
            ],
        )


def _undone(actor: Actor, turns: int) -> Actor:
    """The actor seen backwards in time."""
    if actor.deed is None:
        return actor
    deed, thing = actor.deed, actor.thing
    if deed.kind == "moves":
        cell = actor.cell_after(TURNS)
        thing = dataclasses.replace(thing, cell=thing.cell if cell is None else cell)
        deed = dataclasses.replace(deed, direction=_BACK[deed.direction])
    else:
        deed = Deed(_UNDONE[deed.kind])
    return Actor(thing, deed, turns + 1 - actor.turn)


def _with(clip: Clip, actor: Actor, thing: Thing) -> list[Actor]:
    return [dataclasses.replace(a, thing=thing) if a == actor else a for a in clip.actors]


def _doing(clip: Clip, actor: Actor, deed: Deed | None, turn: int | None = None) -> list[Actor]:
    changed = Actor(actor.thing, deed, actor.turn if turn is None else turn)
    return [changed if a == actor else a for a in clip.actors]


def _in_turn(actors: Iterable[Actor]) -> list[Actor]:
    """The actors with their turns counted anew, without gaps."""
    actors = list(actors)
    order = sorted(actor.turn for actor in actors if actor.deed)
    return [dataclasses.replace(a, turn=order.index(a.turn) + 1) if a.deed else a for a in actors]


_MAKERS: MappingProxyType[str, Callable[[Clip, list[Named], random.Random], Made]] = MappingProxyType(
    {
        "recolour": _recolour,
        "resize": _resize,
        "reshape": _reshape,
        "remove": _remove,
        "redirect": _redirect,
        "hasten": _hasten,
        "start": _start,
        "stop": _stop,
        "mirror": _mirror,
        "reverse": _reverse,
        "swap": _swap,
    }
)
EDITS = tuple(_MAKERS)
