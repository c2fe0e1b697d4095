"""What a session of tests that hold lines says at its end: on the terminal, and to the service that runs it.

Rows are those of `benchmarks.holding`, with the test and its place in a file beside them. GitHub Actions
shows lines that start with ``::`` beside the code, and the file that it names by ``GITHUB_STEP_SUMMARY`` as
the job's summary; other services read JUnit's file (``pytest --junitxml``), which holds the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import interval, number
from nextgpt.terminal import escape_markdown, one_line

HEAD = ("benchmark", "system", "metric", "score", "95 % interval", "n", "s/sample", "verdict", "signature")

_LEVELS = {"short": "error", "error": "error", "better": "notice", "skipped": "warning"}
_SHOWN = ("short", "error", "better", "inconclusive", "skipped", "new line", "holds")

Told = dict[str, Any]


def table(told: Sequence[Told]) -> Iterator[str]:
    """The summary as lines of text: a table, and below it what is said of each line that is held."""
    lines = [_cells(row) for row in told if "metric" in row]
    if lines:
        widths = [max(map(len, column)) for column in zip(HEAD, *lines, strict=True)]
        for line in (HEAD, *lines):
            yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    for row in told:
        if row["words"]:
            yield f"{_who(row)}: {one_line(row['words'])}"


def marks(told: Sequence[Told]) -> Iterator[str]:
    """Lines by which GitHub Actions marks the tests in their files; none where it does not run them."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for row in told:
        level = _LEVELS.get(row["verdict"])
        if level:
            path, line, _ = row["place"]
            place = f"file={_property(path)},line={(line or 0) + 1},title={_property(_who(row))}"
            yield f"::{level} {place}::{_data(row['words'])}"


def append_job_summary(told: Sequence[Told]) -> None:
    """Add the summary to the job's page, where ``GITHUB_STEP_SUMMARY`` names its file."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if name:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(job_summary(told))


def job_summary(told: Sequence[Told]) -> str:
    r"""The summary as Markdown: what fell short comes first.

    Example:
        >>> row = {"benchmark": "b", "system": "a|b", "metric": "accuracy", "value": 0.5, "low": 0.4,
        ...        "high": 0.6, "n": 9, "seconds": None, "signature": "accuracy|v:1"}
        >>> print(job_summary([row | {"verdict": "short", "words": "falls short: -0.1", "test": "t"}]))
        ### Benchmarks: 1 short
        <BLANKLINE>
        | verdict | benchmark | system | metric | score | 95 % interval | n | s/sample | in words |
        | --- | --- | --- | --- | --- | --- | --- | --- | --- |
        | short | b | a\|b | accuracy | 0.5000 | \[0.4000, 0.6000\] | 9 | – | falls short: -0.1 |
        <BLANKLINE>
    """
    held = [row for row in told if row["verdict"]]
    held.sort(key=lambda row: _SHOWN.index(row["verdict"]))
    counts = {kind: sum(row["verdict"] == kind for row in held) for kind in _SHOWN}
    title = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    head = ("verdict", *HEAD[:7], "in words")
    lines = [f"### Benchmarks: {title}", "", _line(head), _line(["---"] * len(head))]
    for row in held:
        cells = _cells(row)[:7] if "metric" in row else (row["test"], *["–"] * 6)
        lines.append(_line([escape_markdown(cell) for cell in (row["verdict"], *cells, row["words"])]))
    return "\n".join((*lines, ""))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _who(row: Told) -> str:
    return f"{row['system']} on {row['benchmark']}" if "metric" in row else str(row["test"])


def _cells(row: Told) -> tuple[str, ...]:
    seconds = row["seconds"]
    return (
        row["benchmark"],
        row["system"],
        row["metric"],
        number(row["value"]),
        interval(row["low"], row["high"]),
        str(row["n"]),
        "–" if seconds is None else f"{seconds:.3f}",
        row["verdict"],
        row["signature"],
    )


def _data(text: object) -> str:
    """Text of a command to GitHub Actions: a new line would begin another command."""
    return one_line(text).replace("%", "%25")


def _property(text: object) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
