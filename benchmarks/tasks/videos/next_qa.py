"""NExT-QA, multiple choice: the official files, and how replies to them are judged.

name: next-qa
data set: NExT-QA, ``val.csv`` or ``test.csv`` of its multiple-choice task; 5 options, A to E
licence: MIT
paper: Xiao et al., NExT-QA: Next Phase of Question-Answering to Explaining Temporal Actions, CVPR 2021,
    arXiv:2105.08276
judged by: share of right options, by type of question as the official script groups them ("previous" with
    "next"); a reply that chooses no option is wrong, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse, Sample
from benchmarks.tasks.lettered import lettered
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
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.videos.clips import FPS, clip, vidor_paths

if TYPE_CHECKING:
    from metrics.metric import Metric

PROMPT = "{question}?\n{options}\nAnswer with the letter of the right option."
OPTIONS = ("a0", "a1", "a2", "a3", "a4")
LETTERS = "ABCDE"
TYPES = {
    "CW": "causal: why",
    "CH": "causal: how",
    "TN": "temporal: before and after",
    "TP": "temporal: before and after",
    "TC": "temporal: when",
    "DC": "descriptive: count",
    "DL": "descriptive: location",
    "DO": "descriptive: other",
}
"""What the types of questions stand for."""


@dataclass(frozen=True)
class ChoiceQuestion:
    """One question about a video.

    Attributes:
        id: ``<video>_<question>``, as the official results name it.
        video: the video's id.
        question: as it is asked.
        options: the texts, A first.
        answer: the right one's place, from 0.
        type: a value of `TYPES`.
    """

    id: str
    video: str
    question: str
    options: tuple[str, ...]
    answer: int
    type: str


def read_next_qa(path: Path) -> dict[str, ChoiceQuestion]:
    """Read an official file of questions by id.

    Raises:
        DataError: no such file, of another kind, a question twice, an unknown type or right option.
    """
    return by_id(((row.id, row) for row in (_question(*each) for each in rows_of(path))), "question", path)


def read_next_qa_results(path: Path) -> dict[str, str]:
    """Read predictions as replies by question: a place, from 0, is the reply of its letter.

    The official form is ``{"4010069381_6": {"prediction": 2, "answer": 0}}``; read too are
    ``{"4010069381_6": "C"}`` and a list (JSON, JSON lines or CSV) of ``question_id`` and ``answer``, which
    in CSV is always a reply.

    Raises:
        DataError: cut off or of another kind, a question twice, or a prediction that is no option.
    """
    if not is_csv(path) and isinstance(data := read_json(path), dict):
        return {key: _reply(value, f"{path}: {key}") for key, value in data.items()}
    rows = ((identity(row, "question_id", where), row, where) for where, row in rows_of(path))
    return by_id(((key, _reply(row.get("answer"), where)) for key, row, where in rows), "question", path)


def choice_uses() -> tuple[MetricUse, ...]:
    """Accuracy, and the share of replies that choose nothing, by a sample's ``choice``."""
    choice = reference("choice")
    return (
        MetricUse("choice_accuracy", partial(_make, "accuracy"), said, choice),
        MetricUse("choice_unparsed", partial(_make, "unparsed"), said, choice, failure="left-out"),
    )


def _question(where: str, row: Mapping[str, Any]) -> ChoiceQuestion:
    video, number = identity(row, "video", where), identity(row, "qid", where)
    kind, answer = row.get("type"), str(row.get("answer"))
    if kind not in TYPES:
        raise DataError(f"{where} is of type {kind!r:.60}; there are {', '.join(TYPES)}.")
    if answer not in map(str, range(len(OPTIONS))):
        raise DataError(f"{where} has the answer {answer:.60}; give the right option's place, 0 to 4.")
    options = tuple(text(row, option, where) for option in OPTIONS)
    return ChoiceQuestion(
        f"{video}_{number}", video, text(row, "question", where), options, int(answer), TYPES[kind]
    )


def _reply(value: Any, where: str) -> str:
    found = value.get("prediction") if isinstance(value, dict) else value
    if isinstance(found, str):
        return found
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(LETTERS):
        return LETTERS[found]
    raise DataError(f"{where} is answered by {found!r:.60}; give an option's place, 0 to 4, or a reply.")


def _make(what: str) -> Metric[Any]:
    from metrics.answers.choices import ChoiceAccuracy, ChoiceUnparsed

    return ChoiceAccuracy() if what == "accuracy" else ChoiceUnparsed()


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the file, each with its clip, wherever in VidOR's folders it lies."""
    from metrics.answers.choices import Choice

    paths = vidor_paths(files)
    for row in read_next_qa(files.path("questions")).values():
        asked = PROMPT.format(question=row.question, options=lettered(row.options))
        references = {"choice": Choice(row.options, row.answer), "type": row.type}
        video = clip(row.video, paths.get(row.video))
        yield Record(row.id, (video, asked), references, group=row.video)


def broad_type(sample: Sample) -> str:
    """Causal, temporal or descriptive: the three rows of the paper's table."""
    return str(sample.references["type"]).partition(":")[0]


NEXT_QA = published(
    card("next-qa"),
    read,
    Protocol(prompt=PROMPT, metrics=choice_uses(), slices=broad_type, fps=FPS),
)
