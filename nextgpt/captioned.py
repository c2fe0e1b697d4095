"""Captioned photographs and sounds as they lie in a folder, and which of them are kept from training.

The layout is that of their owners: ``coco/`` with ``captions.json`` and ``images/``, ``audiocaps/`` with
``captions.csv`` and ``audio/``; either may be missing. Half of them, as the hashes of their ids say, are kept
back for measuring, and with them every photograph that a question of ``coco/vqa_questions.json`` is about.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from nextgpt.documents import read_json
from nextgpt.errors import UserError

PARTS = 2  # of which the first is kept back


class CaptionedError(UserError):
    """A folder that cannot be learnt from; the message names the file."""


@dataclass(frozen=True)
class Captioned:
    """A photograph or a sound, and what people wrote about it.

    Attributes:
        id: as its owners name it.
        kind: what it is.
        path: its file.
        captions: one at least.
        kept_back: whether it is kept from training.
    """

    id: str
    kind: Literal["image", "audio"]
    path: Path
    captions: tuple[str, ...]
    kept_back: bool


def read(folder: Path) -> list[Captioned]:
    """All photographs and sounds of a folder that have captions, in the order of their files.

    Raises:
        CaptionedError: there are none.
        DocumentError: a file cannot be read.
    """
    found = [*_photographs(folder / "coco"), *_sounds(folder / "audiocaps")]
    if not found:
        raise CaptionedError(
            f"{folder}: neither coco/captions.json nor audiocaps/captions.csv with anything in them; "
            "name the folder of your data with --data"
        )
    return found


def kept_back(key: str) -> bool:
    """Whether what has this id is kept from training.

    Example:
        >>> [kept_back(key) for key in ("71", "86", "308")]
        [True, False, True]
    """
    return int.from_bytes(sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]) % PARTS == 0


def _photographs(folder: Path) -> Iterator[Captioned]:
    if not (folder / "captions.json").exists():
        return
    file = read_json(folder / "captions.json", dict)
    asked = set()
    if (folder / "vqa_questions.json").exists():
        questions = read_json(folder / "vqa_questions.json", dict).get("questions", ())
        asked = {str(question.get("image_id")) for question in questions}
    captions: dict[str, list[str]] = {}
    try:
        for annotation in file["annotations"]:
            captions.setdefault(str(annotation["image_id"]), []).append(str(annotation["caption"]).strip())
        for image in file["images"]:
            key, path = str(image["id"]), folder / "images" / str(image["file_name"])
            if key in captions:
                yield Captioned(key, "image", path, tuple(captions[key]), kept_back(key) or key in asked)
    except (KeyError, TypeError) as error:
        raise CaptionedError(
            f"{folder / 'captions.json'}: not as COCO has it: a field {error} is missing"
        ) from error


def _sounds(folder: Path) -> Iterator[Captioned]:
    path = folder / "captions.csv"
    if not path.exists():
        return
    captions: dict[str, list[str]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                captions.setdefault(f"{row['youtube_id']}_{row['start_time']}", []).append(
                    row["caption"].strip()
                )
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise CaptionedError(f"{path}: not as AudioCaps has it: {error}") from error
    for key, said in captions.items():
        yield Captioned(key, "audio", folder / "audio" / f"{key}.wav", tuple(said), kept_back(key))
