"""Text to video on MSR-VTT.

name: msr-vtt-generation
data set: MSR-VTT's test clips and sentences
protocol: one clip for one caption of each test clip, drawn by hash. CLIPSIM: cosine of the caption with every
    frame, averaged over frames, then over clips. FID of middle frames against the middle frames of the true
    clips; the paper does not say which frames its FID looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.drawn import drawn
from benchmarks.tasks.generation.judged import clip_uses
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.real_sets import true_media
from benchmarks.tasks.videos.clips import FPS, clip
from benchmarks.tasks.videos.msr_vtt import read_msr_vtt

PROMPT = "Make a video of this: {caption}"


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the test split, each with one of its captions."""
    for key, captions in read_msr_vtt(files).items():
        if not captions:
            yield Broken(key, f"{files.path('captions').name}: {key} has no caption.")
            continue
        caption = drawn(captions, key)
        references = {**true_media(files, "video", clip(key)), "prompt": caption}
        yield Record(key, (PROMPT.format(caption=caption),), references, group=key)


MSR_VTT_GENERATION = published(
    card("msr-vtt-generation"), read, Protocol(prompt=PROMPT, metrics=clip_uses(), fps=FPS)
)
