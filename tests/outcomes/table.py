"""The table of outcomes: what this project does when it meets what it should not.

    python -m tests.outcomes.table

writes ``docs/outcomes.md`` from what the cases came to a moment ago; a test holds the file against them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from nextgpt.messages import Failure, Message
from nextgpt.terminal import error_line, visible
from tests.fuzz.readers import OURS
from tests.outcomes import files, runs

PAGE = Path(__file__).parents[2] / "docs" / "outcomes.md"
ROOMS: dict[str, Callable[[Path], Iterator[tuple[str, Any]]]] = {
    "Media and archives": files.media,
    "Code in files of data": files.code,
    "Weights": files.weights,
    "Answers": files.records,
    "Annotations": files.official,
    "Systems": runs.systems,
    "Disks and runs": runs.disks,
    "What is shown and kept": runs.sinks,
}
HEAD = """# Outcomes

What happens when a file, a system or a disk is not what it should be: one line for each, and never a
traceback. The lines below are what the code said when it was last tried (`python -m tests.outcomes.table`
writes this page, and a test holds it). *Refused* stops the command; *failure* costs that sample alone and is
counted; the rest goes on.
"""


def rows(room: str, at: Path) -> list[tuple[str, str, str]]:
    """What was done, the outcome, and the words, of each case of a room."""
    return [(what, *_outcome(do, at)) for what, do in ROOMS[room](at)]


def _outcome(do: Callable[[], object], at: Path) -> tuple[str, str]:
    try:
        with redirect_stdout(StringIO()):
            found = do()
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in OURS and not isinstance(error, OSError):
            raise
        return "refused", _plain(error_line(error), at)
    if isinstance(found, Failure):
        return "failure", _plain(f"{found.stage}: {found.reason}", at)
    return "goes on", _plain(found.text if isinstance(found, Message) else str(found), at)


def _plain(text: str, at: Path) -> str:
    """The words without what differs from one machine and one hour to the next."""
    text = text.replace(f"{at}/", "").replace(str(at), "…").replace(at.name, "…")
    text = re.sub(r"process \d+ on \S+ since [^;]+", "process 42 on a machine since a moment", text)
    text = re.sub(r"\b0x[0-9a-f]+", "0x…", text)
    return visible(text) if len(text) < 300 else visible(text[:300]) + " …"


def page() -> str:
    """The whole page."""
    text = [HEAD]
    for room in ROOMS:
        with tempfile.TemporaryDirectory() as folder:
            text += [f"## {room}\n", "| what | outcome | words |", "| --- | --- | --- |"]
            text += [line(*row) for row in rows(room, Path(folder))]
            text.append("")
    return "\n".join(text)


def line(what: str, outcome: str, words: str) -> str:
    """A row as Markdown; its words are code, in which nothing is obeyed."""
    shown = words.replace("|", "\\|").replace("`", "'").replace("\n", " ")
    return f"| {what} | {outcome} | `{shown}` |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
