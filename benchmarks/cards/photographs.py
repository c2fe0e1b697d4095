"""Cards of what a few dozen real photographs, clips and sounds are asked about, for small models.

They are parts of others' data sets, whose cards say whose and under which terms; how many there are decides
the folder given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.cards.entry import CHOICE_METRICS, BenchmarkEntry, DataFile
from benchmarks.cards.images import IMAGES
from benchmarks.cards.sounds import SOUNDS
from benchmarks.cards.videos import VIDEOS

KEPT = "half by the hash of their ids, kept from training"
_OF = {entry.name: entry for entry in (*IMAGES, *VIDEOS, *SOUNDS)}
_CHOICES = {
    "metrics": CHOICE_METRICS,
    "headline": "choice_accuracy",
    "references": "1 right option of each",
    "scored": "recall at 1; made here",
}


def _part(parent: str, name: str, task: str, **more: Any) -> BenchmarkEntry:
    """A part of another card's data, in the folder given; documents for counts say nothing of it."""
    whole = _OF[parent]
    counted = {"samples", "references", *(["scored"] if "scored" in more else [])}
    sources = {
        " ".join(fact for fact in facts.split() if fact not in counted): document
        for facts, document in whole.sources.items()
    }
    return replace(
        whole,
        name=name,
        target=f"benchmarks.tasks.photographs.{task}:{name.replace('-', '_').upper()}",
        revision="the folder given",
        samples=None,
        superseded_by="",
        sources={facts: document for facts, document in sources.items() if facts},
        **more,
    )


PHOTOGRAPHS = (
    _part(
        "coco-captions",
        "photo-captions",
        "captions",
        about="captions of photographs that are kept from training",
        split=f"{KEPT}, and all that questions are about",
        folder="coco",
        files=(
            DataFile("captions", ("captions.json",)),
            DataFile("questions", ("vqa_questions.json",), optional=True),
        ),
    ),
    _part(
        "coco-vqa",
        "photo-vqa",
        "questions",
        about="questions about photographs that are kept from training",
        folder="coco",
    ),
    _part(
        "msvd",
        "clip-captions",
        "clip_captions",
        about="captions of clips",
        split="all clips of the folder",
        files=(DataFile("captions", ("captions.json",)),),
    ),
    _part(
        "msvd-qa",
        "clip-qa",
        "clip_questions",
        about="questions about clips, one word each, five of a clip",
        split="the first five questions of each clip of the folder",
        files=(
            DataFile("questions", ("msvd_qa.json",)),
            DataFile("mapping", ("youtube_mapping.txt",)),
        ),
    ),
    _part(
        "audiocaps",
        "sound-captions",
        "sound_captions",
        about="captions of sounds that are kept from training",
        split=KEPT,
        files=(DataFile("captions", ("captions.csv",)),),
        media=("audio",),
    ),
    _part(
        "audiocaps",
        "sound-retrieval",
        "sound_retrieval",
        about="which caption of all belongs to a sound",
        split=KEPT,
        files=(DataFile("captions", ("captions.csv",)),),
        media=("audio",),
        **_CHOICES,
    ),
    BenchmarkEntry(
        name="sound-tags",
        family="audio-captioning",
        about="which of the classes that the folder holds a sound is of",
        room="photographs",
        paper="Piczak, ESC: Dataset for Environmental Sound Classification, ACM MM 2015",
        origin="https://github.com/karolpiczak/ESC-50",
        revision="the folder given",
        licence="CC BY-NC 3.0; clips CC0 or CC BY, one by one",
        split="all clips of the folder",
        accepts=("text", "audio"),
        metrics=CHOICE_METRICS,
        headline="choice_accuracy",
        references="1 right option of each",
        scored="its owners: accuracy among 50 classes, over five folds; here among those of the folder",
        folder="esc50",
        files=(DataFile("clips", ("esc50.csv",)),),
        media=("audio",),
    ),
)
