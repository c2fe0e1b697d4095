"""Instructions that change a sound, each with the exact sound that results."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from toyworld.sounds.language import TIMES, name
from toyworld.sounds.sound import LOUDNESSES, MOST_EVENTS, PITCHES, TIMBRES, Event, Sound

# Words for an event, and its place in the sound: two events may be alike.
Named = tuple[str, int]


@dataclass(frozen=True)
class SoundEdit:
    """An instruction, the sound it asks for, and its kind: retune, repeat, reverse, ..."""

    text: str
    target: Sound
    kind: str


def instruct(
    sound: Sound,
    rng: random.Random,
    *,
    seen: bool = False,
    kind: str | None = None,
    named: Iterable[Named] | None = None,
) -> SoundEdit | None:
    """One instruction that applies to the sound without ambiguity and changes it.

    Args:
        sound: The sound before.
        rng: Draws the kind and the wording.
        seen: Keep to results that training may play: no instrument loud that is held out.
        kind: One of `EDITS`, or any.
        named: What may be changed, by its place, and by which words it is called; by default everything that
            an instrument, its pitch or its place in time names alone.

    Returns:
        The instruction, or None where there is none.

    Example:
        >>> sound = Sound.of(Event("flute", "low", "soft", 2), Event("bell", "high", "soft", 1))
        >>> instruct(sound, random.Random(0), kind="reverse").target.events[0].timbre
        'bell'
    """
    chosen = list(names(sound) if named is None else named)
    makers = list(_MAKERS.items()) if kind is None else [(kind, _MAKERS[kind])]
    for found, make in rng.sample(makers, len(makers)):
        edits = [
            SoundEdit(text, target, found)
            for text, events in make(sound, chosen, rng)
            if 1 <= len(events) <= MOST_EVENTS
            and (target := Sound(events)) != sound
            and not (seen and target.compositional)
        ]
        if edits:
            return rng.choice(edits)
    return None


def names(sound: Sound) -> Iterator[Named]:
    """Every way to name exactly one event: by instrument, by pitch, as the first or the last."""
    for attribute, words in (("timbre", "the {}"), ("pitch", "the {} one")):
        often = Counter(getattr(event, attribute) for event in sound.events)
        for place, event in enumerate(sound.events):
            if often[getattr(event, attribute)] == 1:
                yield words.format(getattr(event, attribute)), place
    if len(sound.events) > 1:
        yield from (("the first one", 0), ("the last one", len(sound.events) - 1))


Made = Iterator[tuple[str, tuple[Event, ...]]]


def _retimbre(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    for words, place in named:
        timbre = rng.choice([t for t in TIMBRES if t != sound.events[place].timbre])
        yield f"turn {words} into a {timbre}", _with(sound, place, timbre=timbre)


def _retune(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    for words, place in named:
        pitch = next(p for p in PITCHES if p != sound.events[place].pitch)
        yield f"make {words} {pitch}", _with(sound, place, pitch=pitch)


def _reinforce(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    for words, place in named:
        loudness = next(x for x in LOUDNESSES if x != sound.events[place].loudness)
        yield f"make {words} {loudness}", _with(sound, place, loudness=loudness)


def _repeat(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    for words, place in named:
        for repeats, times in enumerate(TIMES, start=1):
            yield f"let {words} sound {times}", _with(sound, place, repeats=repeats)


def _remove(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    for words, place in named:
        yield f"remove {words}", sound.events[:place] + sound.events[place + 1 :]


def _add(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    event = Event(rng.choice(TIMBRES), rng.choice(PITCHES), rng.choice(LOUDNESSES), 1)
    yield f"add {name(event)} at the end", (*sound.events, event)


def _reverse(sound: Sound, named: list[Named], rng: random.Random) -> Made:
    yield "play it backwards", sound.events[::-1]


def _with(sound: Sound, place: int, **change: str | int) -> tuple[Event, ...]:
    changed = dataclasses.replace(sound.events[place], **change)  # type: ignore[arg-type]
    return (*sound.events[:place], changed, *sound.events[place + 1 :])


_MAKERS: MappingProxyType[str, Callable[[Sound, list[Named], random.Random], Made]] = MappingProxyType(
    {
        "retimbre": _retimbre,
        "retune": _retune,
        "reinforce": _reinforce,
        "repeat": _repeat,
        "remove": _remove,
        "add": _add,
        "reverse": _reverse,
    }
)
EDITS = tuple(_MAKERS)
