"""PartiPrompts: prompts for pictures, from one word to a paragraph.

name: parti-prompts
data set: ``PartiPrompts.tsv``: Prompt, Category, Challenge, Note
protocol: one picture for each prompt, CLIPScore with it, by category. People compared pictures side by side
    in the paper; CLIPScore is what can be computed without them.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.judged import picture_uses
from benchmarks.tasks.official import read_csv, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by

PROMPT = "Draw a picture of this: {prompt}"


def read(files: Files) -> Iterator[Record | Broken]:
    """The prompts, numbered from 1: a few occur twice, under two categories."""
    rows = read_csv(files.path("prompts"), delimiter="\t", quoted=False)[1]
    for number, (where, row) in enumerate(rows, 1):
        prompt = text(row, "Prompt" if "Prompt" in row else "prompt", where)
        references = {"prompt": prompt, "category": row.get("Category") or None}
        yield Record(str(number), (PROMPT.format(prompt=prompt),), references, group=str(number))


PARTI_PROMPTS = published(
    card("parti-prompts"),
    read,
    Protocol(prompt=PROMPT, metrics=picture_uses(reference_set=False), slices=slice_by("category")),
)
