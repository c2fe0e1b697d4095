"""A sound: one to three instruments, one after the other, each heard up to three times."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TIMBRES = ("flute", "clarinet", "bell", "trumpet")
PITCHES = ("low", "high")
LOUDNESSES = ("soft", "loud")
MOST_REPEATS = 3
MOST_EVENTS = 3

# The compositional split: an instrument that no training sound plays loudly.
HELD_OUT_LOUD = frozenset({"clarinet", "bell"})


@dataclass(frozen=True, order=True)
class Event:
    """One instrument's notes, or what a text says about them: there an attribute may be missing.

    Args:
        timbre: One of `TIMBRES`, or ``""``.
        pitch: One of `PITCHES`, or ``""``.
        loudness: One of `LOUDNESSES`, or ``""``.
        repeats: How often it is heard, 1 to 3; 0 when nobody says.
    """

    timbre: str
    pitch: str
    loudness: str
    repeats: int

    @property
    def complete(self) -> bool:
        """Whether every attribute is known."""
        return bool(self.timbre and self.pitch and self.loudness) and 1 <= self.repeats <= MOST_REPEATS

    @property
    def attributes(self) -> dict[str, object]:
        """Everything that is stated about it: what the F1 counts."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value}


@dataclass(frozen=True)
class Sound:
    """One to three complete events, in the order in which they are heard.

    Raises:
        ValueError: If an event is incomplete, or their number is not 1 to 3.

    Example:
        >>> sound = Sound.of(Event("flute", "low", "soft", 2), Event("bell", "high", "loud", 1))
        >>> Sound.from_json(sound.to_json()) == sound
        True
    """

    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.events) <= MOST_EVENTS:
            raise ValueError(f"a sound holds 1 to {MOST_EVENTS} events, not {len(self.events)}")
        if not all(event.complete for event in self.events):
            raise ValueError(f"a sound's events have every attribute: {self.events}")

    @classmethod
    def of(cls, *events: Event) -> Sound:
        """A sound of these events, in this order."""
        return cls(tuple(events))

    def to_json(self) -> list[dict[str, Any]]:
        """The sound as plain values, for files."""
        return [dataclasses.asdict(event) for event in self.events]

    @classmethod
    def from_json(cls, events: Iterable[Mapping[str, Any]]) -> Sound:
        """The sound that `to_json` wrote."""
        return cls(tuple(Event(e["timbre"], e["pitch"], e["loudness"], e["repeats"]) for e in events))

    @property
    def key(self) -> str:
        """A short stable name: equal sounds, equal names, on every machine."""
        text = "|".join("/".join(map(str, event.attributes.values())) for event in self.events)
        return hashlib.sha256(f"sound {text}".encode()).hexdigest()[:16]

    @property
    def compositional(self) -> bool:
        """Whether an instrument is loud here that never is in training."""
        return any(event.loudness == "loud" and event.timbre in HELD_OUT_LOUD for event in self.events)


def sound_accuracy(predicted: Sound | None, true: Sound) -> float:
    """1.0 where every event is right, in the right order, and nothing is added, else 0.0."""
    return float(predicted == true)


def sound_f1(predicted: Iterable[Event] | Sound | None, true: Sound) -> float:
    """F1 over the attributes of the best matching of predicted events to true ones, in [0, 1].

    The matching keeps the order: of two events that are exchanged only one counts.

    Example:
        >>> flute, bell = Event("flute", "low", "soft", 2), Event("bell", "high", "loud", 1)
        >>> sound_f1([flute], Sound.of(flute, bell)), sound_f1([bell, flute], Sound.of(flute, bell))
        (0.666..., 0.5)
        >>> sound_f1(None, Sound.of(flute))
        0.0
    """
    events = list(predicted.events if isinstance(predicted, Sound) else predicted or ())
    events = events[: MOST_EVENTS * MOST_REPEATS]  # a model that babbles is judged on its first nine
    stated = sum(len(event.attributes) for event in events)
    if not stated:
        return 0.0
    # best[j]: the most agreements of the events so far with the first j true ones.
    best = [0] * (len(true.events) + 1)
    for event in events:
        row = [0]
        for j, wanted in enumerate(true.events):
            both = len(event.attributes.items() & wanted.attributes.items())
            row.append(max(row[j], best[j + 1], best[j] + both))
        best = row
    return 2 * best[-1] / (stated + sum(len(event.attributes) for event in true.events))


__all__ = [
    "HELD_OUT_LOUD",
    "LOUDNESSES",
    "PITCHES",
    "TIMBRES",
    "Event",
    "Sound",
    "sound_accuracy",
    "sound_f1",
]
