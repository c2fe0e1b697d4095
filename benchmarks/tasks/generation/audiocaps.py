"""Text to audio on AudioCaps.

name: audiocaps-generation
data set: AudioCaps' test captions and clips
protocol: a sound for one caption of each clip, drawn by hash; FAD over VGGish, FD, Inception Score and KL
    over PANNs, KL(true || made), CLAP score with the caption.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.drawn import drawn
from benchmarks.tasks.generation.judged import sound_uses
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.real_sets import true_media
from benchmarks.tasks.sounds.audiocaps import read_audiocaps, sound_of

PROMPT = "Make a sound of this: {caption}"


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the file, each with one of its captions."""
    for clip, captions in read_audiocaps(files).items():
        key = "_".join(clip)
        caption = drawn(captions, key)
        references = {**true_media(files, "audio", sound_of(clip)), "prompt": caption}
        yield Record(key, (PROMPT.format(caption=caption),), references, group=key)


AUDIOCAPS_GENERATION = published(
    card("audiocaps-generation"), read, Protocol(prompt=PROMPT, metrics=sound_uses())
)
