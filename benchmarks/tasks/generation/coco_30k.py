"""Text to image on COCO: 30,000 captions of the validation images of 2014.

name: coco-30k
data set: ``captions_val2014.json`` and the photographs of ``val2014/``
protocol: 30,000 of the 40,504 images, those whose ids have the lowest hashes, one caption of each, also drawn
    by hash; one picture each. FID against the photographs of the same images (centre crops are the
    extractor's business), CLIPScore with the caption. Published FIDs drew other captions, which moves the
    second digit.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.drawn import drawn, rank
from benchmarks.tasks.generation.judged import picture_uses
from benchmarks.tasks.images.coco import read_captions
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.real_sets import true_media
from benchmarks.tasks.stored import Stored

PROMPT = "Draw a picture of this: {caption}"
IMAGES = 30_000


def read(files: Files) -> Iterator[Record | Broken]:
    """The drawn images, by rank; of a file of fewer, all."""
    images = read_captions(files.path("captions"))
    for key in sorted(images, key=lambda key: rank(key, "coco-30k"))[:IMAGES]:
        image = images[key]
        if not image.captions or image.file_name is None:
            yield Broken(key, f"{files.path('captions').name}: image {key} has no caption or no file_name.")
            continue
        caption = drawn(image.captions, key).strip()
        true = true_media(files, "image", Stored("image", (image.file_name,)))
        references = {**true, "prompt": caption}
        yield Record(key, (PROMPT.format(caption=caption),), references, group=key)


COCO_30K = published(card("coco-30k"), read, Protocol(prompt=PROMPT, metrics=picture_uses()))
