"""COCO captions.

name: coco-captions
data set: MS COCO captions, official annotation file ``captions.json`` beside a folder ``images/``
licence: annotations CC BY 4.0; each photograph has its own, named in the file
paper: Chen et al., Microsoft COCO Captions: Data Collection and Evaluation Server, arXiv:1504.00325
protocol: one caption for each image, held against all of its captions; BLEU-1..4, METEOR, ROUGE-L and
    CIDEr-D as pycocoevalcap computes them, PTB tokenisation included; document frequencies from the
    references of the evaluated images, so a number belongs to its set of images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse, Options, Sample
from benchmarks.tasks.official import (
    DataError,
    by_id,
    identity,
    read_json,
    records,
    reference,
    results_by_id,
    said,
    text,
)
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored

if TYPE_CHECKING:
    from metrics.metric import Metric

PROMPT = "describe the picture."
ANNOTATIONS = "captions.json"
NOTE = (
    "Real photographs. The shipped tiny systems have seen nothing but toyworld's drawings and know none "
    "of the words, so near zero is what they should score here; the suite shows that the same harness "
    "reads real data, and gives larger systems something to be tried on. A hundred images are too few for "
    "a number to compare with a published one."
)


@dataclass(frozen=True)
class CaptionedImage:
    """One image of a caption file, with what people wrote about it; files that name no pictures are whole."""

    id: str
    file_name: str | None
    captions: tuple[str, ...]


def read_captions(path: Path) -> dict[str, CaptionedImage]:
    """Read captions in COCO's official format, plain or gzipped.

    Args:
        path: an annotation file with ``images`` (id, and file_name for those who open it) and
            ``annotations`` (image_id, caption).

    Returns:
        Images by id, in the order of the file. An image may be without captions.

    Raises:
        DataError: the file is cut off, is of another kind, lists an image twice, or has a caption of
            an image that it doesn't list.
    """
    data = read_json(path)
    names = by_id(
        (
            (identity(image, "id", f"{path}: image {k}"), _file_name(image, f"{path}: image {k}"))
            for k, image in enumerate(records(data, "images", path))
        ),
        "image",
        path,
    )
    captions = captions_of(data, names, path)
    return {key: CaptionedImage(key, name, tuple(captions[key])) for key, name in names.items()}


def captions_of(data: Any, images: Mapping[str, Any], path: Path) -> dict[str, list[str]]:
    """A file's captions by image, none left out.

    Raises:
        DataError: captions of images that it does not list, or captions that stand in it twice; counted.
    """
    rows = records(data, "annotations", path)
    named = by_id(
        ((str(row.get("id", f"in place {k}")), row) for k, row in enumerate(rows)), "annotation", path
    )
    captions: dict[str, list[str]] = {key: [] for key in images}
    strays = list[str]()
    for name, row in named.items():
        where = f"{path}: annotation {name}"
        image, caption = identity(row, "image_id", where), text(row, "caption", where)
        if image in captions:
            captions[image].append(caption)
        else:
            strays.append(f"{where} is about image {image}, which the file does not list")
    if strays:
        raise DataError(f"{strays[0]} ({len(strays)} of {len(rows)} in all); is it a whole file?")
    return captions


def read_caption_results(path: Path) -> dict[str, str]:
    """Read predictions in COCO's official results format: ``[{"image_id": 42, "caption": "..."}]``.

    Raises:
        DataError: as `results_by_id`.
    """
    return results_by_id(path, "image_id", "caption")


def caption_uses() -> tuple[MetricUse, ...]:
    """The caption metrics, judging an answer's text by a sample's ``captions``."""
    names = ("cider_d", "bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l")
    return tuple(MetricUse(name, partial(_make, name), said, reference("captions")) for name in names)


def caption_records(path: Path, prompt: str) -> Iterator[Record | Broken]:
    """Records of a file in COCO's format: one caption is asked for of each image.

    Raises:
        DataError: as `read_captions`.
    """
    for image in read_captions(path).values():
        if not image.captions:
            yield Broken(image.id, f"{path.name}: image {image.id} ({image.file_name}) has no caption.")
        elif image.file_name is None:
            yield Broken(image.id, f"{path.name}: image {image.id} has no file_name; add one.")
        else:
            picture = Stored("image", (image.file_name,))
            yield Record(image.id, (picture, prompt), {"captions": image.captions}, group=image.id)


def read(files: Files) -> Iterator[Record | Broken]:
    """The images of a folder with ``captions.json`` and ``images/``."""
    return caption_records(files.path("captions"), PROMPT)


def samples(folder: Path) -> Iterator[Sample | Broken]:
    """The samples of a folder with ``captions.json`` and ``images/``."""
    return iter(COCO_CAPTIONS.load(Options(data=folder)))


def _file_name(image: Mapping[str, Any], where: str) -> str | None:
    return None if image.get("file_name") is None else text(image, "file_name", where)


def _make(name: str) -> Metric[Any]:
    from metrics.captions.scores import caption_metrics

    return caption_metrics([name])[0]


COCO_CAPTIONS = published(
    card("coco-captions"), read, Protocol(prompt=PROMPT, metrics=caption_uses(), note=NOTE)
)
