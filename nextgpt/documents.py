"""JSON and YAML that people and other programs wrote: read whole, or refused in a line.

A file may be cut off, in another encoding, nested so deeply that no parser follows, no file at all, or hold
something else than was wanted. A mark of the byte order at its beginning, which some editors write, is passed
over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from nextgpt.errors import ConfigError

# A preset or a card is a page of text. Its aliases may stand for far more than its length.
_LONGEST_YAML = 2**20
_MOST_VALUES = 10_000
T = TypeVar("T")


class DocumentError(ConfigError):
    """A file that cannot be read as what it is to be; the message names it, and says why."""


def read_json(path: Path, kind: type[T]) -> T:
    """What a JSON file holds.

    Args:
        path: the file.
        kind: what it is to hold, `dict` or `list`.

    Raises:
        DocumentError: it is missing, cannot be read, is no JSON, or holds something else.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".json") as file:
        ...     _ = file.write(b'[{"a": 1}]'), file.flush()
        ...     read_json(Path(file.name), list)
        [{'a': 1}]
    """
    values = _parsed(path, json.loads, "JSON")
    if not isinstance(values, kind):
        wanted = "a list" if kind is list else "fields and values"
        raise DocumentError(f"{path}: expected {wanted}, got {type(values).__name__}")
    return values


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; tags run nothing.

    Raises:
        DocumentError: it is missing, cannot be read, is no YAML, or is longer than a preset can be, with its
            aliases or without them.
    """
    return _parsed(path, _yaml, "YAML", _LONGEST_YAML)


def write_json(path: Path, values: Any) -> None:
    """Write values to a file, as JSON.

    Raises:
        DocumentError: it cannot be written.
    """
    _write(path, json.dumps(values, indent=1) + "\n")


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows to a file, as CSV.

    Raises:
        DocumentError: it cannot be written.
    """
    from nextgpt.rows import csv_text

    _write(path, csv_text(rows))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror}") from error


def _yaml(text: str) -> Any:
    from yaml import SafeLoader

    loader = SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _values(node, {}) > _MOST_VALUES:
            raise ValueError(f"with its aliases it stands for more than {_MOST_VALUES:,} values")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _values(node: Any, known: dict[int, float]) -> float:
    """How many values a node stands for, aliases followed; of one that holds itself there is no end."""
    if id(node) not in known:
        known[id(node)] = math.inf
        held = node.value if isinstance(node.value, list) else []
        inner = [part for item in held for part in (item if isinstance(item, tuple) else [item])]
        known[id(node)] = 1 + sum(_values(part, known) for part in inner)
    return known[id(node)]


def _parsed(path: Path, parse: Callable[[str], Any], kind: str, longest: float = math.inf) -> Any:
    from yaml import YAMLError

    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DocumentError(
                f"{path}: {'a folder' if path.is_dir() else 'no file'}, where {kind} is wanted"
            )
        if size > longest:
            raise DocumentError(f"{path}: {size:,} bytes are too many for a preset or a card")
        return parse(path.read_text(encoding="utf-8-sig"))
    except DocumentError:
        raise
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 (at byte {error.start:,}); save it as UTF-8") from error
    except RecursionError:
        raise DocumentError(f"{path}: nested too deeply to be read as {kind}") from None
    # The parsers of dates, numbers and switches raise what they like.
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, YAMLError) as error:
        raise DocumentError(f"{path}: not valid {kind}: {' '.join(str(error).split())}") from error
