"""MSRVTT-QA: questions made from MSR-VTT's captions, one word each.

name: msrvtt-qa
data set: ``test_qa.json``; its video 7010 is ``video7010.mp4``
protocol: as MSVD-QA's.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.videos.clips import FPS, clip
from benchmarks.tasks.videos.one_word import question_records
from benchmarks.tasks.videos.single_answers import exact_uses

PROMPT = "{question} Answer in one word."


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the file."""
    return question_records(files.path("questions"), PROMPT, lambda video: clip(f"video{video}"))


MSRVTT_QA = published(
    card("msrvtt-qa"),
    read,
    Protocol(prompt=PROMPT, metrics=exact_uses(), slices=slice_by("type"), fps=FPS),
)
