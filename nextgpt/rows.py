"""Rows as CSV: for a spreadsheet, which runs what begins like a formula, and for any program."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

# Quotes before it too, so that what was made harmless can be told from what began with a quote.
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n|%]")


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    Example:
        >>> harmless("=cmd|' /C calc'!A0"), harmless("a = b")
        ("'=cmd|' /C calc'!A0", 'a = b')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unharmed(text: str) -> str:
    """What `harmless` was given.

    Example:
        >>> [unharmed(harmless(text)) for text in ("=1", "'=1", "it's", " -x")]
        ['=1', "'=1", "it's", ' -x']
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    r"""A line of names, and a line for each row; missing values are empty, lists and tables are JSON.

    Args:
        rows: by name; the names are those of all rows, in order of appearance.

    Example:
        >>> print(csv_text([{"metric": "fid", "value": -0.5}, {"metric": "=1", "of": ["a"]}]))
        metric,value,of
        fid,-0.5,
        '=1,,"[""a""]"
        <BLANKLINE>
    """
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return harmless(value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))
