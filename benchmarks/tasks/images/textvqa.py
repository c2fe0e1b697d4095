"""TextVQA: questions that are answered by reading what is written in the picture.

name: textvqa
data set: ``TextVQA_0.5.1_val.json``, or the same in VQA v2's pair of files; the photographs of
    ``train_images/``, which holds those of the validation split too
protocol: open-ended, by VQA accuracy against ten answers; no text is given beside the picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.ten_answers import read_either
from benchmarks.tasks.images.vqa import vqa_uses
from benchmarks.tasks.official import identity
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "{question} Answer in a word or a short phrase."


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of either form."""
    return read_either(files, PROMPT, "data", lambda row, where: identity(row, "question_id", where))


TEXTVQA = published(card("textvqa"), read, Protocol(prompt=PROMPT, metrics=vqa_uses()))
