"""Files of records: written whole or not at all, and read with an error that names file and way out."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOM, _RIGHTS = "make room", "make it writable or choose another folder"
_ADVICE = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EEXIST: "a file stands where a folder is needed: choose another folder",
    errno.EISDIR: "name a file, not a folder",
}


class RecordError(ValueError):
    """A record that can't be read or written; the message names file and line and what to do."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: readers and kills never meet half of it.

    Raises:
        RecordError: the disk is full, read-only or broken; names the file and says what to do.
    """
    with disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically; infinities and NaN are refused, for programs could not read them."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # Half a surrogate pair, which a model can say, is written as JSON writes it: \ud800.
    write_atomically(path, text.encode(errors="backslashreplace"))


def read_json(path: Path, kind: type) -> Any:
    """The value of a JSON file.

    Raises:
        RecordError: not readable, no JSON, or no `kind`; names the file.
    """
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: not readable as JSON ({error}); restore it") from error
    if not isinstance(value, kind):
        raise RecordError(f"{path}: expected a JSON {kind.__name__}, got {type(value).__name__}")
    return value


@contextmanager
def disk(path: Path, kept: str = "") -> Iterator[None]:
    """Turns an error of the disk into one line: what, where, what is safe all the same, what to do.

    Args:
        path: the file or folder that is written to.
        kept: what is safe in spite of the error.

    Raises:
        RecordError: in place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "choose another folder")
        raise RecordError(
            f"{path}: cannot be written ({error.strerror or error}); {kept}{': ' if kept else ''}{advice}, "
            "then run the same command again"
        ) from error
