"""Docstrings of this project in the words that griffe and Markdown know."""

from __future__ import annotations

import re

_SEVERAL = re.compile(r"^( +)((?:\w+, )+\w+): (.+(?:\n\1 +.+)*)$", re.MULTILINE)  # "low, high: its ends"
_EXAMPLES = re.compile(r"^(>>> .*(?:\n.+)*)", re.MULTILINE)
_TABLES = re.compile(r"^(=+ .*\n(?:.*\n)*?=+ [= ]*)$", re.MULTILINE)


def readable(text: str) -> str:
    """A docstring whose examples and tables are shown as they are written, and whose names stand alone.

    Args:
        text: the docstring, without the indent of its function.

    Returns:
        The same, with a section of examples that griffe knows, examples outside of one and tables fenced, and
        an entry for each of several names that share one.
    """
    text = _SEVERAL.sub(_apart, text)
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
    text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
    return _TABLES.sub(r"```text\n\1\n```", _EXAMPLES.sub(r"```pycon\n\1\n```", text))


def _apart(entry: re.Match[str]) -> str:
    indent, names, said = entry.groups()
    return "\n".join(f"{indent}{name}: {said}" for name in names.split(", "))
