"""Toyworld captioning of sounds.

name: toy-audio-captioning, toy-audio-captioning-compositional
data set: toyworld sounds with five captions each, as its export in AudioCaps' format holds them
licence: CC0 1.0
protocol: one caption for each sound, two seconds at 16 kHz. Attribute F1 and exact sounds, as the parser
    reads the caption, beside the usual caption metrics, for which a right answer in other words costs points.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.images import coco
from benchmarks.tasks.toyworld.captioning import METRICS
from benchmarks.tasks.toyworld.readings import SOUND_TEXTS
from benchmarks.tasks.toyworld.scenes import (
    LICENCE,
    SCENES,
    SOURCE,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
    number_of_events,
)
from nextgpt.messages import Request, user
from toyworld.sounds.language import captions, describe
from toyworld.sounds.render import render
from toyworld.splits import sounds

PROMPT = "describe the sound."


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, sound in enumerate(sounds(split, SCENES), start=1):
        truth = describe(sound)
        yield Sample(
            id=str(number),
            request=Request((user(render(sound), PROMPT),), wanted=frozenset({"text"})),
            references={
                "sound": sound,
                "captions": captions(sound, random.Random(f"captions-0-{sound.key}")),
            },
            group=str(number),
            hints={"caption": truth, "plan": truth},
        )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="audio-captioning",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES},
        load=partial(_load, split),
        metrics=(
            attribute_f1_of(SOUND_TEXTS),
            accuracy_of(SOUND_TEXTS),
            *(use for use in coco.caption_uses() if use.name in METRICS),
        ),
        headline="attribute_f1",
        accepts=frozenset({"text", "audio"}),
        produces=frozenset({"text"}),
        slices=number_of_events,
    )


TEST = _benchmark("toy-audio-captioning", "test")
COMPOSITIONAL = _benchmark("toy-audio-captioning-compositional", "compositional")
