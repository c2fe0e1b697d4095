"""MSR-VTT captions.

name: msr-vtt; msr-vtt-generation reads the same file
data set: ``test_videodatainfo.json`` (or the whole ``MSRVTT_data.json``): videos with their split, sentences
protocol: the test split; one caption for each clip, held against its twenty.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.official import DataError, by_id, identity, read_json, records, text
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.videos.clips import FPS, clip

PROMPT = "Describe the video in one sentence."
TEST = "test"


def read_msr_vtt(files: Files) -> dict[str, tuple[str, ...]]:
    """Captions by clip, those of the test split, in the order of the clips; a clip may be without.

    Raises:
        DataError: cut off or of another kind, a clip twice, or a sentence about a clip that is not listed.
    """
    path = files.path("captions")
    data = read_json(path)
    rows = (
        (identity(row, "video_id", f"{path}: video {k}"), row.get("split", TEST))
        for k, row in enumerate(records(data, "videos", path))
    )
    splits = by_id(rows, "video", path)
    found: dict[str, list[str]] = {key: [] for key, split in splits.items() if split == TEST}
    strays, sentences = list[str](), records(data, "sentences", path)
    for k, row in enumerate(sentences):
        where = f"{path}: sentence {row.get('sen_id', k)}"
        video = identity(row, "video_id", where)
        if video not in splits:
            strays.append(f"{where} is about {video}, which the file does not list")
        elif video in found:
            found[video].append(text(row, "caption", where))
    if strays:
        raise DataError(f"{strays[0]} ({len(strays)} of {len(sentences)} in all); is it a whole file?")
    return {key: tuple(captions) for key, captions in found.items()}


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the test split."""
    for key, captions in read_msr_vtt(files).items():
        if captions:
            yield Record(key, (clip(key), PROMPT), {"captions": captions}, group=key)
        else:
            yield Broken(key, f"{files.path('captions').name}: {key} has no caption.")


MSR_VTT = published(card("msr-vtt"), read, Protocol(prompt=PROMPT, metrics=caption_uses(), fps=FPS))
