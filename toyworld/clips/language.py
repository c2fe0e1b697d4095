"""Clip to words and back: captions, paraphrases, and the parser that reads them."""

from __future__ import annotations

import random
import re
from types import MappingProxyType

from toyworld import language
from toyworld.clips.clip import DIRECTIONS, KINDS, SPEEDS, STAYS, Actor, Clip, Deed
from toyworld.language import OTHER_SIZES, PLACES
from toyworld.scene import CELLS, Thing
from toyworld.wording import listed, normalise

_OTHER_DEEDS = MappingProxyType(
    {"moves": "goes", "appears": "shows up", "vanishes": "disappears", STAYS: "does not move"}
)
_OTHER_SPEEDS = MappingProxyType({"slowly": "gently", "quickly": "fast"})
_SAME_DEED = {**{word: word for word in (*KINDS, STAYS)}, **{o: word for word, o in _OTHER_DEEDS.items()}}
_SAME_SPEED = {**{word: word for word in SPEEDS}, **{o: word for word, o in _OTHER_SPEEDS.items()}}
_HOW = "|".join((*DIRECTIONS, *_SAME_SPEED))
_DEED = re.compile(rf"\b({'|'.join(_SAME_DEED)})\b((?: (?:to the )?(?:{_HOW})\b)*)")
_BACKWARDS = "before that"
_NEXT = re.compile(rf"[,;.]|\b(?:then|while|and|{_BACKWARDS})\b")


def act(deed: Deed | None) -> str:
    """A deed in words.

    Example:
        >>> act(Deed("moves", "left", "slowly")), act(Deed("appears")), act(None)
        ('moves left slowly', 'appears', 'stays')
    """
    return " ".join(filter(None, (deed.kind, deed.direction, deed.speed))) if deed else STAYS


def describe(clip: Clip) -> str:
    """The canonical description: who acts, in order of time, and then who stays.

    Example:
        >>> circle, star = Thing(0, "small", "red", "circle"), Thing(4, "large", "blue", "star")
        >>> describe(Clip.of(Actor(star), Actor(circle, Deed("moves", "right", "slowly"), 1)))
        'a small red circle in the top left moves right slowly, while a large blue star in the center stays'
    """
    acting = ", then ".join(_told(actor) for actor in clip.acting)
    staying = listed([_told(actor) for actor in clip.staying]) if clip.staying else ""
    return f"{acting}, while {staying}" if staying else acting


def captions(clip: Clip, rng: random.Random) -> tuple[str, ...]:
    """Five captions of a clip, as five people might write them; the first is `describe`."""
    staying = rng.sample(clip.staying, len(clip.staying))
    first = "".join(f"{_placed_first(a)}; " for a in staying)
    back = f", {_BACKWARDS} ".join(map(_told, reversed(clip.acting)))
    return (
        describe(clip),
        f"a clip in which {describe(clip)}",
        "; then ".join(map(_otherwise, clip.acting)) + "".join(f"; {_otherwise(a)}" for a in staying),
        first + ", then ".join(map(_placed_first, clip.acting)),
        back + (f", while {listed(list(map(_told, staying)))}" if staying else ""),
    )


def paraphrase(clip: Clip, rng: random.Random) -> str:
    """One wording out of many, a terser one included."""
    kind = rng.randrange(7)
    if kind < 5:
        return captions(clip, rng)[kind]
    told = [
        f"{a.thing.size} {a.thing.colour} {a.thing.shape} {CELLS[a.thing.cell]} {act(a.deed)}"
        for a in (*clip.acting, *clip.staying)
    ]
    return (" then " if kind == 5 and not clip.staying else "; ").join(told)


def mentions(text: str) -> tuple[Actor, ...]:
    """What a text says of things that act or stay; turns are counted in the order in which it tells them.

    Example:
        >>> (star,) = mentions("the star disappears")
        >>> star.thing.shape, star.deed, star.turn
        ('star', Deed(kind='vanishes', direction='', speed=''), 1)
    """
    text = normalise(text)
    found = [pair for piece in _NEXT.split(text) if (pair := _mention(piece))]
    acting = [pair for pair in found if pair[1]]
    if _BACKWARDS in text:
        acting.reverse()
    staying = [Actor(thing) for thing, deed in found if not deed]
    return (*(Actor(thing, deed, k) for k, (thing, deed) in enumerate(acting, start=1)), *staying)


def parse(text: str) -> Clip | None:
    """The clip that a text describes, or None where it is incomplete or contradicts itself.

    Example:
        >>> parse("a small red star at the top vanishes") is None, parse("a red star vanishes") is None
        (False, True)
    """
    try:
        return Clip(mentions(text))
    except ValueError:
        return None


def _told(actor: Actor) -> str:
    return f"{language.name(actor.thing)} {PLACES[actor.thing.cell]} {act(actor.deed)}"


def _placed_first(actor: Actor) -> str:
    return f"{PLACES[actor.thing.cell]} {language.name(actor.thing)} {act(actor.deed)}"


def _otherwise(actor: Actor) -> str:
    thing, deed = actor.thing, actor.deed
    words = [f"a {OTHER_SIZES[thing.size]} {thing.colour} {thing.shape} {PLACES[thing.cell]}"]
    words.append(_OTHER_DEEDS[deed.kind if deed else STAYS])
    if deed and deed.kind == "moves":
        way = deed.direction if deed.direction in ("up", "down") else f"to the {deed.direction}"
        words += [_OTHER_SPEEDS[deed.speed], way]
    return " ".join(words)


def _mention(piece: str) -> tuple[Thing, Deed | None] | None:
    """A thing and what it does. The deed's words go first, or "right" might be taken for a place."""
    told = _DEED.search(piece)
    thing = language.mention(piece if told is None else piece[: told.start()] + piece[told.end() :])
    if thing is None:
        return None
    kind = _SAME_DEED[told.group(1)] if told else STAYS
    if told is None or kind == STAYS:
        return thing, None
    words = told.group(2).split()
    direction = next((word for word in words if word in DIRECTIONS), "") if kind == "moves" else ""
    speed = next((_SAME_SPEED[word] for word in words if word in _SAME_SPEED), "") if kind == "moves" else ""
    return thing, Deed(kind, direction, speed)
