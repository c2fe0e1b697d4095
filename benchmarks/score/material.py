"""What lies in folders and files that other programs made: pictures, clips, sounds, features, prompts.

Items are found by their files' endings, in subfolders too, and named by their path without ending,
relative to the folder: the name that pairs a prediction with its reference and its prompt.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tasks.official import DataError, read_json
from nextgpt.media import Audio, Image, MediaError, Video
from nextgpt.media.file import open_regular
from nextgpt.media.image import moves

# .heic is a picture that is not read: it is named, or counted, rather than passed over.
PICTURES = frozenset(
    {".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg"}
    | {".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
CLIPS = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"}
    | {".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)
SOUNDS = frozenset(
    {".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".au", ".caf", ".flac", ".m4a", ".m4b", ".mka", ".mp2"}
    | {".mp3", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav", ".weba", ".wma"}
)
ARRAYS = frozenset({".npy", ".npz"})
_MOVING = frozenset({".apng", ".avif", ".gif", ".png", ".webp"})  # pictures that may be clips
_BESIDE = frozenset(
    {".csv", ".html", ".json", ".jsonl", ".log", ".md", ".npy", ".npz", ".tsv", ".txt", ".yaml"}
)
MAX_BYTES = (
    1 << 30
)  # of all arrays of a file together, unpacked: 65,000 rows of Inception features in float64

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
        known = ", ".join(sorted(endings, key=lambda ending: (len(ending), ending)))
        raise DataError(f"{folder}: no {what} here; they end in {known}.")
    return found


def passed_over(folder: Path, endings: frozenset[str]) -> list[str]:
    """A note on files of a folder that have other endings, and so are none of what is looked for.

    Args:
        folder: where to look.
        endings: of the files that count, in lower case.

    Returns:
        No note, or one that counts and names them; texts and tables beside the media are not meant.
    """
    known = endings | _BESIDE
    others = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() not in known and path.is_file() and not path.name.startswith(".")
    ]
    if not others:
        return []
    named = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    return [f"{len(others)} files of {folder.name} have no ending that is known here: {named}"]


def clips_by_name(folder: Path) -> dict[str, list[Path]]:
    """Clips by name: each one video file or animated picture, or the pictures of a subfolder.

    The pictures of a subfolder are frames in the order of their names; one alone that moves is the clip.

    Raises:
        DataError: as `files_by_name`; or an empty subfolder, which is a clip without frames.
    """
    found: dict[str, list[Path]] = {}
    for name, path in files_by_name(folder, CLIPS | PICTURES, "clips or folders of frames").items():
        whole = path.suffix.lower() in CLIPS or (path.parent == folder and _moves(path))
        clip = name if whole else path.parent.relative_to(folder).as_posix()
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
        MediaError: a file that is no picture or clip, is cut off, has no frames, or moves among frames;
            names the file.
    """
    if len(paths) == 1 and (paths[0].suffix.lower() in CLIPS or _moves(paths[0])):
        return list(Video.open(paths[0]).frames)
    for path in paths:
        if _moves(path):
            raise MediaError(f"{path}: moves, and lies among frames; put each clip into a folder of its own.")
    return [Image.open(path).pixels for path in paths]


def _moves(path: Path) -> bool:
    return path.suffix.lower() in _MOVING and moves(path)


def open_sound(path: Path) -> Audio:
    """A sound of any length that fits into memory.

    Raises:
        MediaError: no sound, or cut off; names the file.
    """
    return Audio.open(path, max_seconds=math.inf)


def read_arrays(path: Path) -> Arrays:
    """Features in NumPy's format: the one array of a ``.npy``, called ``features``, or those of a ``.npz``.

    Raises:
        DataError: missing, damaged, too large, or anything but plain arrays of numbers; objects are never
            unpickled.
    """
    try:
        with open_regular(path) as file:
            packed = zipfile.is_zipfile(file)
        arrays = _unpacked(path) if packed else {"features": _mapped(path)}
    except MediaError as error:
        raise DataError(str(error)) from None
    except DataError:
        raise
    except Exception as error:  # NumPy and zipfile raise nearly anything at damaged files
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path}: no readable NumPy file ({reason}); save it again with numpy.save."
        ) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise DataError(f"{path}: {name} holds {array.dtype}, no numbers; save float arrays, [N, D].")
    return arrays


def _mapped(path: Path) -> NDArray[Any]:
    """The array of a ``.npy``; what its head promises beyond the file is an error before it is memory."""
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    _refuse_if_large(path, mapped.nbytes)
    return np.array(mapped)


def _unpacked(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a ``.npz``, whose sizes are looked at before anything is unpacked."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _refuse_if_large(path, sum(member.file_size for member in members))
        for member in members:
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                head = _HEADS.get(version)
                shape, _, dtype = head(file) if head else ((), False, np.dtype(object))
            if math.prod(shape) * dtype.itemsize > member.file_size:
                raise DataError(
                    f"{path}: {member.filename} promises {shape}, more than is there; save it again."
                )
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


_HEADS: Mapping[tuple[int, int], Callable[[Any], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _refuse_if_large(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"{path}: {size / 1e9:.1f} GB of arrays, more than {MAX_BYTES / 1e9:.1f}; save fewer rows, or "
            "float32."
        )


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


def read_atoms(path: Path) -> dict[str, list[str]]:
    """What each item's prompt consists of: a JSON object from its file's name, without ending, to statements.

    Raises:
        DataError: cut off or of another form; the message names the entry.
    """
    data = read_json(path)
    if not isinstance(data, dict) or not data:
        raise DataError(
            f'{path}: no JSON object; write {{"name of the file without ending": ["atom", ...]}}.'
        )
    for name, atoms in data.items():
        good = isinstance(atoms, list) and all(isinstance(atom, str) and atom.strip() for atom in atoms)
        if not good or not atoms:
            raise DataError(f"{path}: {name} has no list of texts but {atoms!r:.60}; correct the entry.")
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
