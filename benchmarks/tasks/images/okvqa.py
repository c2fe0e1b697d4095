"""OK-VQA: questions whose answers are not in the picture.

name: okvqa
data set: OK-VQA's pair of files, in VQA v2's form, and the photographs of ``val2014/``
protocol: open-ended, by VQA accuracy against ten answers (five people's, each twice); by category of
    knowledge, which the file calls ``question_type``.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, Sample
from benchmarks.tasks.images.vqa import vqa_records, vqa_uses
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "{question} Answer in a word or a short phrase."
CATEGORIES = {
    "one": "vehicles and transportation",
    "two": "brands, companies and products",
    "three": "objects, material and clothing",
    "four": "sports and recreation",
    "five": "cooking and food",
    "six": "geography, history, language and culture",
    "seven": "people and everyday life",
    "eight": "plants and animals",
    "nine": "science and technology",
    "ten": "weather and climate",
    "other": "other",
}


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the pair of files."""
    return vqa_records(files.path("questions"), files.path("annotations"), PROMPT)


def category(sample: Sample) -> str | None:
    """The category of knowledge; the number's own word where the file knows another one."""
    kind = sample.references["annotation"].get("question_type")
    return None if kind is None else CATEGORIES.get(str(kind), str(kind))


OKVQA = published(card("okvqa"), read, Protocol(prompt=PROMPT, metrics=vqa_uses(), slices=category))
