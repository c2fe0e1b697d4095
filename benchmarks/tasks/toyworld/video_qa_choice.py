"""Toyworld video QA, multiple choice.

name: toy-video-qa-choice, toy-video-qa-choice-compositional
data set: toyworld clips with two questions of five options each, as its export in NExT-QA's format holds them
licence: CC0 1.0
protocol: question and options in, a reply out that names an option by its letter or its text. Share of right
    options; a reply that chooses none is wrong, and the share of such replies stands beside. By NExT-QA's
    types.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.lettered import LETTERS, lettered
from benchmarks.tasks.toyworld.scenes import LICENCE, SCENES, SOURCE, TestSplit
from benchmarks.tasks.toyworld.video_qa import EACH, question_type
from benchmarks.tasks.videos.next_qa import TYPES, choice_uses
from metrics.answers.choices import Choice
from nextgpt.messages import Request, user
from toyworld.clips.language import describe
from toyworld.clips.questions import choices
from toyworld.clips.render import render
from toyworld.splits import clips

PROMPT = "{question}\n{options}\nanswer with the letter of the right option."


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, clip in enumerate(clips(split, SCENES), start=1):
        video = render(clip)
        asked = choices(clip, random.Random(f"choices-0-{clip.key}"), EACH)
        for k, choice in enumerate(asked, start=1):
            said = user(video, PROMPT.format(question=choice.text, options=lettered(choice.options)))
            yield Sample(
                id=f"{number}-{k}",
                request=Request((said,), wanted=frozenset({"text"})),
                references={
                    "choice": Choice(choice.options, choice.answer),
                    "type": TYPES[choice.kind],
                    "clip": clip,
                },
                group=str(number),
                hints={"caption": describe(clip), "plan": LETTERS[choice.answer]},
            )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="video-qa",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES * EACH},
        load=partial(_load, split),
        metrics=choice_uses(),
        headline="choice_accuracy",
        accepts=frozenset({"text", "video"}),
        produces=frozenset({"text"}),
        slices=question_type,
    )


TEST = _benchmark("toy-video-qa-choice", "test")
COMPOSITIONAL = _benchmark("toy-video-qa-choice-compositional", "compositional")
