"""What MSVD-QA and MSRVTT-QA share: a list of ``id``, ``video_id``, ``question`` and ``answer``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.official import by_id, identity, rows_of, text
from benchmarks.tasks.published import Record
from benchmarks.tasks.stored import Stored

TYPES = ("what", "who", "how", "when", "where")
TEST = "test"


def question_records(path: Path, prompt: str, video: Callable[[str], Stored]) -> Iterator[Record | Broken]:
    """The questions of a file; of one that holds several splits, those of the test split.

    Args:
        path: the file.
        prompt: with ``{question}``.
        video: from a video's number to its clip.

    Raises:
        DataError: cut off or of another kind, or a question twice.
    """
    clip = cache(video)
    rows = ((where, row) for where, row in rows_of(path) if row.get("split", TEST) == TEST)
    keyed = ((identity(row, "id", where), (where, row)) for where, row in rows)
    for key, (where, row) in by_id(keyed, "question", path).items():
        number, question = identity(row, "video_id", where), text(row, "question", where)
        first = question.partition(" ")[0].lower()
        references = {"answer": text(row, "answer", where), "type": first if first in TYPES else None}
        yield Record(key, (clip(number), prompt.format(question=question)), references, group=number)
