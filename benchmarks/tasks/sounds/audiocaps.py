"""AudioCaps captions.

name: audiocaps; audiocaps-generation reads the same file
data set: ``test.csv``: a caption a line (audiocap_id, youtube_id, start_time, caption), five for each clip
protocol: one caption for each clip, held against its five. Clips that cannot be fetched any more are broken
    samples, counted and named, and never replaced: YouTube loses some every year.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.official import DataError, by_id, identity, read_csv, text
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored

PROMPT = "Describe the sound in one sentence."
COLUMNS = ("youtube_id", "start_time", "caption")


def read_audiocaps(files: Files) -> dict[tuple[str, str], tuple[str, ...]]:
    """Captions by clip, a clip's name on YouTube and where it starts in seconds, in the order of the file.

    Raises:
        DataError: cut off or of another kind, or a caption's id twice.
    """
    path = files.path("captions")
    head, rows = read_csv(path)
    lacking = [column for column in COLUMNS if column not in head]
    if lacking:
        raise DataError(f"{path}: has no column {', '.join(lacking)}; is this the right file?")
    named = by_id(((row.get("audiocap_id") or where, (where, row)) for where, row in rows), "caption", path)
    found: dict[tuple[str, str], list[str]] = {}
    for where, row in named.values():
        clip = identity(row, "youtube_id", where), identity(row, "start_time", where)
        found.setdefault(clip, []).append(text(row, "caption", where))
    return {clip: tuple(captions) for clip, captions in found.items()}


def sound_of(clip: tuple[str, str]) -> Stored:
    """A clip's file, by the names that downloads give it."""
    youtube, start = clip
    stems = (f"{youtube}_{start}", f"Y{youtube}", youtube, f"Y{youtube}_{start}")
    return Stored("audio", tuple(f"{stem}{ending}" for stem in stems for ending in (".wav", ".flac", ".mp3")))


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the file."""
    for clip, captions in read_audiocaps(files).items():
        key = "_".join(clip)
        yield Record(key, (sound_of(clip), PROMPT), {"captions": captions}, group=key)


AUDIOCAPS = published(card("audiocaps"), read, Protocol(prompt=PROMPT, metrics=caption_uses()))
