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

import random
from collections.abc import Iterator
from functools import partial
from itertools import islice

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.editing import kind_of_edit
from benchmarks.tasks.toyworld.readings import CLIPS
from benchmarks.tasks.toyworld.scenes import (
    LICENCE,
    SCENES,
    SOURCE,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
)
from nextgpt.messages import Request, user
from toyworld.clips.clip import Clip
from toyworld.clips.instructions import ClipEdit, instruct
from toyworld.clips.language import describe
from toyworld.clips.render import render
from toyworld.kinds import call
from toyworld.splits import clips

PROMPT = "{instruction}."


def _edits(split: TestSplit) -> Iterator[tuple[Clip, ClipEdit]]:
    """Clips with an instruction; the few that have none are passed over."""
    for clip in clips(split, SCENES + SCENES // 10):
        edit = instruct(clip, random.Random(f"editing-{clip.key}"), seen=split == "test")
        if edit is not None:
            yield clip, edit


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, (clip, edit) in enumerate(islice(_edits(split), SCENES), start=1):
        said = user(render(clip), PROMPT.format(instruction=edit.text))
        yield Sample(
            id=str(number),
            request=Request((said,), wanted=frozenset({"video"})),
            references={
                "clip": edit.target,
                "video": render(edit.target),
                "prompt": edit.text,
                "kind": edit.kind,
            },
            group=str(number),
            hints={"caption": describe(clip), "plan": call(edit.target)},
        )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="editing",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES},
        load=partial(_load, split),
        metrics=(accuracy_of(CLIPS), attribute_f1_of(CLIPS)),
        headline="clip_accuracy",
        accepts=frozenset({"text", "video"}),
        produces=frozenset({"video"}),
        slices=kind_of_edit,
    )


TEST = _benchmark("toy-video-editing", "test")
COMPOSITIONAL = _benchmark("toy-video-editing-compositional", "compositional")
