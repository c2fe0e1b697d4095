"""VQA v2, the whole validation split.

name: vqav2
data set: the official pair of files and the photographs of ``val2014/``
protocol: open-ended; one short answer to each question, by the official accuracy against ten people's
    answers, quirks included; by answer type. Published test-dev figures need the official server.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.vqa import answer_type, vqa_records, vqa_uses
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "{question} Answer in a word or a short phrase."


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the pair of files."""
    return vqa_records(files.path("questions"), files.path("annotations"), PROMPT)


VQAV2 = published(card("vqav2"), read, Protocol(prompt=PROMPT, metrics=vqa_uses(), slices=answer_type))
