"""VizWiz: what people who do not see ask about photographs they took.

name: vizwiz
data set: ``val.json``, a list of image, question and ten answers, or the same in VQA v2's pair of files
protocol: open-ended, by VQA accuracy against ten answers, told apart by their place since they have no ids;
    slices "unanswerable", where most people said so, and "answerable".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, Sample
from benchmarks.tasks.images.ten_answers import Row, read_either
from benchmarks.tasks.images.vqa import vqa_uses
from benchmarks.tasks.official import text
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = (
    "{question} Answer in a word or a short phrase; where the picture does not tell, answer unanswerable."
)
UNANSWERABLE = "unanswerable"


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of either form; the official one names a question by its picture."""
    return read_either(files, PROMPT, None, _stem)


def answerable(sample: Sample) -> str:
    """Whether most people found that the picture tells: the most common answer decides."""
    common = Counter(each["answer"] for each in sample.references["annotation"]["answers"]).most_common(1)
    return UNANSWERABLE if common[0][0] == UNANSWERABLE else "answerable"


def _stem(row: Row, where: str) -> str:
    return Path(text(row, "image", where)).stem


VIZWIZ = published(card("vizwiz"), read, Protocol(prompt=PROMPT, metrics=vqa_uses(), slices=answerable))
