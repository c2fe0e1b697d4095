"""Toyworld video QA, open-ended.

name: toy-video-qa, toy-video-qa-compositional
data set: toyworld clips with two questions each, as its export in MSRVTT-QA's format holds them
licence: CC0 1.0
protocol: one short answer for each question; equality with the one right answer, letter by letter and after
    the VQA normaliser. By type of question.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.scenes import LICENCE, SCENES, SOURCE, TestSplit
from benchmarks.tasks.videos.single_answers import exact_uses
from nextgpt.messages import Request, user
from toyworld.clips.language import describe
from toyworld.clips.questions import questions
from toyworld.clips.render import render
from toyworld.splits import clips

PROMPT = "{question}"
EACH = 2  # questions about a clip


def question_type(sample: Sample) -> str:
    """The slice of a sample: how its question begins."""
    return str(sample.references["type"])


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, clip in enumerate(clips(split, SCENES), start=1):
        video = render(clip)
        asked = questions(clip, random.Random(f"questions-0-{clip.key}"), EACH)
        for k, question in enumerate(asked, start=1):
            said = user(video, PROMPT.format(question=question.text))
            yield Sample(
                id=f"{number}-{k}",
                request=Request((said,), wanted=frozenset({"text"})),
                references={"answer": question.answer, "type": question.question_type, "clip": clip},
                group=str(number),
                hints={"caption": describe(clip), "plan": question.answer},
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
        metrics=exact_uses()[::-1],
        headline="exact_match_normalized",
        accepts=frozenset({"text", "video"}),
        produces=frozenset({"text"}),
        slices=question_type,
    )


TEST = _benchmark("toy-video-qa", "test")
COMPOSITIONAL = _benchmark("toy-video-qa-compositional", "compositional")
