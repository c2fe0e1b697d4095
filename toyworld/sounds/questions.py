"""Questions about a sound, each with its exact answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

from toyworld.questions import Question
from toyworld.sounds.language import TIMES
from toyworld.sounds.sound import LOUDNESSES, PITCHES, TIMBRES, Event, Sound

# How questions begin that are asked here, each with one right answer.
TYPES = ("which instrument", "how often", "is the", "how many", "is there a")
_COUNTS = ("1", "2", "3", "4")


def questions(sound: Sound, rng: random.Random, count: int | None = None) -> list[Question]:
    """Questions with one right answer each, at most one of each asker, in random order.

    Example:
        >>> sound = Sound.of(Event("flute", "low", "soft", 2))
        >>> {q.text: q.answer for q in questions(sound, random.Random(0))}["how often is the flute heard?"]
        'twice'
    """
    found = []
    for ask in rng.sample(_ASKERS, len(_ASKERS)):
        options = list(ask(sound, rng))
        if options:
            found.append(rng.choice(options))
        if count is not None and len(found) == count:
            break
    return found


def _unique(sound: Sound, attribute: str) -> Iterator[Event]:
    often = Counter(getattr(event, attribute) for event in sound.events)
    return (event for event in sound.events if often[getattr(event, attribute)] == 1)


def _which_is_first_or_last(sound: Sound, rng: random.Random) -> Iterator[Question]:
    for place, event in (("first", sound.events[0]), ("last", sound.events[-1])):
        yield Question(
            f"which instrument is heard {place}?", event.timbre, "which instrument", "other", TIMBRES
        )


def _which_is_so(sound: Sound, rng: random.Random) -> Iterator[Question]:
    for attribute in ("pitch", "loudness"):
        for event in _unique(sound, attribute):
            text = f"which instrument is {getattr(event, attribute)}?"
            yield Question(text, event.timbre, "which instrument", "other", TIMBRES)


def _how_often(sound: Sound, rng: random.Random) -> Iterator[Question]:
    for event in _unique(sound, "timbre"):
        text = f"how often is the {event.timbre} heard?"
        yield Question(text, TIMES[event.repeats - 1], "how often", "other", TIMES)


def _how_it_is(sound: Sound, rng: random.Random) -> Iterator[Question]:
    for event in _unique(sound, "timbre"):
        for table, word in ((PITCHES, event.pitch), (LOUDNESSES, event.loudness)):
            yield Question(f"is the {event.timbre} {' or '.join(table)}?", word, "is the", "other", table)


def _how_many(sound: Sound, rng: random.Random) -> Iterator[Question]:
    count = len({event.timbre for event in sound.events})
    yield Question("how many different instruments are heard?", str(count), "how many", "number", _COUNTS)


def _exists(sound: Sound, rng: random.Random) -> Iterator[Question]:
    played = {event.timbre for event in sound.events}
    timbre = rng.choice((rng.choice(sorted(played)), rng.choice(sorted(set(TIMBRES) - played))))
    yield Question(f"is there a {timbre}?", "yes" if timbre in played else "no", "is there a", "yes/no")


def _which_is_earlier(sound: Sound, rng: random.Random) -> Iterator[Question]:
    named = list(_unique(sound, "timbre"))
    for a in named:
        for b in named:
            if a is not b:
                answer = "yes" if sound.events.index(a) < sound.events.index(b) else "no"
                text = f"is the {a.timbre} heard before the {b.timbre}?"
                yield Question(text, answer, "is the", "yes/no")


_ASKERS: tuple[Callable[[Sound, random.Random], Iterator[Question]], ...] = (
    _which_is_first_or_last,
    _which_is_so,
    _how_often,
    _how_it_is,
    _how_many,
    _exists,
    _which_is_earlier,
)
