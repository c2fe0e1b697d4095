"""What files of all media have in common: reading them whole, and writing them whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nextgpt.errors import UserError

_UNKNOWN_SIZE = 0xFFFFFFFF  # what a stream writes where a RIFF file's size stands


class MediaError(UserError):
    """A medium that cannot be used; the message names the file and what to do about it."""


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file.

    Raises:
        MediaError: missing, or no file; names it.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise MediaError(f"{path}: no such file; check the path.") from None
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}); is it a file?") from error


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


def refuse_if_cut(data: bytes, name: str) -> None:
    """Refuse a file with nothing in it, and a RIFF file (WAV, AVI) shorter than it says of itself.

    Decoders would give what is there, as if it were all.

    Raises:
        MediaError: empty or cut off; names the file.

    Example:
        >>> refuse_if_cut(b"RIFF" + (100).to_bytes(4, "little"), "a.wav")
        Traceback (most recent call last):
        nextgpt.media.file.MediaError: a.wav: cut off: 8 of 108 bytes are there; fetch it again.
    """
    if not data:
        raise MediaError(f"{name}: the file is empty (0 bytes); fetch it again.")
    if data[:4] == b"RIFF":
        promised = int.from_bytes(data[4:8], "little")
        if promised != _UNKNOWN_SIZE and promised + 8 > len(data):
            raise MediaError(
                f"{name}: cut off: {len(data)} of {promised + 8} bytes are there; fetch it again."
            )
