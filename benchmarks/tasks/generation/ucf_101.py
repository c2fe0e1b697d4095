r"""UCF-101: clips of 101 kinds of action.

name: ucf-101
data set: ``testlist01.txt``, a line ``ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi`` each, and the clips
protocol: a clip for the class of each test clip, its name in words; CLIPSIM with the words, FID of middle
    frames and FVD against the true clips', or against their features or statistics. FVD looks through I3D,
    which is not here; an installed package may bring an extractor of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.judged import clip_uses
from benchmarks.tasks.official import DataError, by_id, lines_of
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.real_sets import true_media
from benchmarks.tasks.stored import Stored
from benchmarks.tasks.videos.clips import FPS

PROMPT = "Make a video of a person: {action}."


def in_words(name: str) -> str:
    """A class in words.

    >>> in_words("ApplyEyeMakeup"), in_words("YoYo"), in_words("TaiChi")
    ('apply eye makeup', 'yo yo', 'tai chi')
    """
    return " ".join(re.findall(r"[A-Z][a-z]*|[a-z]+", name)).lower()


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips of the list.

    Raises:
        DataError: a line that names no class, or a clip twice.
    """
    path = files.path("clips")
    lines = (line.split()[0] for _, line in lines_of(path))
    for key, name in by_id(((line, line) for line in lines), "clip", path).items():
        kind, separator, _ = name.partition("/")
        if not separator:
            raise DataError(f"{path}: {name!r:.80} names no class; a line is Class/v_Class_g01_c01.avi.")
        action = in_words(kind)
        references = {**true_media(files, "video", Stored("video", (name,))), "prompt": action}
        yield Record(key, (PROMPT.format(action=action),), references, group=kind)


UCF_101 = published(
    card("ucf-101"), read, Protocol(prompt=PROMPT, metrics=clip_uses(fvd=True), version=2, fps=FPS)
)
