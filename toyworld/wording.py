"""How what people type is brought into one form, in one place: for parsers here, and in every tokenizer.

`RULES` are what `normalise` does and what `toyworld.pretrain.tokenizer` builds into the files of tokenizers,
so that no system that reads them needs to know of it.
"""

from __future__ import annotations

import re

MARKS = ".,;:!?"
# What is found, and what is written instead; one after the other.
RULES: tuple[tuple[str, str], ...] = (
    (r"\s+", " "),
    (rf" (?=[{MARKS}])", ""),  # "what is there ?"
    (rf"(?<=[{MARKS}])[{MARKS}]+", ""),  # "what is there???"
    (r"\bcolour", "color"),
)


def normalise(text: str) -> str:
    r"""A text in small letters, with one blank between words and none before marks.

    Example:
        >>> normalise("  What COLOUR is\nthe star ?? ")
        'what color is the star?'
    """
    text = text.lower()
    for found, written in RULES:
        text = re.sub(found, written, text)
    return text.strip()


def listed(parts: list[str]) -> str:
    """Parts as an enumeration.

    Example:
        >>> listed(["a star", "a circle", "a square"])
        'a star, a circle and a square'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
