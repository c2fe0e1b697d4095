"""Sound to samples: two seconds at 16 kHz, on a fixed beat.

Each event has its third of the sound, and its notes follow each other there at a fifth of a second. What is
loud is stronger by 12 dB and, as with real instruments, brighter: so it can be told even by those who bring
every sound to the same peak. Tuning, level and phases vary a little with the seed; the samples lie on the
grid of 16 bits, where machines that differ in the last digit of a sine agree.
"""

from __future__ import annotations

import random
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nextgpt.media import Audio
from toyworld.sounds.sound import MOST_EVENTS, MOST_REPEATS, Event, Sound

RATE = 16_000  # Hz
SAMPLES = 2 * RATE
# Seconds: the first note of the first event, from event to event, from note to note, how long a note is.
START, EVENT, NOTE, LENGTH = 0.04, 0.64, 0.20, 0.18
HERTZ = MappingProxyType({"low": 262.0, "high": 784.0})
PEAK = MappingProxyType({"soft": 0.15, "loud": 0.60})
# Multiples of the lowest frequency and their strengths when loud; a soft note's fall off faster.
PARTIALS = MappingProxyType(
    {
        "flute": ((1, 1.0), (2, 0.35), (3, 0.10)),
        "clarinet": ((1, 1.0), (3, 0.75), (5, 0.55), (7, 0.40), (9, 0.25)),
        "bell": ((1, 0.7), (2.76, 0.9), (5.4, 0.7), (8.93, 0.45)),
        "trumpet": tuple((k, 0.9 ** (k - 1)) for k in range(1, 11)),
    }
)
_SOFT_FALL = (
    0.45  # strength of a soft note's partials, each by so much below the one before, beside the above
)
_RISE = MappingProxyType({"flute": 0.04, "clarinet": 0.015, "bell": 0.004, "trumpet": 0.025})  # seconds
_BELL_DECAY, _RELEASE = 0.05, 0.02  # seconds
_DETUNE, _LEVEL = 0.005, 0.1  # the most that a seed changes frequency and level, in shares


def render(sound: Sound, seed: int = 0) -> Audio:
    """Play a sound.

    Example:
        >>> render(Sound.of(Event("flute", "low", "soft", 2)))
        Audio(2.00 s, 16000 Hz, ...)
    """
    return Audio(samples(sound, seed), RATE)


def samples(sound: Sound, seed: int = 0) -> NDArray[np.float32]:
    """The played sound as float32 [32000] in [-1, 1]: what training loops use."""
    rng = random.Random(f"sound-{seed}-{sound.key}")
    wave = np.zeros(SAMPLES)
    for number, event in enumerate(sound.events):
        tone = _note(event, rng)
        for repeat in range(event.repeats):
            start = onset(number, repeat)
            wave[start : start + len(tone)] += tone
    return (np.rint(wave * 32767) / 32768).astype(np.float32)


def onset(event: int, repeat: int) -> int:
    """The sample where a note begins.

    Example:
        >>> onset(0, 0), onset(2, 2)
        (640, 27520)
    """
    if not 0 <= event < MOST_EVENTS or not 0 <= repeat < MOST_REPEATS:
        raise ValueError(f"a sound has {MOST_EVENTS} events of {MOST_REPEATS} notes: no {event}, {repeat}")
    return round((START + event * EVENT + repeat * NOTE) * RATE)


def _note(event: Event, rng: random.Random) -> NDArray[np.float64]:
    """One note: the sum of its partials under its envelope, float64 [2880]."""
    time = np.arange(round(LENGTH * RATE)) / RATE
    lowest = HERTZ[event.pitch] * (1 + rng.uniform(-_DETUNE, _DETUNE))
    wave = np.zeros_like(time)
    total = 0.0
    for number, (multiple, strength) in enumerate(PARTIALS[event.timbre]):
        if multiple * lowest < RATE / 2:
            share = strength * (1.0 if event.loudness == "loud" else _SOFT_FALL**number)
            wave += share * np.sin(2 * np.pi * (multiple * lowest * time + rng.random()))
            total += share**2
    level = PEAK[event.loudness] * (1 + rng.uniform(-_LEVEL, _LEVEL))
    # Of equal power, whatever the partials; three times the root mean square is hardly ever reached.
    return np.asarray(np.clip(wave / np.sqrt(total / 2) / 3, -1, 1) * level * _envelope(event.timbre, time))


def _envelope(timbre: str, time: NDArray[np.float64]) -> NDArray[np.float64]:
    rise = np.clip(time / _RISE[timbre], 0, 1)
    fall = np.clip((LENGTH - time) / _RELEASE, 0, 1)
    held = np.exp(-time / _BELL_DECAY) if timbre == "bell" else 1.0
    return np.asarray(rise * fall * held)
