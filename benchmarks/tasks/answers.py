"""A file of answers that another program wrote: ours or a data set's official form, told by its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.predictions import Prediction, read_predictions
from benchmarks.tasks.official import (
    DataError,
    by_id,
    holds_predictions,
    identity,
    is_csv,
    read_csv,
    read_json,
    rows_of,
    text,
)
from benchmarks.tasks.videos.next_qa import read_next_qa_results
from nextgpt.messages import Failure, Message, assistant

# What COCO, VQA, GQA, MSVD-QA, MMBench, AudioCaps and VizWiz call the id of what is answered, and the answer.
IDS = ("question_id", "questionId", "image_id", "video_id", "index", "id", "file_name", "image")
ANSWERS = ("answer", "caption", "prediction", "text")


class StoredAnswers(Mapping[str, Message | Failure]):
    """Answers by sample id, whose media are opened when one is looked at and not kept."""

    def __init__(self, predictions: Iterable[Prediction]) -> None:
        self._predictions = {prediction.sample: prediction for prediction in predictions}

    def __getitem__(self, sample: str) -> Message | Failure:
        return self._predictions[sample].answer

    def __iter__(self) -> Iterator[str]:
        return iter(self._predictions)

    def __len__(self) -> int:
        return len(self._predictions)


def read_answers(path: Path) -> Mapping[str, Message | Failure]:
    """Answers by sample id, from our ``predictions.jsonl``, or a data set's official results.

    These are a list (JSON, JSON lines, CSV or TSV) of records with an id and an answer, each under one of the
    names that data sets give it (`IDS`, `ANSWERS`), or an object from ids to answers, as NExT-QA's.

    Raises:
        DataError: the file is missing, cut off, or of no known format, or answers a sample twice.
        RecordError: a line of a ``.jsonl`` file is no prediction.
    """
    if holds_predictions(path):
        return StoredAnswers(read_predictions(path))
    if path.name.lower().endswith((".tsv", ".tsv.gz")):
        rows: Sequence[tuple[str, Mapping[str, Any]]] = read_csv(path, delimiter="\t")[1]
    elif is_csv(path) or not isinstance(data := read_json(path), dict):
        rows = rows_of(path)
    elif (key := _named(data, IDS)) is not None and (answer := _named(data, ANSWERS)) is not None:
        return {_identity(key, data, str(path)): assistant(text(data, answer, str(path)))}  # a single line
    else:
        return {name: assistant(reply) for name, reply in read_next_qa_results(path).items()}
    key, answer = (_named(rows[0][1], names) if rows else None for names in (IDS, ANSWERS))
    if key is None or answer is None:
        raise DataError(
            f"{path}: no results of a known form; give an id under one of {', '.join(IDS)}, and an answer "
            f"under one of {', '.join(ANSWERS)}; our own predictions end in .jsonl."
        )
    found = ((_identity(key, row, where), text(row, answer, where)) for where, row in rows)
    return {sample: assistant(said) for sample, said in by_id(found, "sample", path).items()}


def _named(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first of some names that a record has."""
    return next((name for name in names if name in row), None)


def _identity(key: str, row: Mapping[str, Any], where: str) -> str:
    """A sample's id; where a picture names it, as in VizWiz, without the ending of its file."""
    found = identity(row, key, where)
    return Path(found).stem if key == "image" else found
