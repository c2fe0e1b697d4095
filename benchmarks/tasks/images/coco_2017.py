"""COCO captions, validation 2017.

name: coco-2017
data set: ``captions_val2017.json`` and the photographs of ``val2017/``
protocol: one caption for each image, held against all of its captions.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_records, caption_uses
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "Describe the picture in one sentence."


def read(files: Files) -> Iterator[Record | Broken]:
    """The images of the file."""
    return caption_records(files.path("captions"), PROMPT)


COCO_2017 = published(card("coco-2017"), read, Protocol(prompt=PROMPT, metrics=caption_uses()))
