"""POPE: the official files, and how answers are judged.

name: pope
data set: POPE, such as ``coco_pope_random.json``: a question a line, about an object that is or isn't there
licence: MIT
paper: Li et al., Evaluating Object Hallucination in Large Vision-Language Models, EMNLP 2023,
    arXiv:2305.10355
judged by: accuracy, precision, recall, F1 and the share of yes, replies read as the official script reads
    them; beside these, the share of replies that hold neither yes nor no, which that script counts as yes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse
from benchmarks.tasks.official import DataError, by_id, identity, reference, rows_of, said, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.stored import Stored

if TYPE_CHECKING:
    from metrics.metric import Metric

PROMPT = "{question} Answer yes or no."
SETTINGS = ("random", "popular", "adversarial")
LABELS = ("yes", "no")


@dataclass(frozen=True)
class PolledQuestion:
    """One question about a picture.

    Attributes:
        id: the question's.
        image: the picture's file name.
        question: as it is asked.
        label: ``yes`` or ``no``.
    """

    id: str
    image: str
    question: str
    label: str


def read_pope(path: Path) -> dict[str, PolledQuestion]:
    """Read an official file of questions by id.

    Raises:
        DataError: no such file, of another kind, a question twice, or a label but yes and no.
    """
    return by_id(((row.id, row) for row in (_question(*each) for each in rows_of(path))), "question", path)


def read_pope_results(path: Path) -> dict[str, str]:
    """Read answers by question: records of ``answer`` (or ``text``) with a ``question_id``.

    The official form has no ids: its answers stand in the order of the questions, which count from 1.

    Raises:
        DataError: no such file, of another kind, a question twice, or ids for some of the answers alone.
    """
    rows = rows_of(path)
    without = [where for where, row in rows if "question_id" not in row]
    if without and len(without) < len(rows):
        raise DataError(f"{without[0]} has no question_id, though others have; give one to all or to none.")
    answers = (
        (str(k) if without else identity(row, "question_id", where), _answer(row, where))
        for k, (where, row) in enumerate(rows, 1)
    )
    return by_id(answers, "question", path)


def pope_uses() -> tuple[MetricUse, ...]:
    """POPE's measures of an answer's text by a sample's ``label``.

    A missing answer is wrong. It is neither a yes nor a no, so that the others leave it out.
    """
    label = reference("label")
    others = ("pope_f1", "pope_precision", "pope_recall", "pope_yes_ratio", "pope_unparsed")
    return (
        MetricUse("pope_accuracy", partial(_make, "pope_accuracy"), said, label),
        *(MetricUse(name, partial(_make, name), said, label, failure="left-out") for name in others),
    )


def _question(where: str, row: Mapping[str, Any]) -> PolledQuestion:
    label = text(row, "label", where)
    if label not in LABELS:
        raise DataError(f"{where} has the label {label!r:.60}; there are yes and no.")
    image, question = text(row, "image", where), text(row, "text", where)
    return PolledQuestion(identity(row, "question_id", where), image, question, label)


def _answer(row: Mapping[str, Any], where: str) -> str:
    return text(row, "answer" if "answer" in row else "text", where)


def _make(name: str) -> Metric[Any]:
    from metrics.answers.polling import Polling, PollingAccuracy, PollingUnparsed

    single = {"pope_accuracy": PollingAccuracy, "pope_unparsed": PollingUnparsed}
    return single[name]() if name in single else Polling(name)


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the three settings, which count from 1 each: an id is ``random/1``."""
    for setting in SETTINGS:
        for row in read_pope(files.path(setting)).values():
            said = (Stored("image", (row.image,)), PROMPT.format(question=row.question))
            references = {"label": row.label, "setting": setting}
            yield Record(f"{setting}/{row.id}", said, references, group=row.image)


POPE = published(
    card("pope"),
    read,
    Protocol(prompt=PROMPT, metrics=pope_uses(), slices=slice_by("setting"), version=2),
)
