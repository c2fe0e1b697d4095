"""Cards of toyworld's own benchmarks, which make their data and need no files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cards.entry import BenchmarkEntry

if TYPE_CHECKING:
    from nextgpt.messages import Modality


def _toy(
    task: str,
    family: str,
    about: str,
    *,
    metrics: tuple[str, ...],
    accepts: tuple[Modality, ...],
    produces: tuple[Modality, ...],
    samples: int = 200,
) -> tuple[BenchmarkEntry, ...]:
    module = f"benchmarks.tasks.toyworld.{task.replace('-', '_')}"
    splits = (
        ("", "TEST", "test", "test split"),
        ("-compositional", "COMPOSITIONAL", "compositional", "colours and shapes that never met in training"),
    )
    return tuple(
        BenchmarkEntry(
            name=f"toy-{task}{ending}",
            family=family,
            about=f"{about}, {which}",
            target=f"{module}:{attribute}",
            paper="none: made here",
            origin="generated on the spot",
            revision="by seed",
            licence="CC0 1.0",
            split=split,
            samples=samples,
            accepts=accepts,
            produces=produces,
            metrics=metrics,
            headline=metrics[0],
        )
        for ending, attribute, split, which in splits
    )


TOYWORLD = (
    *_toy(
        "captioning",
        "image-captioning",
        "describe toyworld pictures",
        metrics=("attribute_f1", "scene_accuracy", "cider_d", "bleu_4", "meteor", "rouge_l"),
        accepts=("text", "image"),
        produces=("text",),
    ),
    *_toy(
        "vqa",
        "vqa",
        "answer questions about toyworld pictures",
        metrics=("vqa_accuracy",),
        accepts=("text", "image"),
        produces=("text",),
        samples=400,
    ),
    *_toy(
        "text-to-image",
        "text-to-image",
        "draw toyworld pictures from captions",
        metrics=("scene_accuracy", "attribute_f1", "fid", "clip_score"),
        accepts=("text",),
        produces=("image",),
    ),
    *_toy(
        "editing",
        "editing",
        "change toyworld pictures as told",
        metrics=("scene_accuracy", "attribute_f1"),
        accepts=("text", "image"),
        produces=("image",),
    ),
)
