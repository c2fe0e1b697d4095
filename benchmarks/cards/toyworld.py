"""Cards of toyworld's own benchmarks, which make their data and need no files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.cards.entry import CHOICE_METRICS, EXACT_METRICS, BenchmarkEntry

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
    samples: int | tuple[int, int] = 200,
    unmet: str = "colours and shapes",
) -> tuple[BenchmarkEntry, ...]:
    module = f"benchmarks.tasks.toyworld.{task.replace('-', '_')}"
    made = "toyworld, in this repository"
    counts = samples if isinstance(samples, tuple) else (samples, samples)
    splits = (
        ("", "TEST", "test", "test split", counts[0]),
        (
            "-compositional",
            "COMPOSITIONAL",
            "compositional",
            f"{unmet} that never met in training",
            counts[1],
        ),
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
            samples=count,
            references="the scene itself",
            scored="by the true scene, exactly",
            accepts=accepts,
            produces=produces,
            metrics=metrics,
            headline=metrics[0],
            sources={"paper origin licence samples references scored": made},
        )
        for ending, attribute, split, which, count in splits
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

_CAPTIONS = ("cider_d", "bleu_4", "meteor", "rouge_l")
_STRUCTURE = ("attribute_f1", "structure_exact", "structure_f1")
_EVERYTHING: tuple[Modality, ...] = ("text", "image", "video", "audio")
_media = partial(_toy, unmet="attributes")

TOYWORLD_MEDIA = (
    *_media(
        "video-captioning",
        "video-captioning",
        "describe toyworld clips",
        metrics=("attribute_f1", "clip_accuracy", *_CAPTIONS),
        accepts=("text", "video"),
        produces=("text",),
    ),
    *_media(
        "audio-captioning",
        "audio-captioning",
        "describe toyworld sounds",
        metrics=("attribute_f1", "sound_accuracy", *_CAPTIONS),
        accepts=("text", "audio"),
        produces=("text",),
    ),
    *_media(
        "video-qa",
        "video-qa",
        "answer questions about toyworld clips",
        metrics=EXACT_METRICS[::-1],
        accepts=("text", "video"),
        produces=("text",),
        samples=400,
    ),
    *_media(
        "video-qa-choice",
        "video-qa",
        "choose answers to questions about toyworld clips",
        metrics=CHOICE_METRICS,
        accepts=("text", "video"),
        produces=("text",),
        samples=400,
    ),
    *_media(
        "text-to-video",
        "text-to-video",
        "film toyworld clips from captions",
        metrics=("clip_accuracy", "attribute_f1", "fvd", "clipsim"),
        accepts=("text",),
        produces=("video",),
    ),
    *_media(
        "text-to-audio",
        "text-to-audio",
        "play toyworld sounds from captions",
        metrics=(
            "sound_accuracy",
            "attribute_f1",
            "fad",
            "kad",
            "kl_reference_prediction",
            "clap_score",
        ),
        accepts=("text",),
        produces=("audio",),
    ),
    *_media(
        "video-editing",
        "editing",
        "change toyworld clips as told",
        metrics=("clip_accuracy", "attribute_f1"),
        accepts=("text", "video"),
        produces=("video",),
    ),
    *_media(
        "audio-editing",
        "editing",
        "change toyworld sounds as told",
        metrics=("sound_accuracy", "attribute_f1"),
        accepts=("text", "audio"),
        produces=("audio",),
    ),
    *_media(
        "conversions",
        "any-to-any",
        "turn text, pictures, clips and sounds of toyworld into each other",
        metrics=("conversion_accuracy", *_STRUCTURE),
        accepts=_EVERYTHING,
        produces=_EVERYTHING,
        samples=(300, 275),
    ),
    *_media(
        "sight-and-sound",
        "any-to-any",
        "show and play toyworld scenes in one answer",
        metrics=("answer_accuracy", *_STRUCTURE, "sight_sound_agreement", "av_align"),
        accepts=("text", "image"),
        produces=("image", "video", "audio"),
        samples=100,
    ),
    *_media(
        "dialogues",
        "any-to-any",
        "end toyworld dialogues that pass from medium to medium",
        metrics=("last_turn_accuracy", *_STRUCTURE),
        accepts=_EVERYTHING,
        produces=_EVERYTHING,
    ),
    *_media(
        "attributes",
        "editing",
        "change one to six attributes of toyworld pictures at once",
        metrics=("scene_accuracy", "attribute_f1"),
        accepts=("text", "image"),
        produces=("image",),
        samples=240,
    ),
    *_media(
        "hard-to-say",
        "any-to-any",
        "keep exact places, many things and order in time",
        metrics=("answer_accuracy", "attribute_f1"),
        accepts=_EVERYTHING,
        produces=("image", "video", "audio"),
        samples=220,
    ),
)
