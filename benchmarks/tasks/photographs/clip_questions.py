"""Questions about clips, one word each; five of each clip.

name: clip-qa
data set: MSVD-QA, a list of ``id``, ``video_id``, ``question`` and ``answer``, whatever their split, and
    ``youtube_mapping.txt``
protocol: exact match of letters, and after the VQA normaliser, as msvd-qa has it; the first five of a clip
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.official import by_id, identity, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.videos.clips import FPS, clip, youtube_clips
from benchmarks.tasks.videos.one_word import TYPES
from benchmarks.tasks.videos.single_answers import exact_uses

PROMPT = "{question} Answer in one word."
OF_A_CLIP = 5
NOTE = (
    "Five questions about each of some ten clips, which were made by a program from the clips' captions: "
    "intervals are wide, and no number compares with a published one."
)


def read(files: Files) -> Iterator[Record | Broken]:
    """The first questions of each clip, in the order of the file."""
    path = files.path("questions")
    clips = youtube_clips(files)
    keyed = ((identity(row, "id", where), (where, row)) for where, row in rows_of(path))
    asked: Counter[str] = Counter()
    for key, (where, row) in by_id(keyed, "question", path).items():
        number, question = identity(row, "video_id", where), text(row, "question", where)
        asked[number] += 1
        if asked[number] > OF_A_CLIP:
            continue
        stem = clips.get(f"vid{number}")
        if stem is None:
            yield Broken(key, f"{files.path('mapping').name}: lists no vid{number}.")
            continue
        first = question.partition(" ")[0].lower()
        references = {"answer": text(row, "answer", where), "type": first if first in TYPES else None}
        yield Record(key, (clip(stem), PROMPT.format(question=question)), references, group=number)


CLIP_QA = published(
    card("clip-qa"),
    read,
    Protocol(
        prompt=PROMPT,
        metrics=exact_uses(),
        slices=slice_by("type"),
        fps=FPS,
        more={"questions of a clip": OF_A_CLIP},
        note=NOTE,
    ),
)
