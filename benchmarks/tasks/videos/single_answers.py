"""Questions with one right answer each: MSVD-QA, MSRVTT-QA, ActivityNet-QA, and others of their form.

data sets: MSVD-QA and MSRVTT-QA (``id``, ``video_id``, ``question``, ``answer``), ActivityNet-QA's file of
    answers (``question_id``, ``answer``, ``type``); also VQA v2's form where all answers to a question agree
papers: Xu et al., Video Question Answering via Gradually Refined Attention over Appearance and Motion, ACM MM
    2017; Yu et al., ActivityNet-QA, AAAI 2019, arXiv:1906.02467
judged by: equality letter by letter, which classifiers over a vocabulary are judged by; and after the VQA
    normaliser, which is fair to systems that write freely.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import MetricUse
from benchmarks.tasks.images.vqa import Annotation, read_annotations
from benchmarks.tasks.official import (
    DataError,
    by_id,
    identity,
    is_csv,
    read_json,
    reference,
    rows_of,
    said,
    text,
)

if TYPE_CHECKING:
    from metrics.metric import Metric

IDS, ABOUT = ("question_id", "id"), ("video_id", "image_id", "video", "image")
KINDS = ("question_type", "type")


@dataclass(frozen=True)
class AnsweredQuestion:
    """One question's right answer.

    Attributes:
        id: the question's.
        answer: the right one; None where nobody gave any.
        about: what it is about, such as its video; the question itself where the file does not say.
        type: what kind of question it is; None where the file does not say.
    """

    id: str
    answer: str | None
    about: str
    type: str | None


def read_single_answers(path: Path) -> dict[str, AnsweredQuestion]:
    """Read questions by id from a list (JSON, JSON lines or CSV), or from VQA v2's form.

    Raises:
        DataError: cut off or of another kind, a question twice, or answers to one that differ.
    """
    if not is_csv(path) and isinstance(data := read_json(path), dict) and "annotations" in data:
        return {key: _agreed(key, row, path) for key, row in read_annotations(path).items()}
    return by_id(((row.id, row) for row in (_listed(*each) for each in rows_of(path))), "question", path)


def read_single_answer_results(path: Path) -> dict[str, str]:
    """Read predictions, a list (JSON, JSON lines or CSV) of ``question_id`` (or ``id``) and ``answer``.

    Raises:
        DataError: cut off or of another kind, or a question twice.
    """
    rows = ((_key(row, where), text(row, "answer", where)) for where, row in rows_of(path))
    return by_id(rows, "question", path)


def exact_uses() -> tuple[MetricUse, ...]:
    """Exact match as it stands and after normalising, by a sample's ``answer``."""
    names = {"exact_match": False, "exact_match_normalized": True}
    return tuple(
        MetricUse(name, partial(_make, normalize), said, reference("answer"))
        for name, normalize in names.items()
    )


def _listed(where: str, row: Mapping[str, Any]) -> AnsweredQuestion:
    return _described(_key(row, where), text(row, "answer", where), row)


def _described(key: str, answer: str | None, row: Mapping[str, Any]) -> AnsweredQuestion:
    about = next((str(row[name]) for name in ABOUT if row.get(name) not in (None, "")), key)
    kind = next((str(row[name]) for name in KINDS if row.get(name) not in (None, "")), None)
    return AnsweredQuestion(key, answer, about, kind)


def _agreed(key: str, row: Annotation, path: Path) -> AnsweredQuestion:
    given = list(dict.fromkeys(answer["answer"] for answer in row["answers"]))
    if len(given) > 1:
        raise DataError(
            f"{path}: question {key} has different answers, {given[0]!r} and {given[1]!r}; exact match knows "
            "one: score people who disagree by vqa, which needs four answers to a question."
        )
    return _described(key, given[0] if given else None, row)


def _key(row: Mapping[str, Any], where: str) -> str:
    return identity(row, next((name for name in IDS if name in row), IDS[0]), where)


def _make(normalize: bool) -> Metric[Any]:
    from metrics.answers.accuracy import ExactMatch

    return ExactMatch(normalize=normalize)
