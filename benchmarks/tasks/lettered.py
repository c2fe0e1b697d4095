"""Multiple choice as it is put to a system: the options, a letter before each."""

from __future__ import annotations

from collections.abc import Iterable

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def lettered(options: Iterable[str]) -> str:
    """Options, a line each.

    >>> print(lettered(["a cat", "a dog"]))
    A. a cat
    B. a dog
    """
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
