"""Toyworld captioning.

name: toy-captioning, toy-captioning-compositional
data set: toyworld scenes, exported as COCO captions (five a picture) and read by the official reader
licence: CC0 1.0
protocol: one caption for each picture. Attribute F1 and exact scenes, as the parser reads the caption,
    beside the usual caption metrics, for which a right answer in other words costs points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.benchmark import Broken, MetricUse, Options, Sample
from benchmarks.tasks.images import coco
from benchmarks.tasks.toyworld.kinds import both
from benchmarks.tasks.toyworld.readings import TEXTS, Reader
from benchmarks.tasks.toyworld.scenes import (
    SCENES,
    TestSplit,
    accuracy_of,
    attribute_f1_of,
    number_of_objects,
)
from toyworld.export import write_captions
from toyworld.language import describe
from toyworld.splits import scenes

PROMPT = coco.PROMPT
METRICS = ("cider_d", "bleu_4", "meteor", "rouge_l")


def _load(split: TestSplit, options: Options) -> Iterator[Sample | Broken]:
    chosen = scenes(split, min(SCENES, options.limit or SCENES))
    with TemporaryDirectory(prefix="toyworld-") as folder:
        write_captions(Path(folder), chosen)
        for sample, scene in zip(coco.samples(Path(folder)), chosen, strict=True):
            assert isinstance(sample, Sample)  # it was written just now
            truth = describe(scene)
            yield replace(
                sample,
                references={**sample.references, "scene": scene},
                hints={"caption": truth, "plan": truth},
            )


def caption_metrics(reader: Reader) -> tuple[MetricUse, ...]:
    """What captions of a kind are judged by: as the parser reads them, and by the usual metrics."""
    usual = (use for use in coco.caption_uses() if use.name in METRICS)
    return (attribute_f1_of(reader), accuracy_of(reader), *usual)


TEST, COMPOSITIONAL = both(
    "toy-captioning",
    "image-captioning",
    PROMPT,
    _load,
    caption_metrics(TEXTS),
    accepts=frozenset({"text", "image"}),
    produces=frozenset({"text"}),
    slices=number_of_objects,
)
