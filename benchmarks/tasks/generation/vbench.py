"""VBench's prompts for clips.

name: vbench
data set: ``VBench_full_info.json``: prompts, each with the dimensions that it is for
protocol: one clip for each prompt (VBench makes five), CLIPSIM with it, by first dimension. VBench's own
    sixteen scores need ten networks; what its code wrote can be scored by ``nextgpt-bench score``.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.judged import clip_uses
from benchmarks.tasks.official import DataError, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by

PROMPT = "Make a video of this: {prompt}"


def read(files: Files) -> Iterator[Record | Broken]:
    """The prompts, numbered from 1.

    Raises:
        DataError: cut off, of another kind, or a prompt without a dimension.
    """
    for number, (where, row) in enumerate(rows_of(files.path("prompts")), 1):
        prompt, dimensions = text(row, "prompt_en", where), row.get("dimension")
        if not isinstance(dimensions, list) or not dimensions:
            raise DataError(f"{where} names no dimension; is this the right file?")
        references = {"prompt": prompt, "dimension": str(dimensions[0]), "dimensions": dimensions}
        yield Record(str(number), (PROMPT.format(prompt=prompt),), references, group=str(number))


VBENCH = published(
    card("vbench"),
    read,
    Protocol(prompt=PROMPT, metrics=clip_uses(reference_set=False), slices=slice_by("dimension")),
)
