"""GQA: compositional questions, one right answer each.

name: gqa
data set: ``testdev_balanced_questions.json``, an object from question ids to questions
protocol: exact match, as published by letters and after the VQA normaliser, which is fair to systems that
    write freely; by structural type. Consistency, validity and plausibility need more files and are not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.official import DataError, identity, read_json, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.stored import Stored
from benchmarks.tasks.videos.single_answers import exact_uses

PROMPT = "{question} Answer in a word or a short phrase."


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the file.

    Raises:
        DataError: cut off, of another kind, or a question without text.
    """
    path = files.path("questions")
    data = read_json(path)
    if not isinstance(data, dict):
        raise DataError(f"{path}: holds no object from question ids to questions; is this the right file?")
    for key, row in data.items():
        where = f"{path}: question {key}"
        if not isinstance(row, dict):
            raise DataError(f"{where} is no object but {row!r:.60}.")
        image = identity(row, "imageId", where)
        types = row.get("types")
        kind = types.get("structural") if isinstance(types, dict) else None
        if row.get("answer") is None:
            yield Broken(key, f"{path.name}: question {key} has no answer, as in the test splits.")
            continue
        said = (Stored("image", (f"{image}.jpg",)), PROMPT.format(question=text(row, "question", where)))
        yield Record(key, said, {"answer": text(row, "answer", where), "type": kind}, group=image)


GQA = published(card("gqa"), read, Protocol(prompt=PROMPT, metrics=exact_uses(), slices=slice_by("type")))
