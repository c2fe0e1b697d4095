"""What files of all media have in common: opening them safely, and writing them whole or not at all."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nextgpt.errors import UserError


class MediaError(UserError):
    """A medium that cannot be used; the message names the file and what to do about it."""


@contextmanager
def open_regular(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for reading; pipes, devices and folders are refused before anything waits for them.

    Raises:
        MediaError: missing, or no regular file; names it.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  (paths and strings alike)
            raise MediaError(f"{path}: a folder, a pipe or a device; is it a file?")
        file = Path(path).open("rb")  # noqa: SIM115  (errors of what is done with it are not ours)
    except FileNotFoundError:
        raise MediaError(f"{path}: no such file; check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise MediaError(f"{path}: cannot be read ({reason}); is it a file?") from error
    with file:
        yield file


def as_file(data: bytes | BinaryIO, name: str) -> BinaryIO:
    """The bytes of a file, or a file that is open, as a file at its start.

    Raises:
        MediaError: there is nothing in it.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    if not file.seek(0, os.SEEK_END):
        raise MediaError(f"{name}: the file is empty (0 bytes); fetch it again.")
    file.seek(0)
    return file


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Whatever a decoder raises becomes one line: at damaged files they raise nearly everything.

    Raises:
        MediaError: anything was raised in the block.

    Example:
        >>> with decoding("a.png"):
        ...     raise KeyError("tile")
        Traceback (most recent call last):
        nextgpt.media.file.MediaError: a.png: damaged or cut off ('tile'); fetch it again.
    """
    try:
        yield
    except MediaError:
        raise
    except MemoryError as error:
        raise MediaError(f"{name}: takes more memory than there is; make it smaller first.") from error
    except Exception as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
        reason = reason or type(error).__name__
        raise MediaError(f"{name}: damaged or cut off ({reason}); fetch it again.") from error


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, whole or not at all: readers never meet half a medium."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
