"""Captions of clips, none of which anything here was trained on.

name: clip-captions
data set: MSVD, a list of ``vid``, ``file`` and ``captions``, whatever split its clips are of
protocol: one caption for each clip, held against all of its own, as msvd has it
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.official import identity, rows_of
from benchmarks.tasks.photographs.kept import texts
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.videos.clips import FPS
from benchmarks.tasks.videos.clips import clip as stored

PROMPT = "Describe the video in one sentence."
NOTE = (
    "About ten clips: intervals are wide, and no number compares with a published one. The detector of "
    "words-then-llm learnt from COCO 2017's pictures; nextgpt-photo learnt from photographs, and sees a clip "
    "as the mean of its frames."
)


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips, in the order of the file."""
    for where, row in rows_of(files.path("captions")):
        key, name = identity(row, "vid", where), identity(row, "file", where)
        captions = texts(row, "captions", where)
        said = (stored(name.rpartition(".")[0] or name), PROMPT)
        yield Record(key, said, {"captions": captions}, group=key)


CLIP_CAPTIONS = published(
    card("clip-captions"), read, Protocol(prompt=PROMPT, metrics=caption_uses(), fps=FPS, note=NOTE)
)
