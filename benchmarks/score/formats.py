"""The families of answers: how the files of each are read, what is measured, and which rows its parts get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import benchmark
from benchmarks.harness.benchmark import Broken, MetricUse, Sample
from benchmarks.tasks.images import coco, pope, vqa
from benchmarks.tasks.official import DataError
from benchmarks.tasks.videos import activitynet_qa, next_qa, single_answers
from benchmarks.tasks.videos.single_answers import AnsweredQuestion
from nextgpt.messages import Request, user

# What was asked is not in the files, and no metric of a file looks at it.
_UNASKED = Request((user(),))

Slicing = Callable[[Sample], str | None]


@dataclass(frozen=True)
class Family:
    """How the files of a family are read and judged.

    Attributes:
        references: from an annotation file, or its folder, to samples.
        results: from an official results file to answers by sample id.
        uses: what is measured, the headline first.
        slicings: ways to part the samples; each part gets rows beside the whole.
        task: which benchmarks these answers are like.
    """

    references: Callable[[Path], list[Sample | Broken]]
    results: Callable[[Path], dict[str, str]]
    uses: Callable[[], tuple[MetricUse, ...]]
    slicings: tuple[Slicing, ...] = ()
    task: benchmark.Family = "vqa"


def _captions(path: Path) -> list[Sample | Broken]:
    images = coco.read_captions(path / coco.ANNOTATIONS if path.is_dir() else path).values()
    return [
        Sample(image.id, _UNASKED, {"captions": image.captions}, group=image.id)
        if image.captions
        else Broken(image.id, f"image {image.id} has no caption")
        for image in images
    ]


def _annotations(path: Path) -> list[Sample | Broken]:
    """VQA's questions; one with too few answers for anyone to be agreed with is broken.

    Raises:
        DataError: as `read_annotations`; or all are so, and another family fits.
    """
    from metrics.answers.annotations import FEWEST

    annotations = vqa.read_annotations(path / vqa.ANNOTATIONS if path.is_dir() else path)
    samples: list[Sample | Broken] = []
    for key, annotation in annotations.items():
        n = len(annotation["answers"])
        if n < FEWEST:
            samples.append(Broken(key, f"question {key} has {n} answers, VQA accuracy needs {FEWEST}"))
        else:
            group = str(annotation.get("image_id", key))
            samples.append(Sample(key, _UNASKED, {"annotation": annotation}, group))
    if annotations and all(isinstance(sample, Broken) for sample in samples):
        most = max(len(annotation["answers"]) for annotation in annotations.values())
        raise DataError(
            f"{path}: no question has more than {most} answers; VQA accuracy needs {FEWEST}, since an answer "
            "is right when three others gave it too: score this file by exact-match."
        )
    return samples


def _single(rows: Iterable[AnsweredQuestion]) -> list[Sample | Broken]:
    return [
        Broken(row.id, f"question {row.id} has no answer")
        if row.answer is None
        else Sample(row.id, _UNASKED, {"answer": row.answer, "type": row.type}, group=row.about)
        for row in rows
    ]


def _exact(path: Path) -> list[Sample | Broken]:
    return _single(single_answers.read_single_answers(path).values())


def _activitynet(path: Path) -> list[Sample | Broken]:
    return _single(activitynet_qa.read_activitynet_qa(path).values())


def _next_qa(path: Path) -> list[Sample | Broken]:
    from metrics.answers.choices import Choice

    return [
        Sample(
            row.id, _UNASKED, {"choice": Choice(row.options, row.answer), "type": row.type}, group=row.video
        )
        for row in next_qa.read_next_qa(path).values()
    ]


def _pope(path: Path) -> list[Sample | Broken]:
    rows = pope.read_pope(path).values()
    return [Sample(row.id, _UNASKED, {"label": row.label}, group=row.image) for row in rows]


def _question_type(sample: Sample) -> str | None:
    """Its words say which of the two types it is: "other" is one of both."""
    kind = sample.references["annotation"].get("question_type")
    return None if kind is None else f"question: {kind}"


def _type(sample: Sample) -> str | None:
    kind: str | None = sample.references["type"]
    return kind


def _free(sample: Sample) -> str | None:
    return "free" if activitynet_qa.is_free(sample.references["type"]) else None


def _broad_type(sample: Sample) -> str:
    return str(sample.references["type"]).partition(":")[0]


FAMILIES: Mapping[str, Family] = {
    # Video and audio captions are kept in COCO's format by all who score them with COCO's tools.
    **dict.fromkeys(
        ("image-captioning", "video-captioning", "audio-captioning"),
        Family(_captions, coco.read_caption_results, coco.caption_uses, task="image-captioning"),
    ),
    "vqa": Family(_annotations, vqa.read_vqa_results, vqa.vqa_uses, (vqa.answer_type, _question_type)),
    "exact-match": Family(
        _exact, single_answers.read_single_answer_results, single_answers.exact_uses, (_type,)
    ),
    "next-qa": Family(_next_qa, next_qa.read_next_qa_results, next_qa.choice_uses, (_broad_type, _type)),
    "activitynet-qa": Family(
        _activitynet, single_answers.read_single_answer_results, single_answers.exact_uses, (_free, _type)
    ),
    "pope": Family(_pope, pope.read_pope_results, pope.pope_uses),
}
