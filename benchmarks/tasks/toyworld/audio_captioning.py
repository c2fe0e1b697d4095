"""Toyworld captioning of sounds.

name: toy-audio-captioning, toy-audio-captioning-compositional
data set: toyworld sounds with five captions each, as its export in AudioCaps' format holds them
licence: CC0 1.0
protocol: one caption for each sound, two seconds at 16 kHz. Attribute F1 and exact sounds, as the parser
    reads the caption, beside the usual caption metrics, for which a right answer in other words costs points.
"""

from __future__ import annotations

from functools import partial

from benchmarks.tasks.toyworld.captioning import caption_metrics
from benchmarks.tasks.toyworld.kinds import SOUND, both, described
from benchmarks.tasks.toyworld.readings import SOUND_TEXTS
from benchmarks.tasks.toyworld.scenes import number_of_events

PROMPT = "describe the sound."

TEST, COMPOSITIONAL = both(
    "toy-audio-captioning",
    "audio-captioning",
    PROMPT,
    partial(described, SOUND, PROMPT),
    caption_metrics(SOUND_TEXTS),
    accepts=frozenset({"text", "audio"}),
    produces=frozenset({"text"}),
    slices=number_of_events,
)
