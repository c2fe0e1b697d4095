"""The oracle of sounds: reads one back, by comparison with every note that the beat could hold.

No network and no training. It hears log mel amplitudes, so it bears a vocoder; it searches for the level at
which the strongest note is a note of this world, so it bears any volume; and for a small delay, so it bears
codecs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nextgpt.media import Audio
from toyworld.sounds.mel import BINS, HOP, log_mel
from toyworld.sounds.render import RATE, SAMPLES, onset, samples
from toyworld.sounds.sound import LOUDNESSES, MOST_EVENTS, MOST_REPEATS, PITCHES, TIMBRES, Event, Sound

VERSION = 1
# Farther than this from everything the world can play (root mean square, in nepers), it is not of the world.
UNREADABLE = 0.7
_NOTE_FRAMES, _POOL = 20, 5  # frames of 10 ms a note and its pause; so many are heard together
_DEPTH = 5.0  # nepers below its strongest moment at which a sound is taken for silent
_DELAYS = range(-4, 9)  # frames
_DRAWS = 4  # renderings that a template is the mean of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Hearing:
    """What the oracle hears.

    Attributes:
        events: Every event heard, in order; up to three.
        sound: The sound, or None where there is no event, a gap between events, or something unreadable.
        distance: Root mean square difference between the sound and its reading, in nepers.
    """

    events: tuple[Event, ...]
    sound: Sound | None
    distance: float


def hear(audio: Audio) -> Hearing:
    """Read a sound, of which the first two seconds count.

    Example:
        >>> from toyworld.sounds.render import render
        >>> sound = Sound.of(Event("flute", "low", "soft", 2), Event("bell", "high", "loud", 1))
        >>> hear(render(sound)).sound == sound
        True
    """
    wave = audio.resampled(RATE).samples[:SAMPLES]
    if not np.ptp(wave):
        return Hearing((), None, 0.0)
    mel = log_mel(np.pad(wave, (0, SAMPLES - len(wave)))).astype(np.float64)
    kinds, templates = _templates()
    best = np.inf, np.zeros((0, 0))
    for delay in _DELAYS:
        notes = _notes(mel, delay)
        loudest = notes.max(axis=(1, 2)).argmax()
        # The strongest note is of some kind; that fixes the level of all.
        for level in {round(float(t.max() - notes[loudest].max()), 2) for t in templates[1:]}:
            errors = _errors(notes + level, templates)
            if (least := errors.min(axis=1).sum()) < best[0]:
                best = least, errors
    return _reading(best[1], kinds)


def _reading(errors: Floats, kinds: tuple[Event, ...]) -> Hearing:
    """The most likely event or silence in each third; errors are [9, 1 + kinds], silence first."""
    events: list[Event | None] = []
    squares = 0.0
    for third in errors.reshape(MOST_EVENTS, MOST_REPEATS, -1):
        silent = third[:, 0].sum()
        chosen, least = None, silent
        for repeats, (k, kind) in itertools.product(range(1, MOST_REPEATS + 1), enumerate(kinds, start=1)):
            total = third[:repeats, k].sum() + third[repeats:, 0].sum()
            if total < least:
                chosen, least = Event(kind.timbre, kind.pitch, kind.loudness, repeats), total
        events.append(chosen)
        squares += least
    distance = float(np.sqrt(squares / errors.shape[0]))
    found = tuple(event for event in events if event)
    whole = bool(found) and None not in events[: len(found)] and distance <= UNREADABLE
    return Hearing(found, Sound(found) if whole else None, distance)


def _notes(mel: Floats, delay: int) -> Floats:
    """What is heard in the place of each note of the beat, a few frames together: float64 [9, 4, 64]."""
    places = [onset(e, r) // HOP + delay for e in range(MOST_EVENTS) for r in range(MOST_REPEATS)]
    rows = np.clip(np.array(places)[:, None] + np.arange(_NOTE_FRAMES), 0, len(mel) - 1)
    heard: Floats = mel[rows].reshape(len(places), _NOTE_FRAMES // _POOL, _POOL, BINS).mean(axis=2)
    return heard


def _errors(notes: Floats, templates: Floats) -> Floats:
    """Mean square difference of every note from every template: float64 [notes, kinds].

    What lies deep below the strongest moment of the sound counts as silence. Below that of the world, and a
    level too low would silence everything and be right.
    """
    floor = notes.max() - _DEPTH
    a = np.maximum(notes, floor).reshape(len(notes), -1)
    b = np.maximum(templates, floor).reshape(len(templates), -1)
    squares = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)
    return np.asarray(np.maximum(squares, 0) / a.shape[1])


@lru_cache(maxsize=1)
def _templates() -> tuple[tuple[Event, ...], Floats]:
    """Every kind of note, and silence with all of them: float64 [1 + 16, 4, 64], at one common level."""
    kinds = tuple(
        Event(timbre, pitch, loudness, 1)
        for timbre, pitch, loudness in itertools.product(TIMBRES, PITCHES, LOUDNESSES)
    )
    played = [np.mean([_played(kind, seed) for seed in range(_DRAWS)], axis=0) for kind in kinds]
    silence = np.full_like(played[0], np.min(played))
    return kinds, np.stack([silence, *played])


def _played(kind: Event, seed: int) -> Floats:
    wave = samples(Sound.of(kind), seed)
    peak = np.abs(wave - wave.mean()).max()
    note: Floats = _notes(log_mel(wave).astype(np.float64) + np.log(peak / 0.5), 0)[0]
    return note
