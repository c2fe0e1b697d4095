"""MSVD captions.

name: msvd
data set: ``AllVideoDescriptions.txt``, a caption a line behind its clip's name, and ``youtube_mapping.txt``,
    which numbers the clips; also a list of ``vid``, ``file`` and ``captions``
protocol: clips 1301 to 1970 as is usual; one caption for each, held against all of its own (about 41).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.official import DataError, by_id, identity, lines_of, rows_of, whole_number
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.videos.clips import clip, youtube_clips

PROMPT = "Describe the video in one sentence."
FIRST_OF_TEST = 1301


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the test split, in the order of their numbers.

    Raises:
        DataError: a file is missing or of another kind, or lists a clip twice.
    """
    path = files.path("captions")
    if path.name.startswith("AllVideoDescriptions"):
        captions = _described(path)
        clips = {key: stem for key, stem in youtube_clips(files).items() if _in_test(key, files)}
    else:
        captions, clips = _listed(path, files)
    for key, stem in clips.items():
        if captions.get(stem):
            yield Record(key, (clip(stem), PROMPT), {"captions": tuple(captions[stem])}, group=key)
        else:
            yield Broken(key, f"{path.name}: {key} ({stem}) has no caption.")


def _in_test(key: str, files: Files) -> bool:
    number = whole_number(key.removeprefix("vid"))
    if number is None:
        raise DataError(f"{files.path('mapping')}: {key!r:.60} is no clip's number; vid1 is.")
    return number >= FIRST_OF_TEST


def _described(path: Path) -> dict[str, list[str]]:
    """Captions by a clip's name; the file begins with remarks."""
    found: dict[str, list[str]] = {}
    for _, line in lines_of(path):
        stem, _, caption = line.strip().partition(" ")
        if caption and not line.startswith("#"):
            found.setdefault(stem, []).append(caption.strip())
    return found


def _listed(path: Path, files: Files) -> tuple[dict[str, list[str]], dict[str, str]]:
    keyed = ((identity(row, "vid", where), (where, row)) for where, row in rows_of(path))
    captions, clips = {}, {}
    for key, (where, row) in by_id(keyed, "clip", path).items():
        given = row.get("captions")
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise DataError(f"{where} has no list of captions but {given!r:.60}; correct the record.")
        if _in_test(key, files):
            clips[key] = Path(identity(row, "file", where)).stem
            captions[clips[key]] = given
    return captions, clips


MSVD = published(card("msvd"), read, Protocol(prompt=PROMPT, metrics=caption_uses()))
