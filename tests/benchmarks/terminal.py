"""What tests of the command line share: the shape of a command's outcome and of a row."""

from __future__ import annotations

from collections.abc import Callable

Command = Callable[..., tuple[int, str, str]]
"""Runs the command line with these arguments: exit status, standard output, standard error."""

ROW = {"benchmark", "system", "metric", "signature", "value", "low", "high", "n"}
"""What every row for programs has."""


def only_line(text: str) -> str:
    """The one line that there is."""
    (line,) = text.strip().splitlines()
    return line
