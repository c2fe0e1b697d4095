"""Clips of data sets: what their files may be called, and where lists of other names lead."""

from __future__ import annotations

from benchmarks.tasks.official import DataError, lines_of, read_json
from benchmarks.tasks.published import Files
from benchmarks.tasks.stored import Stored

ENDINGS = (".mp4", ".avi", ".mkv", ".webm")  # what downloads of one clip end in
FPS = 2.0  # frames that are kept of a second of clips that last half a minute and more


def clip(*stems: str | None) -> Stored:
    """A clip by its name without ending, and other such names.

    >>> clip("video7010", None).names[:2]
    ('video7010.mp4', 'video7010.avi')
    """
    return Stored("video", tuple(f"{stem}{ending}" for stem in stems if stem for ending in ENDINGS))


def vidor_paths(files: Files) -> dict[str, str]:
    """Paths within VidOR's folders by a clip's id; empty where the list of them is not there.

    Raises:
        DataError: the list is cut off or of another kind.
    """
    path = files.optional("mapping")
    if path is None:
        return {}
    found = read_json(path)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise DataError(f"{path}: holds no object from ids to paths; is this the right file?")
    return found


def youtube_clips(files: Files) -> dict[str, str]:
    """MSVD's clips: from ``vid1`` to the name of its file without ending.

    Raises:
        DataError: the list is missing, a line is no pair, or a clip is listed twice.
    """
    path = files.path("mapping")
    found: dict[str, str] = {}
    for number, line in lines_of(path):
        match line.split():
            case [stem, clip_id] if clip_id not in found:
                found[clip_id] = stem
            case [_, clip_id]:
                raise DataError(f"{path}, line {number}: {clip_id} is listed twice; remove one of the two.")
            case _:
                raise DataError(f"{path}, line {number}: no pair of a clip and its number but {line!r:.60}.")
    return found
