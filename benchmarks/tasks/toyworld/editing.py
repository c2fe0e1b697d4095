"""Toyworld editing.

name: toy-editing, toy-editing-compositional
data set: toyworld scenes with one instruction each: mirror, swap, remove, recolour, resize, reshape
licence: CC0 1.0
protocol: picture and instruction in, picture out, seed from the sample's id. Exact scenes and attribute
    F1 against the target scene, as the oracle reads the picture; by kind of edit. Results of the test
    split keep to pairs of colour and shape that occur in training; those of the compositional split
    start from a picture with a pair that does not.
"""

from __future__ import annotations

from functools import partial

from benchmarks.tasks.toyworld.kinds import SCENE, both, edited, kind_of_edit
from benchmarks.tasks.toyworld.readings import PICTURES
from benchmarks.tasks.toyworld.scenes import accuracy_of, attribute_f1_of
from toyworld.instructions import instruct

PROMPT = "{instruction}"

TEST, COMPOSITIONAL = both(
    "toy-editing",
    "editing",
    PROMPT,
    partial(edited, SCENE, instruct, PROMPT),
    (accuracy_of(PICTURES), attribute_f1_of(PICTURES)),
    accepts=frozenset({"text", "image"}),
    produces=frozenset({"image"}),
    slices=kind_of_edit,
)
