"""Official annotation files: JSON, plain or gzipped, checked record by record.

What a whole run stands on (a file cut in half, an id given twice) is one `DataError`; what touches a
single record (a picture that can't be opened) is a `Broken` sample, recorded as that sample's failure.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.harness.benchmark import Options, Sample
from nextgpt.media import Image, MediaError
from nextgpt.messages import Message

T = TypeVar("T")


class DataError(ValueError):
    """A data file that can't be used; the message names file and record and says what to do."""


def read_json(path: Path) -> Any:
    """Read a JSON file; gzipped or not is told by its first bytes, not by its name.

    Raises:
        DataError: missing, empty, cut off or damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file; check the path, or fetch the data set's annotations."
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check that it is a file.") from error
    if not data:
        raise DataError(f"{path}: the file is empty (0 bytes); fetch it again.")
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: not a whole gzip file ({error}); fetch it again.") from error
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        # A file cut in half goes wrong at its very end; anything else is damage inside.
        cut = error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg
        what = "the file is cut off" if cut else f"not JSON ({error.msg})"
        raise DataError(
            f"{path}: {what} at line {error.lineno}, column {error.colno}; fetch it again."
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: not JSON text ({error}); is this the right file?") from error


def records(data: Any, key: str | None, path: Path) -> list[Mapping[str, Any]]:
    """The list of records under `key` of a file's content, or the content itself when `key` is None.

    Raises:
        DataError: no such list, or something in it is not an object.

    Example:
        >>> records({"images": [{"id": 1}]}, "images", Path("captions.json"))
        [{'id': 1}]
    """
    found = data if key is None else data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, list):
        where = "a list of records" if key is None else f"a list under {key!r}"
        raise DataError(f"{path}: holds no {where.removeprefix('a ')}; is this the right file?")
    for position, record in enumerate(found):
        if not isinstance(record, dict):
            raise DataError(
                f"{path}: record {position} of {key or 'the list'} is no object but {record!r:.60}."
            )
    return found


def text(record: Mapping[str, Any], key: str, where: str) -> str:
    """A text field.

    Raises:
        DataError: missing, or not text.

    Example:
        >>> text({"caption": "a red star"}, "caption", "captions.json: annotation 7")
        'a red star'
    """
    value = record.get(key)
    if not isinstance(value, str):
        raise DataError(
            f"{where} has no text under {key!r} but {value!r:.60}; correct the record or remove it."
        )
    return value


def identity(record: Mapping[str, Any], key: str, where: str) -> str:
    """An id, as text: COCO and VQA count in integers, other data sets name with text.

    Raises:
        DataError: missing, or neither integer nor text.

    Example:
        >>> identity({"image_id": 42}, "image_id", "captions.json: record 0")
        '42'
    """
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise DataError(
            f"{where} has no id under {key!r} but {value!r:.60}; correct the record or remove it."
        )
    return str(value)


def by_id(rows: Iterable[tuple[str, T]], what: str, path: Path) -> dict[str, T]:
    """Rows by id, in order.

    Raises:
        DataError: the same id twice: which of the two is meant can't be known.

    Example:
        >>> by_id([("1", "a"), ("2", "b")], "image", Path("captions.json"))
        {'1': 'a', '2': 'b'}
    """
    found: dict[str, T] = {}
    for key, row in rows:
        if key in found:
            raise DataError(f"{path}: {what} {key} occurs twice; remove one of the two records.")
        found[key] = row
    return found


def results_by_id(path: Path, key: str, field: str) -> dict[str, str]:
    """Predictions in an official results format, a list of ``{key: 42, field: "..."}``, by their ids.

    An empty text is legal, and scores as it scores.

    Raises:
        DataError: the file is cut off or of another kind, or answers an id twice.
    """
    rows = ((f"{path}: record {k}", row) for k, row in enumerate(records(read_json(path), None, path)))
    return by_id(((identity(row, key, where), text(row, field, where)) for where, row in rows), key, path)


def said(answer: Message) -> str:
    """An answer's words: what metrics of text judge."""
    return answer.text


def reference(key: str) -> Callable[[Sample], Any]:
    """What takes a sample's reference of this name: what metrics hold an answer against."""
    return lambda sample: sample.references[key]


def open_picture(folder: Path, name: str) -> Image:
    """Open a picture of a data set; an error names it relative to the data set's folder.

    Raises:
        MediaError: missing, empty, damaged, far too large, or a name that leaves the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise MediaError(f"{name}: leaves the folder of its data set; give names inside it.")
    try:
        return Image.open(path)
    except MediaError as error:
        raise MediaError(str(error).replace(f"{folder}/", "")) from error


def data_folder(options: Options, benchmark: str, example: str) -> Path:
    """The folder that the person named.

    Raises:
        DataError: none named, or no such folder.
    """
    if options.data is None:
        raise DataError(f"{benchmark} reads files that you have: name their folder, as in --data {example}.")
    if not options.data.is_dir():
        raise DataError(f"{options.data}: no such folder; {benchmark} expects its official files there.")
    return options.data
