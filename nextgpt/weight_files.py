"""Files of weights seen from outside: how much is in them, and whether they are whole. Nothing is loaded.

A safetensors file begins with a table of its tensors, which tells how long the file has to be. Of a file of
torch, a zip archive, only its end tells whether it is whole.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

from nextgpt.config import ConfigError

SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
_LONGEST_TABLE = 100 * 2**20  # the limit of safetensors itself
_POINTER = b"version https://git-lfs"


class BrokenFileError(ConfigError):
    """A file that is not whole, or not what its name says."""


def parameters(path: Path, *, bytes_each: int = 4) -> int:
    """How many numbers a file of weights holds.

    Args:
        path: the file.
        bytes_each: of a number in a file of torch, which has no table to tell.

    Raises:
        BrokenFileError: it is not whole; says what to do.
    """
    if path.suffix != ".safetensors":
        check(path)
        return path.stat().st_size // bytes_each
    return sum(math.prod(entry["shape"]) for name, entry in _table(path).items() if name != "__metadata__")


def check(path: Path) -> None:
    """See that a file of weights is whole, as far as that can be told without reading it.

    Raises:
        BrokenFileError: it is cut off, or only stands for the real file; says what to do.
    """
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
    if start == _POINTER:
        raise BrokenFileError(f"{path}: only a pointer of git-lfs; fetch the file itself with `git lfs pull`")
    if path.suffix == ".safetensors":
        _table(path)
    elif start[:2] == b"PK" and not zipfile.is_zipfile(path):
        raise BrokenFileError(f"{path}: half-written, its end is missing; fetch it again")


def weights_in(folder: Path) -> Iterator[Path]:
    """The files of weights of a folder, each tensor once: safetensors before anything else, no variants."""
    found = [path for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES and path.is_file()]
    plain = [path for path in found if not any(word in path.stem for word in (".fp16", ".non_ema"))]
    for suffix in SUFFIXES:
        chosen = [path for path in plain if path.suffix == suffix]
        if chosen:
            yield from chosen
            return
    yield from found


def _table(path: Path) -> dict[str, dict[str, list[int]]]:
    """The table at the beginning of a safetensors file, checked against the file's length."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LONGEST_TABLE, size - 8):
                raise BrokenFileError(f"{path}: no safetensors, or hardly begun; fetch it again")
            table: dict[str, dict[str, list[int]]] = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in table.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{path}: its table of tensors cannot be read: {error}") from error
    whole = 8 + length + max(ends, default=0)
    if size != whole:
        raise BrokenFileError(f"{path}: half-written, {size:,} of {whole:,} bytes; fetch it again")
    return table
