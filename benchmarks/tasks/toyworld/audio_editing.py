"""Toyworld editing of sounds.

name: toy-audio-editing, toy-audio-editing-compositional
data set: toyworld sounds with one instruction each: another instrument, pitch, loudness, repeat; remove, add,
    reverse
licence: CC0 1.0
protocol: sound and instruction in, sound out, seed from the sample's id. Exact sounds and attribute F1
    against the target, as the oracle hears two seconds; by kind of edit. Results of the test split keep to
    what occurs in training; those of the compositional split start from a sound with attributes that never
    met there.
"""

from __future__ import annotations

from functools import partial

from benchmarks.tasks.toyworld.kinds import SOUND, both, edited, kind_of_edit
from benchmarks.tasks.toyworld.readings import SOUNDS
from benchmarks.tasks.toyworld.scenes import accuracy_of, attribute_f1_of
from toyworld.sounds.instructions import instruct

PROMPT = "{instruction}."

TEST, COMPOSITIONAL = both(
    "toy-audio-editing",
    "editing",
    PROMPT,
    partial(edited, SOUND, instruct, PROMPT),
    (accuracy_of(SOUNDS), attribute_f1_of(SOUNDS)),
    accepts=frozenset({"text", "audio"}),
    produces=frozenset({"audio"}),
    slices=kind_of_edit,
)
