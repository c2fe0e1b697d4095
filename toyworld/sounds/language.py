"""Sound to words and back: captions, paraphrases, and the parser that reads them."""

from __future__ import annotations

import random
import re
from types import MappingProxyType

from toyworld.sounds.sound import LOUDNESSES, PITCHES, TIMBRES, Event, Sound
from toyworld.wording import normalise

TIMES = ("once", "twice", "three times")
_OTHER_TIMES = ("one time", "two times", "thrice")
_OTHER_WORDS = MappingProxyType({"low": "deep", "high": "bright", "soft": "quiet", "loud": "strong"})
_SAME = {other: word for word, other in _OTHER_WORDS.items()}
_COUNTS = {words: k + 1 for table in (TIMES, _OTHER_TIMES) for k, words in enumerate(table)}
_COUNT_PATTERN = re.compile(r"\b(" + "|".join(_COUNTS) + r")\b")
_BACKWARDS = "before that"
_NEXT = re.compile(rf"[;.]|\bthen\b|\bfollowed by\b|\b{_BACKWARDS}\b")


def name(event: Event) -> str:
    """An event without its repeats.

    Example:
        >>> name(Event("bell", "high", "soft", 2))
        'a high soft bell'
    """
    return f"a {event.pitch} {event.loudness} {event.timbre}"


def describe(sound: Sound) -> str:
    """The canonical description, in order of time.

    Example:
        >>> describe(Sound.of(Event("flute", "low", "soft", 2), Event("bell", "high", "loud", 1)))
        'a low soft flute twice, then a high loud bell once'
    """
    return ", then ".join(_told(event) for event in sound.events)


def captions(sound: Sound, rng: random.Random) -> tuple[str, ...]:
    """Five captions of a sound, as five people might write them; the first is `describe`."""
    other = ", then ".join(
        f"a {_OTHER_WORDS[e.pitch]} {_OTHER_WORDS[e.loudness]} {e.timbre} {_OTHER_TIMES[e.repeats - 1]}"
        for e in sound.events
    )
    spoken = [f"the {e.timbre}, {e.pitch} and {e.loudness}, {TIMES[e.repeats - 1]}" for e in sound.events]
    return (
        describe(sound),
        f"you hear {' followed by '.join(map(_told, sound.events))}",
        other,
        f", {_BACKWARDS} ".join(map(_told, reversed(sound.events))),
        rng.choice(("first ", "")) + "; then ".join(spoken),
    )


def paraphrase(sound: Sound, rng: random.Random) -> str:
    """One wording out of many, terser ones included."""
    kind = rng.randrange(8)
    if kind < 5:
        return captions(sound, rng)[kind]
    if kind == 5:
        return " then ".join(
            f"{e.pitch} {e.loudness} {e.timbre} {TIMES[e.repeats - 1]}" for e in sound.events
        )
    if kind == 6:
        return "; ".join(f"{e.timbre} {e.pitch} {e.loudness} {TIMES[e.repeats - 1]}" for e in sound.events)
    return ", then ".join(_told(e) if e.repeats > 1 else name(e) for e in sound.events)


def mentions(text: str) -> tuple[Event, ...]:
    """What a text says of sounds, in order of time; what it leaves out stays empty, but unsaid is once.

    Example:
        >>> mentions("the quiet trumpet")
        (Event(timbre='trumpet', pitch='', loudness='soft', repeats=1),)
    """
    text = normalise(text)
    found = [event for piece in _NEXT.split(text) if (event := _mention(piece))]
    return tuple(reversed(found) if _BACKWARDS in text else found)


def parse(text: str) -> Sound | None:
    """The sound that a text describes, or None where it is incomplete.

    Example:
        >>> parse("a low soft flute") == Sound.of(Event("flute", "low", "soft", 1))
        True
        >>> parse("a flute") is None
        True
    """
    try:
        return Sound(mentions(text))
    except ValueError:
        return None


def _told(event: Event) -> str:
    return f"{name(event)} {TIMES[event.repeats - 1]}"


def _mention(piece: str) -> Event | None:
    words = [_SAME.get(word, word) for word in re.findall(r"[a-z]+", piece)]
    timbre, pitch, loudness = (
        next((word for word in words if word in table), "") for table in (TIMBRES, PITCHES, LOUDNESSES)
    )
    if not (timbre or pitch or loudness):
        return None
    often = _COUNT_PATTERN.search(piece)
    # "four times" is not once: it is more than can be.
    unsaid = 0 if "times" in words else 1
    return Event(timbre, pitch, loudness, _COUNTS[often.group()] if often else unsaid)
