"""Toyworld text to image.

name: toy-text-to-image, toy-text-to-image-compositional
data set: toyworld scenes, one of the five captions of each
licence: CC0 1.0
protocol: one picture for each caption, seed from the sample's id. Exact scenes and attribute F1, as the
    oracle reads the picture; FID against the true pictures of the same scenes and CLIPScore, both over
    toyworld's own extractor, which no judged system contains.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.extractor import clip_score_use, fid_use
from benchmarks.tasks.toyworld.readings import PICTURES
from benchmarks.tasks.toyworld.scenes import (
    LICENCE,
    SCENES,
    SOURCE,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
    number_of_objects,
)
from nextgpt.messages import Request, user
from toyworld.dialogue import CALL
from toyworld.language import captions, describe
from toyworld.render import render
from toyworld.splits import scenes

PROMPT = "draw a picture of {caption}."


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, scene in enumerate(scenes(split, SCENES), start=1):
        rng = random.Random(f"text-to-image-{scene.key}")
        caption = rng.choice(captions(scene, rng))
        truth = describe(scene)
        yield Sample(
            id=str(number),
            request=Request((user(PROMPT.format(caption=caption)),), wanted=frozenset({"image"})),
            references={"scene": scene, "image": render(scene), "prompt": caption},
            group=str(number),
            hints={"caption": truth, "plan": CALL.format(caption=truth)},
        )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="text-to-image",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES},
        load=partial(_load, split),
        metrics=(accuracy_of(PICTURES), attribute_f1_of(PICTURES), fid_use(), clip_score_use()),
        headline="scene_accuracy",
        accepts=frozenset({"text"}),
        produces=frozenset({"image"}),
        slices=number_of_objects,
    )


TEST = _benchmark("toy-text-to-image", "test")
COMPOSITIONAL = _benchmark("toy-text-to-image-compositional", "compositional")
