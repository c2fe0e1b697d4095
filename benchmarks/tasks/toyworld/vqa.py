"""Toyworld VQA.

name: toy-vqa, toy-vqa-compositional
data set: toyworld scenes with two questions each, exported as VQA v2 and read by the official reader
licence: CC0 1.0
protocol: open-ended; official VQA accuracy against ten simulated annotators who now and then disagree,
    so that even a system that is always right scores a little under 1. By type of question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.benchmark import Benchmark, Broken, Options, Sample
from benchmarks.tasks.images import vqa
from benchmarks.tasks.toyworld.scenes import LICENCE, SCENES, SOURCE, TestSplit
from toyworld.export import write_vqa
from toyworld.language import describe
from toyworld.splits import scenes

PROMPT = vqa.PROMPT
EACH = 2  # questions about a picture


def question_type(sample: Sample) -> str:
    """The slice of a sample: how its question begins."""
    return str(sample.references["annotation"]["question_type"])


def _load(split: TestSplit, options: Options) -> Iterator[Sample | Broken]:
    chosen = scenes(split, min(SCENES, options.limit or SCENES))
    with TemporaryDirectory(prefix="toyworld-") as folder:
        write_vqa(Path(folder), chosen, each=EACH)
        for sample in vqa.samples(Path(folder)):
            assert isinstance(sample, Sample)  # it was written just now
            scene = chosen[int(sample.group) - 1]  # images are numbered from 1
            answer = sample.references["annotation"]["multiple_choice_answer"]
            yield replace(
                sample,
                references={**sample.references, "scene": scene},
                hints={"caption": describe(scene), "plan": answer},
            )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="vqa",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": SCENES * EACH},
        load=partial(_load, split),
        metrics=vqa.vqa_uses(),
        headline="vqa_accuracy",
        accepts=frozenset({"text", "image"}),
        produces=frozenset({"text"}),
        slices=question_type,
    )


TEST = _benchmark("toy-vqa", "test")
COMPOSITIONAL = _benchmark("toy-vqa-compositional", "compositional")
