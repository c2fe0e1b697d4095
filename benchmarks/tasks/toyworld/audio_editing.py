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

import random
from collections.abc import Iterator
from functools import partial
from itertools import islice

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.editing import kind_of_edit
from benchmarks.tasks.toyworld.readings import SOUNDS
from benchmarks.tasks.toyworld.scenes import (
    LICENCE,
    SCENES,
    SOURCE,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
)
from nextgpt.messages import Request, user
from toyworld.kinds import call
from toyworld.sounds.instructions import SoundEdit, instruct
from toyworld.sounds.language import describe
from toyworld.sounds.render import render
from toyworld.sounds.sound import Sound
from toyworld.splits import sounds

PROMPT = "{instruction}."


def _edits(split: TestSplit) -> Iterator[tuple[Sound, SoundEdit]]:
    """Sounds with an instruction; the few that have none are passed over."""
    for sound in sounds(split, SCENES + SCENES // 10):
        edit = instruct(sound, random.Random(f"editing-{sound.key}"), seen=split == "test")
        if edit is not None:
            yield sound, edit


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, (sound, edit) in enumerate(islice(_edits(split), SCENES), start=1):
        said = user(render(sound), PROMPT.format(instruction=edit.text))
        yield Sample(
            id=str(number),
            request=Request((said,), wanted=frozenset({"audio"})),
            references={
                "sound": edit.target,
                "audio": render(edit.target),
                "prompt": edit.text,
                "kind": edit.kind,
            },
            group=str(number),
            hints={"caption": describe(sound), "plan": call(edit.target)},
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
        metrics=(accuracy_of(SOUNDS), attribute_f1_of(SOUNDS)),
        headline="sound_accuracy",
        accepts=frozenset({"text", "audio"}),
        produces=frozenset({"audio"}),
        slices=kind_of_edit,
    )


TEST = _benchmark("toy-audio-editing", "test")
COMPOSITIONAL = _benchmark("toy-audio-editing-compositional", "compositional")
