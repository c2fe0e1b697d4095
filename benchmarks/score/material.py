"""What lies in folders and files that other programs made: pictures, clips, sounds, features, prompts.

Items are found by their files' endings, in subfolders too, and named by their path without ending,
relative to the folder: the name that pairs a prediction with its reference and its prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tasks.official import DataError, read_json
from nextgpt.media import Image, Video

PICTURES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
CLIPS = frozenset({".avi", ".mkv", ".mov", ".mp4", ".webm"})
SOUNDS = frozenset({".flac", ".mp3", ".ogg", ".wav"})
ARRAYS = frozenset({".npy", ".npz"})

Arrays = Mapping[str, NDArray[Any]]


def files_by_name(folder: Path, endings: frozenset[str], what: str) -> dict[str, Path]:
    """Files of a folder and its subfolders by their names, sorted; hidden files are none.

    Args:
        folder: where to look.
        endings: of the files that count, in lower case.
        what: they are, for messages.

    Raises:
        DataError: no such folder, no such file in it, or two files of one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one of {what}.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.suffix.lower() not in endings or not path.is_file() or place.name.startswith("."):
            continue
        name = place.with_suffix("").as_posix()
        if name in found:
            raise DataError(
                f"{folder}: {found[name].name} and {path.name} have one name; remove one of them."
            )
        found[name] = path
    if not found:
        known = ", ".join(sorted(endings))
        raise DataError(f"{folder}: no {what} here; they end in {known}.")
    return found


def clips_by_name(folder: Path) -> dict[str, list[Path]]:
    """Clips by name: each one video file, or the pictures of a subfolder, its frames in the order of names.

    Raises:
        DataError: as `files_by_name`; or an empty subfolder, which is a clip without frames.
    """
    found: dict[str, list[Path]] = {}
    for name, path in files_by_name(folder, CLIPS | PICTURES, "clips or folders of frames").items():
        clip = name if path.suffix.lower() in CLIPS else path.parent.relative_to(folder).as_posix()
        found.setdefault(clip, []).append(path)
    if "." in found:
        raise DataError(f"{found['.'][0]}: a picture, no clip; put the frames of each clip into a subfolder.")
    for place in sorted(folder.rglob("*")):
        if place.is_dir() and not any(place.iterdir()):
            raise DataError(f"{place}: a clip without frames; remove the folder, or make the clip again.")
    return found


def open_frames(paths: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """The frames of a clip of `clips_by_name`, uint8 [H, W, 3] each.

    Raises:
        MediaError: a file that is no picture or clip, is cut off, or has no frames; names the file.
    """
    if paths[0].suffix.lower() in CLIPS:
        return list(Video.open(paths[0]).frames)
    return [Image.open(path).pixels for path in paths]


def read_arrays(path: Path) -> Arrays:
    """Features in NumPy's format: the one array of a ``.npy``, called ``features``, or those of a ``.npz``.

    Raises:
        DataError: missing, damaged, or anything but plain arrays of numbers; objects are never unpickled.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = dict(loaded) if isinstance(loaded, np.lib.npyio.NpzFile) else {"features": loaded}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path.") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path}: no readable NumPy file ({error}); save it again with numpy.save."
        ) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise DataError(f"{path}: {name} holds {array.dtype}, no numbers; save float arrays, [N, D].")
    return arrays


def read_prompts(path: Path) -> dict[str, str]:
    """What each item was asked to be: a JSON object from its file's name, without ending, to the text.

    The published CLIPScore reads its candidates in this form.

    Raises:
        DataError: cut off or of another form; the message names the entry.
    """
    data = read_json(path)
    if not isinstance(data, dict) or not data:
        raise DataError(f'{path}: no JSON object; write {{"name of the file without ending": "text", ...}}.')
    for name, text in data.items():
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{path}: {name} has no text but {text!r:.60}; correct the entry or remove it.")
    return dict(data)


def missing_names(found: Mapping[str, Any], wanted: Mapping[str, Any], where: Path, of: Path) -> list[str]:
    """The names of `wanted`, which `of` holds, that are not among what was `found` in `where`.

    Raises:
        DataError: something was found that `of` says nothing about, so it belongs to nothing.

    Example:
        >>> missing_names({"a": 1}, {"a": 2, "b": 3}, Path("pictures"), Path("prompts.json"))
        ['b']
    """
    strangers = [name for name in found if name not in wanted]
    if strangers:
        raise DataError(
            f"{where}: {strangers[0]} ({len(strangers)} of {len(found)} in all) is not in {of}, which has "
            f"{len(wanted)}; give what belongs together."
        )
    return [name for name in wanted if name not in found]
