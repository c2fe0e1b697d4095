"""MSVD-QA: questions made from MSVD's captions, one word each.

name: msvd-qa
data set: ``test_qa.json``, and ``youtube_mapping.txt``, which leads from numbers to clips
protocol: exact match of letters, which classifiers over a vocabulary are judged by, and after the VQA
    normaliser, which is fair to systems that write freely; by the question's first word.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.videos.clips import clip, youtube_clips
from benchmarks.tasks.videos.one_word import question_records
from benchmarks.tasks.videos.single_answers import exact_uses

PROMPT = "{question} Answer in one word."


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the test split; a clip that the mapping does not know breaks its questions."""
    clips = youtube_clips(files)
    for record in question_records(
        files.path("questions"), PROMPT, lambda video: clip(clips.get(f"vid{video}"))
    ):
        if isinstance(record, Record) and not any(medium.names for medium in record.media):
            yield Broken(record.id, f"{files.path('mapping').name}: lists no vid{record.group}.")
        else:
            yield record


MSVD_QA = published(
    card("msvd-qa"), read, Protocol(prompt=PROMPT, metrics=exact_uses(), slices=slice_by("type"))
)
