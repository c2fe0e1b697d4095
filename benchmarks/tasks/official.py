"""Official files: JSON, JSON lines or CSV, plain or gzipped, checked record by record.

What a whole run stands on (a file cut in half, an id given twice) is one `DataError`; what touches a
single record (a picture that can't be opened) is a `Broken` sample, recorded as that sample's failure.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.harness.benchmark import Options, Sample
from nextgpt.messages import Message

T = TypeVar("T")

LARGEST = 1 << 30
"""Bytes that a gzipped file may hold."""
_AGAIN = "mend it there, or fetch or write it again"
_BLANKS = re.compile(r"[ \t\r\n]*")
_TOO_MANY = "cells without a column"

_MOST_DIGITS = 19  # of a number that counts something


class DataError(ValueError):
    """A data file that can't be used; the message names file and record and says what to do."""


def read_json(path: Path, repeated: Sequence[str] = ()) -> Any:
    """Read a JSON file; of several JSON values, most often one on each line, a list.

    Gzipped or not is told by the first bytes, one value or several by the content: names promise neither.

    Args:
        path: the file.
        repeated: names in objects whose texts occur again and again: each is kept once, which is a quarter of
            what two million answers take.

    Raises:
        DataError: missing, empty, cut off or damaged, or an object that names something twice.
    """
    data = _content(path)
    try:
        text = data.decode(json.detect_encoding(data))
        del data  # of a large file three copies would be too many
        values = _values(text, _sharing(repeated) if repeated else _object)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path}: {_problem(error)} at {place}; {_AGAIN}.") from error
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise DataError(f"{path}: the file is cut off at byte {error.start}; {_AGAIN}.") from error
        raise DataError(f"{path}: not JSON text ({error}); is this the right file?") from error
    except RecursionError as error:
        raise DataError(f"{path}: not JSON text ({error}); is this the right file?") from error
    except ValueError as error:  # an object that names something twice, a number of thousands of digits
        raise DataError(f"{path}: {error}; correct the file.") from error
    return values[0] if len(values) == 1 else values


def read_csv(
    path: Path, delimiter: str = ",", *, quoted: bool = True
) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Read a CSV file, plain or gzipped, its columns named by its first line.

    Args:
        path: the file.
        delimiter: what stands between cells; a tab for TSV.
        quoted: whether a quotation mark encloses a cell, or is one like any other.

    Returns:
        The names, and each line with the words that say where it stands; a cell that lacks is empty.

    Raises:
        DataError: missing, empty, cut off, no CSV text, a column named twice, or more cells than columns.
    """
    csv.field_size_limit(LARGEST)  # a cell may hold a picture, in base64
    try:
        text = _content(path).decode("utf-8-sig")
        reader = csv.DictReader(
            io.StringIO(text, newline=""),
            restval="",
            restkey=_TOO_MANY,
            delimiter=delimiter,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            strict=True,
        )
        lines = [(f"{path}, line {reader.line_num}", line) for line in reader]
        head = list(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not readable as CSV text ({error}); save it as UTF-8 CSV.") from error
    if len(set(head)) != len(head):
        raise DataError(f"{path}: two columns have one name in {', '.join(head)}; rename one of them.")
    for where, line in lines:
        if _TOO_MANY in line:
            raise DataError(f"{where}: more cells than columns; quote cells that hold a comma.")
    return head, lines


def lines_of(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, plain or gzipped, with their numbers from 1.

    Raises:
        DataError: missing, empty, cut off or no text.
    """
    try:
        text = _content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not readable as text ({error}); {_AGAIN}.") from error
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def whole_number(text: str) -> int | None:
    """The number that stands there; None where there is none, or one that no file counts up to.

    >>> whole_number("42"), whole_number("4 2"), whole_number("9" * 5_000)
    (42, None, None)
    """
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else None


def is_csv(path: Path) -> bool:
    """Whether a file's name says CSV, gzipped or not; its content could not.

    >>> is_csv(Path("val.csv.gz")), is_csv(Path("val.csv.json"))
    (True, False)
    """
    return path.name.lower().endswith((".csv", ".csv.gz"))


def rows_of(path: Path, key: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """The records of a file, each with the words that say where it stands: CSV by its name, else JSON.

    Args:
        path: the file.
        key: under which a JSON file holds its list; None for a list, or for JSON lines.

    Raises:
        DataError: as `read_csv`, `read_json` and `records`.
    """
    if is_csv(path):
        return [*read_csv(path)[1]]
    data = read_json(path)
    if key is None and isinstance(data, dict) and ".jsonl" in path.suffixes:
        data = [data]  # a single line
    return [(f"{path}: record {k}", row) for k, row in enumerate(records(data, key, path))]


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
        DataError: the same id twice: which of the two is meant can't be known. All such ids are counted.

    Example:
        >>> by_id([("1", "a"), ("2", "b")], "image", Path("captions.json"))
        {'1': 'a', '2': 'b'}
        >>> by_id([("1", "a"), ("2", "b"), ("2", "b"), ("1", "c")], "image", Path("captions.json"))
        Traceback (most recent call last):
        ...
        benchmarks.tasks.official.DataError: captions.json: image 2 occurs twice; so do 1 more, of 2; ...
    """
    found: dict[str, T] = {}
    repeated: dict[str, None] = {}
    for key, row in rows:
        if key in found:
            repeated[key] = None
        found[key] = row
    if repeated:
        first, more = next(iter(repeated)), len(repeated) - 1
        which = f"; so do {more} more, of {len(found)}" if more else ""
        raise DataError(f"{path}: {what} {first} occurs twice{which}; remove one of the two records.")
    return found


def results_by_id(path: Path, key: str, field: str) -> dict[str, str]:
    """Predictions in an official results format, a list of ``{key: 42, field: "..."}``, by their ids.

    The list may be JSON, JSON lines, or CSV with these columns. An empty text is legal, and scores as it
    scores.

    Raises:
        DataError: the file is cut off or of another kind, or answers an id twice.
    """
    rows = rows_of(path)
    return by_id(((identity(row, key, where), text(row, field, where)) for where, row in rows), key, path)


def holds_predictions(path: Path) -> bool:
    """Whether a file is our own ``predictions.jsonl``, whose lines name samples, or another's results.

    Raises:
        DataError: it is missing, or cannot be read.
    """
    if path.suffix != ".jsonl":
        return False
    return b'"sample"' in _content(path).lstrip().partition(b"\n")[0]


def said(answer: Message) -> str:
    """An answer's words: what metrics of text judge."""
    return answer.text


def reference(key: str) -> Callable[[Sample], Any]:
    """What takes a sample's reference of this name: what metrics hold an answer against."""
    return lambda sample: sample.references[key]


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


def _content(path: Path) -> bytes:
    """What a file holds, unpacked where it is gzipped.

    Raises:
        DataError: missing, empty, cut off, or a little file that unpacks to very much.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, a device has no end
            raise DataError(f"{path}: cannot be read: a folder, a pipe or a device; check that it is a file.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file; check the path, or fetch the data set's annotations."
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check that it is a file.") from error
    if not data:
        raise DataError(f"{path}: the file is empty (0 bytes); fetch or write it again.")
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            data = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error}); fetch or write it again.") from error
    if len(data) > LARGEST:
        raise DataError(f"{path}: holds more than {LARGEST >> 20} MB; if it should, unpack it and give that.")
    return data


def _values(text: str, hook: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> list[Any]:
    """The JSON values that a text holds one after the other, at least one."""
    decoder, values = json.JSONDecoder(object_pairs_hook=hook), list[Any]()
    end, at = len(text.rstrip()), _after_blanks(text, 0)
    while at < end or not values:
        value, at = decoder.raw_decode(text, at)
        values.append(value)
        at = _after_blanks(text, at)
    return values


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def _sharing(names: Sequence[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """What makes objects whose equal texts under these names are one text."""
    known: dict[str, str] = {}

    def shared(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = _object(pairs)
        for name in names:
            value = found.get(name)
            if isinstance(value, str):
                found[name] = known.setdefault(value, value)
        return found

    return shared


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two values under one name, which JSON allows, none can be the meant one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has two values under {twice!r}")
    return found


def _problem(error: json.JSONDecodeError) -> str:
    """What is wrong with a text that is no JSON: half a file goes wrong at its end, or in an open text."""
    rest = error.doc[error.pos :].rstrip()
    half = any(
        word.startswith(rest) for word in ("true", "false", "null", "-", "NaN", "Infinity", "-Infinity")
    )
    if half or "Unterminated" in error.msg or ("escape" in error.msg and len(rest) < len("\\u0000")):
        return "the file is cut off"
    if rest[0] in "]}" and error.doc[: error.pos].rstrip().endswith(","):
        return f"a comma before {rest[0]!r}, which JSON does not allow,"
    return f"not JSON ({error.msg})"
