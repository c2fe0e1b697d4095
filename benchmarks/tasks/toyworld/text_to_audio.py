"""Toyworld text to audio.

name: toy-text-to-audio, toy-text-to-audio-compositional
data set: toyworld sounds, one of the five captions of each
licence: CC0 1.0
protocol: one sound for each caption, seed from the sample's id; sounds of one event are so few in the test
    split that all five captions of each are asked for, as one group. Exact sounds (every instrument, pitch,
    loudness and repeat, in order) and attribute F1, as the oracle hears the first two seconds. FAD, KAD,
    KL and CLAP score over toyworld's own network, which no judged system contains.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from benchmarks.harness.benchmark import Options, Sample
from benchmarks.tasks.toyworld.kinds import both
from benchmarks.tasks.toyworld.media_extractors import sound_uses
from benchmarks.tasks.toyworld.readings import SOUNDS
from benchmarks.tasks.toyworld.scenes import (
    SCENES,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
    number_of_events,
)
from nextgpt.messages import Request, user
from toyworld.kinds import call
from toyworld.sounds.language import captions, describe
from toyworld.sounds.render import render
from toyworld.sounds.sound import Sound
from toyworld.splits import sounds

PROMPT = "play {caption}."
# The second caption says what is heard; the prompt asks for it.
_SAID = "you hear "


def _captioned(split: TestSplit) -> Iterator[tuple[Sound, str]]:
    for sound in sounds(split, SCENES):
        rng = random.Random(f"text-to-audio-{sound.key}")
        said = captions(sound, rng)
        for caption in said if len(sound.events) == 1 else (rng.choice(said),):
            yield sound, caption.removeprefix(_SAID)


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, (sound, caption) in enumerate(islice(_captioned(split), SCENES), start=1):
        yield Sample(
            id=str(number),
            request=Request((user(PROMPT.format(caption=caption)),), wanted=frozenset({"audio"})),
            references={"sound": sound, "audio": render(sound), "prompt": caption},
            group=sound.key,
            hints={"caption": describe(sound), "plan": call(sound)},
        )


TEST, COMPOSITIONAL = both(
    "toy-text-to-audio",
    "text-to-audio",
    PROMPT,
    _load,
    (accuracy_of(SOUNDS), attribute_f1_of(SOUNDS), *sound_uses()),
    accepts=frozenset({"text"}),
    produces=frozenset({"audio"}),
    slices=number_of_events,
)
