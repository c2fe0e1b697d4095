"""Files of records: written whole or not at all, and read with an error that names file and way out."""

from __future__ import annotations

import codecs
import errno
import json
import os
import reprlib
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_HUGE = 2.0**63
_encoder = partial(json.JSONEncoder, ensure_ascii=False, allow_nan=False)
_decode = json.JSONDecoder().decode
_encode = _encoder().encode
_BRIEFLY = reprlib.Repr()
_BRIEFLY.maxstring = _BRIEFLY.maxother = 80

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

    What stands there is replaced, a link too, for it may lead anywhere; only ``/dev/stdout`` and its like are
    written to.

    Raises:
        RecordError: the disk is full, read-only or broken; names the file and says what to do.
    """
    with disk(path):
        if path.is_relative_to("/dev") and (path.is_symlink() or (path.exists() and not path.is_file())):
            path.write_bytes(data)
            return
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
    write_atomically(path, to_json(value, indent=1))


def to_json(value: object, indent: int | None = None) -> bytes:
    r"""The value as JSON in UTF-8, with a newline at its end.

    Example:
        >>> to_json("é"), to_json("half a pair: \ud83d")
        (b'"\xc3\xa9"\n', b'"half a pair: \\ud83d"\n')
    """
    text = _encode(value) if indent is None else _encoder(indent=indent).encode(value)
    # Half a surrogate pair, which a model can say, is written as JSON writes it: \ud800.
    return f"{text}\n".encode(errors="backslashreplace")


def open_regular(path: Path) -> BufferedReader:
    """A regular file, open for reading: a pipe or a device in its place might never end.

    Raises:
        OSError: not there, not readable, or no regular file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path.open("rb")


def read_file(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        RecordError: not there, not readable, or no regular file; names the file.
    """
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def read_json(path: Path, kind: type) -> Any:
    """The value of a JSON file.

    Raises:
        RecordError: not readable, no JSON, or no `kind`; names the file.
    """
    try:
        value = parse_json(read_file(path))
    except ValueError as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{path}: not readable as JSON ({error}); restore it") from error
    if not isinstance(value, kind):
        raise RecordError(f"{path}: expected a JSON {kind.__name__}, got {type(value).__name__}")
    return value


def parse_json(data: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        ValueError: no JSON, no UTF-8, or nested too deeply; one line.

    Example:
        >>> parse_json(b'{"a": 1}')
        {'a': 1}
        >>> parse_json(b"[" * 100_000)
        Traceback (most recent call last):
        ValueError: nested too deeply
    """
    try:
        return _decode(data.removeprefix(codecs.BOM_UTF8).decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def build(kind: type[T], row: Any, path: Path) -> T:
    """A dataclass from a JSON object, every field of it held against its type.

    Raises:
        RecordError: other fields, or one of another type, such as NaN for a number; names the file.
    """
    what = f"{path}: not the fields of a {kind.__name__.lower()}"
    try:
        built = kind(**row)
    except (TypeError, ValueError) as error:
        raise RecordError(f"{what} ({error}); restore it") from error
    for name, hint in get_type_hints(kind).items():
        value = getattr(built, name)
        if not _fits(value, hint):
            raise RecordError(f"{what} ({name} is {brief(value)}); restore it")
    return built


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type that JSON has words for; NaN, infinity and huge numbers are of none."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if kind is tuple:
        return isinstance(value, tuple) and all(_fits(each, inner[0]) for each in value)
    if kind is Mapping:
        return isinstance(value, dict) and all(_fits(each, inner[1]) for each in value.values())
    if hint in (int, float):
        return type(value) in {hint, int} and abs(value) < _HUGE
    return isinstance(value, hint)


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


def brief(value: object) -> str:
    """What was found, in so few words that a line holds it.

    Example:
        >>> brief("7"), brief(list(range(99)))
        ("'7'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    return _BRIEFLY.repr(value)


def write_rows(rows: Iterable[Mapping[str, Any]], json: Path | None, csv: Path | None) -> None:
    """Write rows to the files that are asked for: as a JSON list, as CSV, or not at all.

    Raises:
        RecordError: a file can't be written.
    """
    if json is None and csv is None:
        return
    from nextgpt.rows import csv_text

    rows = [dict(row) for row in rows]
    if json is not None:
        write_json(json, rows)
    if csv is not None:
        write_atomically(csv, csv_text(rows).encode("utf-8", "backslashreplace"))
