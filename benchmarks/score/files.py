"""Scoring what another program wrote: a file of references against a file of answers.

References are official annotation files, answers are official results files or our own
``predictions.jsonl``. `FAMILIES` says how each family's two files are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark, Broken, Sample
from benchmarks.harness.records import Prediction, read_predictions
from benchmarks.harness.scoring import Scored, score_predictions, with_unchecked
from nextgpt.messages import Failure, Request, assistant, user

# What was asked is not in the files, and no metric of a file looks at it.
_UNASKED = Request((user(),))


@dataclass(frozen=True)
class Family:
    """How the files of a family are read.

    Attributes:
        references: from an annotation file, or its folder, to the benchmark whose metrics are used and
            the samples.
        results: from an official results file to answers by sample id.
    """

    references: Callable[[Path], tuple[Benchmark, list[Sample | Broken]]]
    results: Callable[[Path], dict[str, str]]


def score_files(family: str, references: Path, predictions: Path, *, allow_missing: bool = False) -> Scored:
    """Score a file of answers.

    Args:
        family: a key of `FAMILIES`.
        references: the official annotation file, or the folder that holds it under its usual name.
        predictions: COCO's or VQA's official results, or our own, which end in ``.jsonl``.
        allow_missing: count a sample without an answer as failed; refuse it otherwise.

    Raises:
        DataError: an official file, or a record in it, can't be used.
        RecordError: the same of our own file; or the two files don't belong together.
    """
    benchmark, samples = FAMILIES[family].references(references)
    if predictions.suffix == ".jsonl":
        answers = read_predictions(predictions)
    else:
        results = FAMILIES[family].results(predictions)
        answers = [Prediction(sample, assistant(text)) for sample, text in results.items()]
    if allow_missing:
        answered = {prediction.sample for prediction in answers}
        missing = Failure("missing", "no answer in the file")
        answers += [Prediction(sample.id, missing) for sample in samples if sample.id not in answered]
    benchmark = replace(benchmark, name=family)
    scored = score_predictions(benchmark, samples, answers, system=predictions.name, where=predictions)
    # The official formats hold answers alone; ours may tell what they answer.
    return with_unchecked(scored, answers) if predictions.suffix == ".jsonl" else scored


def _captions(path: Path) -> tuple[Benchmark, list[Sample | Broken]]:
    from benchmarks.tasks.images.coco import ANNOTATIONS, COCO_CAPTIONS, read_captions

    images = read_captions(path / ANNOTATIONS if path.is_dir() else path).values()
    return COCO_CAPTIONS, [
        Sample(image.id, _UNASKED, {"captions": image.captions}, group=image.id)
        if image.captions
        else Broken(image.id, f"image {image.id} has no caption")
        for image in images
    ]


def _annotations(path: Path) -> tuple[Benchmark, list[Sample | Broken]]:
    from benchmarks.tasks.images.vqa import ANNOTATIONS, COCO_VQA, read_annotations

    annotations = read_annotations(path / ANNOTATIONS if path.is_dir() else path)
    return COCO_VQA, [
        Sample(
            question, _UNASKED, {"annotation": annotation}, group=str(annotation.get("image_id", question))
        )
        if annotation["answers"]
        else Broken(question, f"question {question} has no answers")
        for question, annotation in annotations.items()
    ]


def _caption_results(path: Path) -> dict[str, str]:
    from benchmarks.tasks.images.coco import read_caption_results

    return read_caption_results(path)


def _vqa_results(path: Path) -> dict[str, str]:
    from benchmarks.tasks.images.vqa import read_vqa_results

    return read_vqa_results(path)


FAMILIES: Mapping[str, Family] = {
    # Video and audio captions are kept in COCO's format by all who score them with COCO's tools.
    **dict.fromkeys(
        ("image-captioning", "video-captioning", "audio-captioning"), Family(_captions, _caption_results)
    ),
    "vqa": Family(_annotations, _vqa_results),
}
