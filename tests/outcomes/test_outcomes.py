"""The table of ``docs/outcomes.md`` says what happens; each of its rows is tried here."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.outcomes.table import HEAD, PAGE, ROOMS, line, rows

# What other people's libraries say stands in brackets or at an end, and changes with their versions.
THEIRS = re.compile(r"\(.*\)|(?<=transformers can load).*|(?<=not valid YAML).*")


def section(room: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8").partition(f"## {room}\n")[2].partition("\n## ")[0]
    return [row for row in text.splitlines() if row.startswith("| ")][2:]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits and /proc are Linux's")
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("room", ROOMS)
def test_what_happens_is_what_the_table_says(room: str, tmp_path: Path) -> None:
    found = [THEIRS.sub("", line(*row)) for row in rows(room, tmp_path)]
    assert found == [THEIRS.sub("", row) for row in section(room)], "python -m tests.outcomes.table"


def test_the_page_holds_every_room_and_nothing_else() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(HEAD)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [*ROOMS]
