"""Toyworld attributes: the claim as a curve, from one attribute to six.

name: toy-attributes, toy-attributes-compositional
data set: toyworld scenes with one instruction each that changes one to six attributes of their things
licence: CC0 1.0
protocol: picture and instruction in, picture out, seed from the sample's id. Exact scenes, in which what is
    not mentioned is carried over, and attribute F1 against the target scene, as the oracle reads the picture;
    by the number of attributes that are changed. (The paper's Figure 5 asks people about such instructions.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from itertools import islice

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.editing import PROMPT
from benchmarks.tasks.toyworld.readings import PICTURES
from benchmarks.tasks.toyworld.scenes import LICENCE, SOURCE, TestSplit, accuracy_of, attribute_f1_of
from nextgpt.messages import Request, user
from toyworld.dialogue import CALL
from toyworld.instructions import Edit
from toyworld.language import describe
from toyworld.render import render
from toyworld.scene import Scene
from toyworld.several import MOST, several
from toyworld.splits import stream

EACH = 40  # samples of each number of attributes
SENTENCE = PROMPT + "."


def _edits(split: TestSplit, count: int) -> Iterator[tuple[Scene, Edit]]:
    for scene in stream(split, count):
        edit = several(scene, random.Random(f"attributes-{count}-{scene.key}"), count, seen=split == "test")
        if edit is not None:
            yield scene, edit


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    """One of each number of attributes in turn, so that the first samples are of all."""
    counts = range(1, MOST + 1)
    edits = [islice(_edits(split, count), EACH) for count in counts]
    for number, row in enumerate(zip(*edits, strict=True), start=1):
        for count, (scene, edit) in zip(counts, row, strict=True):
            yield Sample(
                id=f"{count}-{number}",
                request=Request(
                    (user(render(scene), SENTENCE.format(instruction=edit.text)),),
                    wanted=frozenset({"image"}),
                ),
                references={
                    "scene": edit.target,
                    "image": render(edit.target),
                    "prompt": edit.text,
                    "attributes": count,
                },
                group=f"{count}-{number}",
                hints={"caption": describe(scene), "plan": CALL.format(caption=describe(edit.target))},
            )


def number_of_attributes(sample: Sample) -> str:
    """The slice of a sample: how many attributes its instruction changes."""
    count = int(sample.references["attributes"])
    return f"{count} attribute{'s' * (count > 1)}"


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="editing",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": SENTENCE, "split": split, "samples": EACH * MOST},
        load=partial(_load, split),
        metrics=(accuracy_of(PICTURES), attribute_f1_of(PICTURES)),
        headline="scene_accuracy",
        accepts=frozenset({"text", "image"}),
        produces=frozenset({"image"}),
        slices=number_of_attributes,
    )


TEST = _benchmark("toy-attributes", "test")
COMPOSITIONAL = _benchmark("toy-attributes-compositional", "compositional")
