"""JavisBench: captions of clips that sound.

name: javisbench
data set: ``JavisBench.csv``, a caption a row under ``text``; made media of others lie as ``sample_0000.mp4``
    and ``sample_0000.wav``, by the row's number
protocol: a clip and a sound for each caption: whether both are there, CLIPSIM and CLAP with the caption. FVD
    and FAD of the suite stand on features that it publishes, JavisScore and others on ImageBind.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.any_to_any.t2av_compass import MEDIA, sounding_clip_uses
from benchmarks.tasks.official import DataError, read_csv, text
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "Make a video with its sound of this: {caption}"
CAPTION = "text"


def read(files: Files) -> Iterator[Record | Broken]:
    """The captions of the file; an id is what the made files are called.

    Raises:
        DataError: cut off or of another kind.
    """
    path = files.path("captions")
    head, rows = read_csv(path)
    if CAPTION not in head:
        raise DataError(f"{path}: has no column {CAPTION}; is this the right file?")
    for number, (where, row) in enumerate(rows):
        key, caption = f"sample_{number:04}", text(row, CAPTION, where).strip()
        if not caption:
            yield Broken(key, f"{where}: {key} has no caption.")
            continue
        references = {"media": MEDIA, "prompt": caption, "seen": caption, "heard": caption}
        yield Record(key, (PROMPT.format(caption=caption),), references, group=key)


JAVISBENCH = published(card("javisbench"), read, Protocol(prompt=PROMPT, metrics=sounding_clip_uses()))
