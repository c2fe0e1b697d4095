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

import random
from collections.abc import Iterator
from functools import partial
from itertools import islice

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.readings import PICTURES
from benchmarks.tasks.toyworld.scenes import (
    LICENCE,
    SCENES,
    SOURCE,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
)
from nextgpt.messages import Request, user
from toyworld.dialogue import CALL
from toyworld.instructions import Edit, instruct
from toyworld.language import describe
from toyworld.render import render
from toyworld.scene import Scene
from toyworld.splits import scenes

PROMPT = "{instruction}"


def _edits(split: TestSplit) -> Iterator[tuple[Scene, Edit]]:
    """Scenes with an instruction; the few that have none (three alike in one column) are passed over."""
    for scene in scenes(split, SCENES + SCENES // 10):
        edit = instruct(scene, random.Random(f"editing-{scene.key}"), seen=split == "test")
        if edit is not None:
            yield scene, edit


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, (scene, edit) in enumerate(islice(_edits(split), SCENES), start=1):
        said = user(render(scene), PROMPT.format(instruction=edit.text))
        yield Sample(
            id=str(number),
            request=Request((said,), wanted=frozenset({"image"})),
            references={
                "scene": edit.target,
                "image": render(edit.target),
                "prompt": edit.text,
                "kind": edit.kind,
            },
            group=str(number),
            hints={"caption": describe(scene), "plan": CALL.format(caption=describe(edit.target))},
        )


def kind_of_edit(sample: Sample) -> str:
    """The slice of a sample."""
    return str(sample.references["kind"])


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="editing",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES},
        load=partial(_load, split),
        metrics=(accuracy_of(PICTURES), attribute_f1_of(PICTURES)),
        headline="scene_accuracy",
        accepts=frozenset({"text", "image"}),
        produces=frozenset({"image"}),
        slices=kind_of_edit,
    )


TEST = _benchmark("toy-editing", "test")
COMPOSITIONAL = _benchmark("toy-editing-compositional", "compositional")
