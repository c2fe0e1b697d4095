"""Toyworld editing of clips.

name: toy-video-editing, toy-video-editing-compositional
data set: toyworld clips with one instruction each: recolour, redirect, hasten, stop, reverse, remove and
    others
licence: CC0 1.0
protocol: clip and instruction in, clip out, seed from the sample's id. Exact clips and attribute F1 against
    the target, as the oracle reads nine frames; by kind of edit. Results of the test split keep to what
    occurs in training; those of the compositional split start from a clip with attributes that never met
    there.
"""

from __future__ import annotations

from functools import partial

from benchmarks.tasks.toyworld.kinds import CLIP, both, edited, kind_of_edit
from benchmarks.tasks.toyworld.readings import CLIPS
from benchmarks.tasks.toyworld.scenes import accuracy_of, attribute_f1_of
from toyworld.clips.instructions import instruct

PROMPT = "{instruction}."

TEST, COMPOSITIONAL = both(
    "toy-video-editing",
    "editing",
    PROMPT,
    partial(edited, CLIP, instruct, PROMPT),
    (accuracy_of(CLIPS), attribute_f1_of(CLIPS)),
    accepts=frozenset({"text", "video"}),
    produces=frozenset({"video"}),
    slices=kind_of_edit,
)
