"""Captions of photographs that are kept from training.

name: photo-captions
data set: COCO captions, ``captions.json`` and ``images/``; half of them, and all that ``vqa_questions.json``
    asks about
protocol: one caption for each, held against all of its captions, as coco-captions has it
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_records, caption_uses, read_captions
from benchmarks.tasks.official import identity, read_json, records
from benchmarks.tasks.photographs.kept import kept
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "describe the picture."
NOTE = (
    "A few dozen photographs: intervals are wide, and no number compares with a published one. The detector "
    "of words-then-llm was trained on COCO 2017's training pictures, of which these are, so its numbers are "
    "inflated; the classifier, whose grid nextgpt-photo sees, was trained on ImageNet."
)


def read(files: Files) -> Iterator[Record | Broken]:
    """The photographs that have captions and are kept back, in the order of the file."""
    captions = files.path("captions")
    captioned = {image.id for image in read_captions(captions).values() if image.captions}
    path = files.optional("questions")
    rows = () if path is None else records(read_json(path), "questions", path)
    asked = {identity(row, "image_id", f"{path}: record {k}") for k, row in enumerate(rows)}
    for record in kept(caption_records(captions, PROMPT), asked):
        if record.id in captioned:
            yield record


PHOTO_CAPTIONS = published(
    card("photo-captions"), read, Protocol(prompt=PROMPT, metrics=caption_uses(), note=NOTE)
)
