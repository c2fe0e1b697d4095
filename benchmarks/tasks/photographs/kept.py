"""What is kept from training, so that a model that learnt from the same folder can be measured.

`nextgpt.captioned` leaves out just these; a test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.official import DataError
from benchmarks.tasks.published import Record

SPLIT = "half by the hash of their ids, kept from training"
PARTS = 2


def kept_back(key: str) -> bool:
    """Whether what has this id is kept from training.

    Example:
        >>> [kept_back(key) for key in ("71", "86", "308")]
        [True, False, True]
    """
    return int.from_bytes(sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]) % PARTS == 0


def kept(records: Iterable[Record | Broken], also: Container[str] = ()) -> Iterator[Record | Broken]:
    """The records whose groups are kept from training.

    Args:
        records: all.
        also: groups that are kept back whatever their hash says.
    """
    for record in records:
        group = record.group if isinstance(record, Record) else record.id
        if group in also or kept_back(group):
            yield record


def texts(row: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    """A field that holds a list of texts.

    Raises:
        DataError: it holds something else.
    """
    given = row.get(name)
    if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
        raise DataError(f"{where} has no list of {name} but {given!r:.60}; correct the record.")
    return tuple(given)
