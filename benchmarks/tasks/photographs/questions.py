"""Questions about photographs, all of which are kept from training.

name: photo-vqa
data set: VQA v2, ``vqa_questions.json``, ``vqa_annotations.json`` and ``images/``
protocol: as coco-vqa
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.vqa import answer_type, vqa_records, vqa_uses
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "{question}"
NOTE = (
    "A few dozen questions: always saying no is hard to beat, and no number compares with a published one. "
    "The detector of words-then-llm was trained on COCO 2017's training pictures, of which these are."
)


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions, in the order of the file."""
    return vqa_records(files.path("questions"), files.path("annotations"), PROMPT)


PHOTO_VQA = published(
    card("photo-vqa"), read, Protocol(prompt=PROMPT, metrics=vqa_uses(), slices=answer_type, note=NOTE)
)
