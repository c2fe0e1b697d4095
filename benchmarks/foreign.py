"""Scoring what another program wrote: a file of references against a file of answers.

References are official annotation files, answers are official results files or our own
``predictions.jsonl``. A family is one function in `FAMILIES`; the names are those of the benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark, Broken, Sample
from benchmarks.harness.records import Prediction
from benchmarks.harness.scoring import Scored, score_predictions
from nextgpt.messages import Failure, Request, user

Samples = list[Sample | Broken]

# What was asked is not in the files and no metric of a file looks at it.
_UNASKED = Request((user(),))


def score_files(family: str, references: Path, predictions: Path, *, allow_missing: bool = False) -> Scored:
    """Score a file of answers.

    Args:
        family: a key of `FAMILIES`.
        references: the official annotation file, or the folder that holds it under its usual name.
        predictions: COCO's or VQA's official results, or our ``predictions.jsonl``.
        allow_missing: count a sample without an answer as failed; refuse it otherwise.

    Raises:
        DataError, RecordError: a file or a record in it can't be used, or the two don't belong together.
    """
    from benchmarks.tasks.answers import read_answers

    benchmark, samples = FAMILIES[family](references)
    answers = read_answers(predictions)
    if allow_missing:
        missing = Failure("missing", "no answer in the file")
        answers = {**{sample.id: missing for sample in samples if sample.id not in answers}, **answers}
    return score_predictions(
        replace(benchmark, name=family),
        samples,
        (Prediction(sample, answer) for sample, answer in answers.items()),
        system=predictions.name,
        where=predictions,
    )


def _captions(references: Path) -> tuple[Benchmark, Samples]:
    from benchmarks.tasks.coco import ANNOTATIONS, COCO_CAPTIONS, read_captions

    images = read_captions(_file(references, ANNOTATIONS)).values()
    return COCO_CAPTIONS, [
        Sample(image.id, _UNASKED, {"captions": image.captions}, group=image.id)
        if image.captions
        else Broken(image.id, f"image {image.id} has no caption")
        for image in images
    ]


def _vqa(references: Path) -> tuple[Benchmark, Samples]:
    from benchmarks.tasks.vqa import ANNOTATIONS, COCO_VQA, read_annotations

    annotations = read_annotations(_file(references, ANNOTATIONS))
    return COCO_VQA, [
        Sample(
            question, _UNASKED, {"annotation": annotation}, group=str(annotation.get("image_id", question))
        )
        for question, annotation in annotations.items()
    ]


def _file(path: Path, name: str) -> Path:
    return path / name if path.is_dir() else path


FAMILIES: Mapping[str, Callable[[Path], tuple[Benchmark, Samples]]] = {
    "image-captioning": _captions,
    "vqa": _vqa,
}
