"""Clotho captions.

name: clotho
data set: ``clotho_captions_evaluation.csv``: a clip a row, five captions
protocol: one caption for each clip, held against its five. Two of the evaluation clips are cut from
    recordings that the development and validation splits know too (audio-captioning/clotho-dataset, issue 3).
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.official import DataError, by_id, identity, read_csv
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored

PROMPT = "Describe the sound in one sentence."
CAPTIONS = tuple(f"caption_{number}" for number in range(1, 6))


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the file, named by their files, blanks and brackets included.

    Raises:
        DataError: cut off or of another kind, or a clip twice.
    """
    path = files.path("captions")
    head, rows = read_csv(path)
    lacking = [column for column in ("file_name", *CAPTIONS) if column not in head]
    if lacking:
        raise DataError(f"{path}: has no column {', '.join(lacking)}; is this the right file?")
    keyed = ((identity(row, "file_name", where), (where, row)) for where, row in rows)
    for name, (where, row) in by_id(keyed, "clip", path).items():
        captions = tuple(caption for column in CAPTIONS if (caption := row[column].strip()))
        if captions:
            yield Record(name, (Stored("audio", (name,)), PROMPT), {"captions": captions}, group=name)
        else:
            yield Broken(name, f"{where}: {name} has no caption.")


CLOTHO = published(card("clotho"), read, Protocol(prompt=PROMPT, metrics=caption_uses()))
