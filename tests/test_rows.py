"""Every command that prints a table writes its rows too: as JSON and as CSV."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
import typer

# What they print is no table: what they made, its path, or an answer.
WITHOUT_ROWS = {
    "nextgpt": {"chat", "train", "precompute", "preset", "convert", "serve"},
    "nextgpt-bench": {"init"},
    "nextgpt-report": {"tables", "export", "push", "sheets", "serve-study"},
}


def commands(of: Any, name: str = "") -> Iterator[tuple[str, set[str]]]:
    if hasattr(of, "commands"):
        for each, inner in of.commands.items():
            yield from commands(inner, f"{name} {each}".strip())
    else:
        yield name, {option for parameter in of.params for option in parameter.opts}


@pytest.mark.parametrize(
    ("script", "module"),
    [("nextgpt", "nextgpt.cli"), ("nextgpt-bench", "benchmarks.cli"), ("nextgpt-report", "reports.cli")],
)
def test_every_command_takes_json_and_csv_or_prints_no_table(script: str, module: str) -> None:
    found = dict(commands(typer.main.get_command(importlib.import_module(module).app)))
    lacking = {name for name, options in found.items() if not {"--json", "--csv"} <= options}
    # An entry point brings `serve`, and only to a process that has run the script.
    assert lacking <= WITHOUT_ROWS[script]
    assert WITHOUT_ROWS[script] - lacking <= {"serve"}
