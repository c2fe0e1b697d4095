"""Toyworld text to video.

name: toy-text-to-video, toy-text-to-video-compositional
data set: toyworld clips, one of the five captions of each
licence: CC0 1.0
protocol: one clip for each caption, seed from the sample's id. Exact clips (every thing, deed, direction,
    speed and turn) and attribute F1, as the oracle reads nine frames of the clip, evenly spread. FVD's
    distance and CLIPSIM over toyworld's own network, which no judged system contains.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.harness.benchmark import Options, Sample
from benchmarks.tasks.toyworld.kinds import both
from benchmarks.tasks.toyworld.media_extractors import clip_uses
from benchmarks.tasks.toyworld.readings import CLIPS
from benchmarks.tasks.toyworld.scenes import (
    SCENES,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
    number_of_deeds,
)
from nextgpt.messages import Request, user
from toyworld.clips.language import captions, describe
from toyworld.clips.render import render
from toyworld.kinds import call
from toyworld.splits import clips

PROMPT = "film a clip in which {caption}."
# The second caption says itself that it is of a clip; the prompt does.
_SAID = "a clip in which "


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, clip in enumerate(clips(split, SCENES), start=1):
        rng = random.Random(f"text-to-video-{clip.key}")
        caption = rng.choice(captions(clip, rng)).removeprefix(_SAID)
        yield Sample(
            id=str(number),
            request=Request((user(PROMPT.format(caption=caption)),), wanted=frozenset({"video"})),
            references={"clip": clip, "video": render(clip), "prompt": caption},
            group=str(number),
            hints={"caption": describe(clip), "plan": call(clip)},
        )


TEST, COMPOSITIONAL = both(
    "toy-text-to-video",
    "text-to-video",
    PROMPT,
    _load,
    (accuracy_of(CLIPS), attribute_f1_of(CLIPS), *clip_uses()),
    accepts=frozenset({"text"}),
    produces=frozenset({"video"}),
    slices=number_of_deeds,
)
