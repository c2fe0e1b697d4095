"""VQA v2.

name: coco-vqa
data set: VQA v2, official questions and annotations beside a folder ``images/`` of COCO photographs
licence: annotations CC BY 4.0; each photograph has its own, named in captions.json
paper: Goyal et al., Making the V in VQA Matter, CVPR 2017, arXiv:1612.00837
protocol: open-ended; one short answer for each question, scored by the official accuracy against ten
    people's answers, quirks included; also reported by answer type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse, Options, Sample
from benchmarks.tasks.official import (
    DataError,
    by_id,
    identity,
    read_json,
    records,
    reference,
    results_by_id,
    said,
    text,
)
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored

if TYPE_CHECKING:
    from metrics.metric import Metric

PROMPT = "{question}"
ANNOTATIONS = "vqa_annotations.json"
# What COCO's photographs are called: since 2017, and from 2014 with the split in front.
COCO_NAMES = ("{id:0>12}.jpg", "{id:0>12}.png", "COCO_{split}_{id:0>12}.jpg")
# Where an id is no number, it is a file's name, as in VizWiz, or the name without its ending, as in TextVQA.
OTHER_NAMES = ("{id}", "{id}.jpg", "{id}.png")
REPEATED = ("answer", "answer_confidence")  # what ten people say of 214,354 questions is mostly the same
NOTE = (
    "Real photographs and people's questions. The shipped tiny systems know toyworld's drawings and a few "
    "hundred words only; what they score here is luck with yes, no and small numbers. 23 questions are "
    "far too few for a number to compare with a published one."
)

Annotation = Mapping[str, Any]


@dataclass(frozen=True)
class AskedQuestion:
    """One question about one image, with its annotation in VQA v2's own form, None where there is none."""

    id: str
    image_id: str
    question: str
    annotation: Annotation | None
    split: str = ""


def read_vqa(questions: Path, annotations: Path) -> list[AskedQuestion]:
    """Read VQA v2's official pair of files, plain or gzipped.

    Returns:
        Questions in the order of their file.

    Raises:
        DataError: a file is cut off or of another kind, asks or answers a question twice, or answers
            questions that the other file doesn't ask.
    """
    answers = read_annotations(annotations)
    data = read_json(questions)
    rows = records(data, "questions", questions)
    split = data.get("data_subtype", "")
    asked = by_id(
        (_question(row, k, questions, answers, split) for k, row in enumerate(rows)), "question", questions
    )
    strangers = [key for key in answers if key not in asked]
    if strangers:
        raise DataError(
            f"{annotations}: question {strangers[0]} ({len(strangers)} in all) is not asked in "
            f"{questions.name}; give the two files of one split."
        )
    return list(asked.values())


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Read the official annotation file alone: what scoring needs.

    Returns:
        Annotations by question id, as they stand in the file.

    Raises:
        DataError: the file is cut off or of another kind, or annotates a question twice.
    """
    return by_id(
        (
            _annotation(row, k, path)
            for k, row in enumerate(records(read_json(path, REPEATED), "annotations", path))
        ),
        "question",
        path,
    )


def read_vqa_results(path: Path) -> dict[str, str]:
    """Read predictions in the official results format: ``[{"question_id": 42, "answer": "..."}]``.

    Raises:
        DataError: as `results_by_id`.
    """
    return results_by_id(path, "question_id", "answer")


def vqa_uses() -> tuple[MetricUse, ...]:
    """VQA accuracy, judging an answer's text by a sample's ``annotation``."""
    return (MetricUse("vqa_accuracy", _make, said, reference("annotation")),)


def answer_type(sample: Sample) -> str | None:
    """The slice a question is reported in: ``yes/no``, ``number`` or ``other``; none where none is given."""
    given = sample.references["annotation"].get("answer_type")
    return None if given is None else str(given)


def vqa_records(questions: Path, annotations: Path, prompt: str) -> Iterator[Record | Broken]:
    """Records of VQA v2's pair of files.

    Raises:
        DataError: as `read_vqa`.
    """
    for asked in read_vqa(questions, annotations):
        if asked.annotation is None:
            yield Broken(asked.id, f"{annotations.name}: question {asked.id} has no answers.")
            continue
        said = (picture_of(asked.image_id, asked.split), prompt.format(question=asked.question))
        yield Record(asked.id, said, {"annotation": asked.annotation}, group=asked.image_id)


def picture_of(image: str, split: str = "") -> Stored:
    """The picture of an id: COCO's where it is a number, or else a file's name with its ending or without."""
    patterns = COCO_NAMES if image.isdecimal() else OTHER_NAMES
    return Stored("image", tuple(name.format(id=image, split=split) for name in patterns))


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of a folder with the official pair of files and ``images/``."""
    return vqa_records(files.path("questions"), files.path("annotations"), PROMPT)


def samples(folder: Path) -> Iterator[Sample | Broken]:
    """The samples of a folder with the official pair of files and ``images/``."""
    return iter(COCO_VQA.load(Options(data=folder)))


def _question(
    row: Mapping[str, Any], position: int, path: Path, answers: Mapping[str, Annotation], split: str
) -> tuple[str, AskedQuestion]:
    key = identity(row, "question_id", f"{path}: record {position}")
    where = f"{path}: question {key}"
    image = identity(row, "image_id", where)
    annotation = answers.get(key)
    if annotation is not None and str(annotation.get("image_id", image)) != image:
        raise DataError(f"{where} is about image {image}, its annotation about {annotation['image_id']}.")
    if annotation is not None and not annotation["answers"]:
        annotation = None
    return key, AskedQuestion(key, image, text(row, "question", where), annotation, split)


def _annotation(row: Mapping[str, Any], position: int, path: Path) -> tuple[str, Annotation]:
    key = identity(row, "question_id", f"{path}: record {position}")
    where = f"{path}: question {key}"
    given = row.get("answers")
    if not isinstance(given, list) or not all(isinstance(answer, dict) for answer in given):
        raise DataError(f"{where} has no list of answers but {given!r:.60}; is this an annotation file?")
    for answer in given:
        text(answer, "answer", where)
    return key, row


def _make() -> Metric[Any]:
    from metrics.answers.accuracy import VqaAccuracy

    return VqaAccuracy()


COCO_VQA = published(
    card("coco-vqa"),
    read,
    Protocol(prompt=PROMPT, metrics=vqa_uses(), slices=answer_type, note=NOTE),
)
