"""GenEval's prompts: objects, counts, colours, positions.

name: geneval
data set: ``evaluation_metadata.jsonl``: a prompt a line, its tag, and what must be seen
protocol: one picture for each prompt (the paper makes four), CLIPScore with it, by tag. GenEval's own score
    needs its detectors, which are not run here; what they saw is scored by ``nextgpt-bench score geneval``.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.judged import picture_uses
from benchmarks.tasks.official import rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by

PROMPT = "Draw {prompt}."


def read(files: Files) -> Iterator[Record | Broken]:
    """The prompts, numbered from 0 as GenEval's folders are."""
    for number, (where, row) in enumerate(rows_of(files.path("prompts"))):
        prompt = text(row, "prompt", where)
        references = {"prompt": prompt, "tag": text(row, "tag", where), "include": row.get("include", [])}
        yield Record(f"{number:05}", (PROMPT.format(prompt=prompt),), references, group=f"{number:05}")


GENEVAL = published(
    card("geneval"),
    read,
    Protocol(prompt=PROMPT, metrics=picture_uses(reference_set=False), slices=slice_by("tag")),
)
