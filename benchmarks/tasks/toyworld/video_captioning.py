"""Toyworld captioning of clips.

name: toy-video-captioning, toy-video-captioning-compositional
data set: toyworld clips with five captions each, as its export in MSR-VTT's format holds them
licence: CC0 1.0
protocol: one caption for each clip, nine frames in two seconds. Attribute F1 and exact clips, as the parser
    reads the caption, beside the usual caption metrics, for which a right answer in other words costs points.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.images import coco
from benchmarks.tasks.toyworld.captioning import METRICS
from benchmarks.tasks.toyworld.readings import CLIP_TEXTS
from benchmarks.tasks.toyworld.scenes import (
    LICENCE,
    SCENES,
    SOURCE,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
    number_of_deeds,
)
from nextgpt.messages import Request, user
from toyworld.clips.language import captions, describe
from toyworld.clips.render import render
from toyworld.splits import clips

PROMPT = "describe the clip."


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, clip in enumerate(clips(split, SCENES), start=1):
        truth = describe(clip)
        yield Sample(
            id=str(number),
            request=Request((user(render(clip), PROMPT),), wanted=frozenset({"text"})),
            references={"clip": clip, "captions": captions(clip, random.Random(f"captions-0-{clip.key}"))},
            group=str(number),
            hints={"caption": truth, "plan": truth},
        )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="video-captioning",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES},
        load=partial(_load, split),
        metrics=(
            attribute_f1_of(CLIP_TEXTS),
            accuracy_of(CLIP_TEXTS),
            *(use for use in coco.caption_uses() if use.name in METRICS),
        ),
        headline="attribute_f1",
        accepts=frozenset({"text", "video"}),
        produces=frozenset({"text"}),
        slices=number_of_deeds,
    )


TEST = _benchmark("toy-video-captioning", "test")
COMPOSITIONAL = _benchmark("toy-video-captioning-compositional", "compositional")
