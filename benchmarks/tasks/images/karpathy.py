"""COCO, Flickr30k and Flickr8k captions in Karpathy's splits.

name: coco-karpathy, flickr30k, flickr8k
data set: ``dataset_coco.json`` and its like: all images with split, file name and raw sentences
protocol: the test split; one caption for each image, held against all its sentences as they were written;
    the caption metrics as pycocoevalcap computes them, document frequencies of the images evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Benchmark, Broken
from benchmarks.tasks.images.coco import caption_uses
from benchmarks.tasks.official import by_id, identity, read_json, records, text
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored

PROMPT = "Describe the picture in one sentence."
TEST = "test"


def read(files: Files) -> Iterator[Record | Broken]:
    """The images of the test split.

    Raises:
        DataError: the file is cut off or of another kind, or lists an image twice.
    """
    path = files.path("captions")
    rows = records(read_json(path), "images", path)
    chosen = ((row, f"{path}: image {k}") for k, row in enumerate(rows) if row.get("split") == TEST)
    # COCO's own id where there is one: `imgid` counts within the file.
    keyed = (
        (identity(row, "cocoid" if "cocoid" in row else "imgid", where), (row, where))
        for row, where in chosen
    )
    for key, (row, where) in by_id(keyed, "image", path).items():
        yield _record(key, row, where)


def _record(key: str, row: Mapping[str, Any], where: str) -> Record | Broken:
    name = text(row, "filename", where)
    sentences = row.get("sentences")
    if not isinstance(sentences, list) or not sentences:
        return Broken(key, f"{where} ({name}) has no sentences.")
    captions = tuple(text(sentence, "raw", where) for sentence in sentences)
    return Record(key, (Stored("image", (name,)), PROMPT), {"captions": captions}, group=key)


def _benchmark(name: str) -> Benchmark:
    return published(card(name), read, Protocol(prompt=PROMPT, metrics=caption_uses()))


COCO_KARPATHY = _benchmark("coco-karpathy")
FLICKR30K = _benchmark("flickr30k")
FLICKR8K = _benchmark("flickr8k")
