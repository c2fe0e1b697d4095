"""What VizWiz and TextVQA share: a list of questions with their answers, or VQA v2's pair of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.vqa import picture_of, vqa_records
from benchmarks.tasks.official import DataError, by_id, identity, read_json, records, text
from benchmarks.tasks.published import Files, Record

Row = Mapping[str, Any]


def read_either(
    files: Files, prompt: str, key: str | None, named: Callable[[Row, str], str]
) -> Iterator[Record | Broken]:
    """Records of a data set's own list, or of VQA v2's pair of files where the annotations have that form.

    Args:
        files: with ``annotations``, and ``questions`` for the pair.
        prompt: with ``{question}``.
        key: under which the own form holds its list; None for a list.
        named: a record's own id.

    Raises:
        DataError: a file is missing, cut off or of another kind, or asks something twice.
    """
    path = files.path("annotations")
    data = read_json(path)
    if isinstance(data, dict) and "annotations" in data:
        yield from vqa_records(files.path("questions"), path, prompt)
        return
    rows = ((row, f"{path}: record {k}") for k, row in enumerate(records(data, key, path)))
    for found, (row, where) in by_id(((named(*each), each) for each in rows), "question", path).items():
        yield _record(found, row, where, prompt, path)


def _record(key: str, row: Row, where: str, prompt: str, path: Path) -> Record | Broken:
    image = identity(row, "image" if "image" in row else "image_id", where)
    answers = _answers(row, where)
    if not answers:
        return Broken(key, f"{path.name}: question {key} has no answers.")
    annotation = {"question_id": key, "image_id": image, "answers": answers}
    annotation |= {name: row[name] for name in ("answer_type", "answerable") if name in row}
    said = (picture_of(image), prompt.format(question=text(row, "question", where)))
    return Record(key, said, {"annotation": annotation}, group=image)


def _answers(row: Row, where: str) -> list[dict[str, Any]]:
    """Answers as VQA v2 has them: from texts, or from objects of ``answer``."""
    given = row.get("answers", [])
    if not isinstance(given, list):
        raise DataError(f"{where} has no list of answers but {given!r:.60}; is this an annotation file?")
    return [
        dict(answer)
        if isinstance(answer, dict) and text(answer, "answer", where) is not None
        else {"answer": text({"answer": answer}, "answer", where), "answer_id": k}
        for k, answer in enumerate(given, 1)
    ]
