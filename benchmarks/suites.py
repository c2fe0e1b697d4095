"""Benchmarks that belong together, by the suite's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.cards import CARDS
from benchmarks.cards.photographs import PHOTOGRAPHS


@dataclass(frozen=True)
class Suite:
    """Benchmarks that belong together."""

    name: str
    about: str
    benchmarks: tuple[str, ...]


_TOY_TASKS = ("toy-captioning", "toy-vqa", "toy-text-to-image", "toy-editing")

_TOY_MEDIA = (
    "video-captioning",
    "audio-captioning",
    "video-qa",
    "video-qa-choice",
    "text-to-video",
    "text-to-audio",
    "video-editing",
    "audio-editing",
    "conversions",
    "sight-and-sound",
    "dialogues",
    "attributes",
    "hard-to-say",
)

_PAPER = (
    "coco-karpathy",
    "nocaps",
    "flickr30k",
    "vqav2",
    "vizwiz",
    "okvqa",
    "mmbench",
    "seed-bench",
    "msr-vtt",
    "msvd-qa",
    "msrvtt-qa",
    "next-qa",
    "audiocaps",
    "coco-30k",
    "msr-vtt-generation",
    "audiocaps-generation",
    "coco-editing",
    "davis-editing",
    "vctk-editing",
)

ALL_SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite("toyworld", "the four tasks in toyworld, test split", _TOY_TASKS),
        Suite(
            "toyworld-compositional",
            "the same four, colours and shapes that never met in training",
            tuple(f"{task}-compositional" for task in _TOY_TASKS),
        ),
        Suite(
            "toyworld-media",
            "clips, sounds and several media at once in toyworld, test split",
            tuple(f"toy-{task}" for task in _TOY_MEDIA),
        ),
        Suite(
            "toyworld-media-compositional",
            "the same, attributes that never met in training",
            tuple(f"toy-{task}-compositional" for task in _TOY_MEDIA),
        ),
        Suite(
            "coco-mini",
            "real photographs through the official readers; needs --data",
            ("coco-captions", "coco-vqa"),
        ),
        Suite(
            "photographs",
            "a few dozen real photographs, clips and sounds, for small models; needs --data",
            tuple(entry.name for entry in PHOTOGRAPHS),
        ),
        Suite(
            "paper",
            "the data sets of the NExT-GPT paper's tables; needs --data",
            _PAPER,
        ),
        Suite(
            "published",
            "every data set in its owners' files; needs --data",
            tuple(entry.name for entry in CARDS.values() if entry.folder and entry not in PHOTOGRAPHS),
        ),
    )
}
