"""Captions of sounds that are kept from training.

name: sound-captions
data set: AudioCaps, ``captions.csv``, as its owners' ``test.csv``; half of its clips
protocol: one caption for each clip, held against all of its own, as audiocaps has it
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.photographs.kept import kept
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.sounds.audiocaps import read_audiocaps, sound_of

PROMPT = "Describe the sound in one sentence."
NOTE = (
    "About ten sounds: intervals are wide, and no number compares with a published one. YAMNet, which tags "
    "them for words-then-llm and hears them for nextgpt-photo, was trained on AudioSet, of which AudioCaps' "
    "clips are: numbers are inflated."
)


def every(files: Files) -> Iterator[Record]:
    """All clips, in the order of the file."""
    for clip, captions in read_audiocaps(files).items():
        key = "_".join(clip)
        yield Record(key, (sound_of(clip), PROMPT), {"captions": captions}, group=key)


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips that are kept back."""
    return kept(every(files))


SOUND_CAPTIONS = published(
    card("sound-captions"), read, Protocol(prompt=PROMPT, metrics=caption_uses(), note=NOTE)
)
