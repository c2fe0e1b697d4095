"""Media of data sets: named while a data set is indexed, opened when their sample is reached."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nextgpt.media import Audio, Image, MediaError, Medium, Video
from nextgpt.media.video import MAX_PIXELS
from nextgpt.messages import Modality

FRAME_ENDINGS = (".jpg", ".jpeg", ".png")
FRAME_RATE = 24.0  # frames per second of clips that lie as folders of pictures: DAVIS' own
LONGEST = 600.0  # seconds of a clip or a sound


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture, clip or sound that lies in a file, or as text within an annotation file.

    Attributes:
        modality: what it is.
        names: what its file may be called below one of the data set's media folders, likeliest first.
        content: its file in base64, where an annotation file holds it; empty where it lies in a file.
    """

    modality: Modality
    names: tuple[str, ...]
    content: str = ""


def place(folder: Path, media: Sequence[str], stored: Stored) -> Path | None:
    """Where a medium lies; None where it does not.

    Args:
        folder: the data set's.
        media: folders below it that media may lie in; the data set's own is looked into last.
        stored: which.

    Raises:
        MediaError: a name that is none, or that leaves the folder.
    """
    for name in stored.names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise MediaError(f"{name}: leaves the folder of its data set; give names inside it.")
        for inside in (*media, ""):
            path = folder / inside / name
            try:
                path.stat()
                leaves = not path.resolve().is_relative_to((folder / inside).resolve())
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, links in a circle
                raise MediaError(f"{name!r:.200}: no name of a file ({error}); correct it.") from error
            if leaves:
                raise MediaError(f"{name}: leaves the folder of its data set; give names inside it.")
            return path
    return None


def open_stored(folder: Path, media: Sequence[str], stored: Stored, fps: float | None = None) -> Medium:
    """Open a medium of a data set; an error names it relative to the data set's folder.

    Args:
        folder: as in `place`.
        media: as in `place`.
        stored: as in `place`.
        fps: keep so many frames of a clip's second; None keeps all.

    Raises:
        MediaError: missing, empty, damaged, far too large, or a name that leaves the folder or is none.
    """
    if stored.content:
        return _embedded(stored)
    path = place(folder, media, stored)
    if path is None:
        where = f"{media[0]}/" if media else ""
        raise MediaError(f"{where}{stored.names[0]}: no such file; check the path.")
    try:
        return _opened(path, stored.modality, fps)
    except MediaError as error:
        raise MediaError(str(error).replace(f"{folder}/", "")) from error


def _opened(path: Path, modality: Modality, fps: float | None) -> Medium:
    if modality == "image":
        return Image.open(path)
    if modality == "audio":
        return Audio.open(path)
    return _from_frames(path) if path.is_dir() else Video.open(path, fps=fps, max_seconds=LONGEST)


def _from_frames(folder: Path) -> Video:
    """A clip that lies as a folder of pictures, in the order of their names."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in FRAME_ENDINGS)
    if not paths:
        raise MediaError(f"{folder}: holds no frames; fetch them, as {', '.join(FRAME_ENDINGS)}.")
    first = Image.open(paths[0])
    if first.pixels.size // 3 * len(paths) > MAX_PIXELS:
        raise MediaError(f"{folder}: {len(paths)} frames are too many pixels; make them smaller first.")
    frames = [first.pixels, *(Image.open(path).pixels for path in paths[1:])]
    if len({frame.shape for frame in frames}) > 1:
        raise MediaError(f"{folder}: its frames are of different sizes; fetch them again.")
    return Video(np.stack(frames), FRAME_RATE)


def _embedded(stored: Stored) -> Medium:
    try:
        data = base64.b64decode(stored.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(f"{stored.names[0]}: not base64 ({error}); fetch the file again.") from error
    return Image.decode(data, stored.names[0])
