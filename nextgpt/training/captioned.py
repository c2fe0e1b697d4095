"""Training examples from captioned photographs and sounds; see `nextgpt.captioned` for the folder.

A photograph is shown as it is and mirrored, and again in crops: a few dozen of them are little to learn from.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nextgpt.captioned import Captioned, read
from nextgpt.config import Stage
from nextgpt.media import Audio, Image, MediaError, Medium
from nextgpt.messages import assistant, user
from nextgpt.training.data import Broken, Example, TrainingError

VIEWS = 4  # of a photograph: as it is, mirrored, and a crop of each
_CROP = 0.8  # of its sides
REQUESTS = {
    "image": ("describe the picture.", "Describe the picture in one sentence.", "What is in the picture?"),
    "audio": ("Describe the sound in one sentence.", "describe the sound.", "What is to be heard?"),
}


def examples(stage: Stage, count: int, seed: int, *, folder: str = "data") -> Iterator[Example | Broken]:
    """Captions of what is not kept back: a training source for presets.

    Args:
        stage: ``encoding``, in which one request is made, or ``instruct``, in which it is put in other words.
        count: how many; all captions come before any comes again.
        seed: of the order and the views.
        folder: holds ``coco`` and ``audiocaps``.

    Raises:
        TrainingError: the folder holds nothing to learn from, or the stage makes media.
        CaptionedError: a file of the folder cannot be read.
    """
    if stage == "decoding":
        raise TrainingError("captions alone teach nothing about making media; train encoding and instruct")
    pairs = [(item, text) for item in read(Path(folder)) if not item.kept_back for text in item.captions]
    if not pairs:
        raise TrainingError(f"{folder}: all of it is kept back for measuring; there is nothing to learn from")
    rng = random.Random(f"{stage}-{seed}")
    rounds = (rng.sample(pairs, len(pairs)) for _ in itertools.count())
    for item, text in itertools.islice(itertools.chain.from_iterable(rounds), count):
        yield _example(item, text, stage, rng)


def _example(item: Captioned, text: str, stage: Stage, rng: random.Random) -> Example | Broken:
    name = f"{item.path.name}"
    requests = REQUESTS[item.kind]
    request = requests[0] if stage == "encoding" else rng.choice(requests)
    number = rng.randrange(VIEWS)
    try:
        medium: Medium = Audio.open(item.path) if item.kind == "audio" else view(item.path, number)
    except (MediaError, OSError) as error:
        return Broken(name, str(error))
    return Example((user(medium, request), assistant(text)), name=name)


def view(path: Path, number: int) -> Image:
    """A photograph as it is (0) or mirrored (1), or a crop of these (2, 3), always the same one."""
    pixels = Image.open(path).pixels
    if number >= 2:
        top, left = (round((1 - _CROP) / 2 * side) for side in pixels.shape[:2])
        pixels = pixels[top : pixels.shape[0] - top, left : pixels.shape[1] - left]
    return Image(np.ascontiguousarray(pixels[:, ::-1] if number % 2 else pixels))
