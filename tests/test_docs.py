"""The documentation, told as it stands: every block of every page, in order, by a newcomer with the wheel.

A page is a story in one folder. A block that begins with ``# name.py`` is that file; a program that no
command of the page names is run at once, and shows something. Commands of ``bash`` blocks run for real, and
what a ``text`` block below them shows is what they printed, where ``...`` stands for anything. A comment
above a block says what is different: ``exits with 1``, or ``not run: WHY``, which docs/not-run.md lists.
"""

from __future__ import annotations

import doctest
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.newcomer import ROOT, Block, Machine, blocks, empty_machine, machine

__all__ = ["machine"]

DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
START, NOT_RUN = "start.md", "not run: "
SHOWS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def told(page: str) -> list[Block]:
    """The blocks of a page."""
    return blocks(PAGES[page].read_text(encoding="utf-8"))


def left_out() -> Iterator[tuple[str, str]]:
    """Page and reason of every block that nobody runs."""
    for page in PAGES:
        for block in told(page):
            if block.mark.startswith(NOT_RUN):
                yield page, block.mark.removeprefix(NOT_RUN)


def problems(block: Block) -> str:
    """What is wrong with a block that is not to be run, as far as can be told without running it."""
    try:
        if block.language == "python":
            compile(block.body, "block", "exec")
        elif block.language == "yaml":
            yaml.safe_load(block.body)
        elif block.language == "toml":
            tomllib.loads(block.body)
        elif block.language == "json":
            json.loads(block.body)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        return str(error)
    return ""


class Story:
    """A page, block by block, in a folder of its own."""

    def __init__(self, page: str, machine: Machine, folder: Path) -> None:
        self.machine, self.folder, self.told = machine, folder, told(page)
        self.printed = ""

    def tell(self) -> None:
        """Run what is to be run.

        Raises:
            AssertionError: a block does not do what the page says; names it.
        """
        for number, block in enumerate(self.told):
            assert not problems(block), f"block {number + 1}: {problems(block)}\n{block.body}"
            if block.mark.startswith(NOT_RUN):
                if block.language == "bash":
                    self._run(f"bash -n <<'END'\n{block.body}END", block)
            elif block.language == "bash":
                self._run(block.body, block)
            elif block.language == "text":
                shown = f"...{block.body.strip()}..."
                same = doctest.OutputChecker().check_output(shown, self.printed, SHOWS)
                assert same, f"shown:\n{block.body}\nprinted:\n{self.printed}"
            elif block.file:
                self._write(block, later=self.told[number + 1 :])
            else:
                assert block.language not in ("python", "text"), f"nobody runs this block:\n{block.body}"

    def _write(self, block: Block, later: list[Block]) -> None:
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")
        named = re.compile(rf"\b{re.escape(path.stem)}\b")
        if path.suffix == ".py" and not any(named.search(each.body) for each in later):
            self._run(f"python {shlex.quote(block.file)}", block)
            assert self.printed.strip(), f"{block.file} shows nothing"

    def _run(self, command: str, block: Block) -> None:
        done = self.machine.run(command, self.folder)
        self.printed = done.stdout
        code = int(found[1]) if (found := re.fullmatch(r"exits with (\d+)", block.mark)) else 0
        assert done.returncode == code, f"{block.body}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if told(page) and page != START])
def test_page_does_what_it_says(page: str, machine: Machine, tmp_path: Path) -> None:
    Story(page, machine, tmp_path).tell()


@pytest.mark.slow
def test_a_stranger_comes_from_the_wheel_to_a_red_gate_in_ten_commands(tmp_path: Path) -> None:
    """docs/start.md alone, in an environment where nothing of this project is, in a folder with a blank."""
    pytest.importorskip("pip", reason="an environment without pip installs nothing")
    stranger = empty_machine(tmp_path / "a stranger's" / "venv")
    folder = stranger.home.parent / "my repository"
    folder.mkdir()
    shutil.copy(stranger.wheel, folder)
    assert stranger.run("python -c 'import nextgpt'", folder).returncode == 1
    Story(START, stranger, folder).tell()

    before = PAGES[START].read_text(encoding="utf-8").partition("falls short")[0]
    shells = [block.body for block in blocks(before) if block.language == "bash"]
    commands = [line for shell in shells for line in shell.splitlines()]
    assert commands[0].startswith("pip install nextgpt-")
    assert commands[-1].startswith("pytest ")
    assert len(commands) <= 10


def test_what_nobody_runs_is_listed_with_its_reason() -> None:
    text = (DOCS / "not-run.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.*?\]\((.+?)\) \| (.+?) \|$", text, re.MULTILINE)
    assert sorted(rows) == sorted(set(left_out()))


def test_every_mark_is_understood() -> None:
    marks = {block.mark for page in PAGES for block in told(page)}
    assert {mark for mark in marks if not re.fullmatch(r"|exits with \d+|not run: .+", mark)} == set()


def test_every_fence_is_a_block() -> None:
    """A fence that is indented, or has no language, would be run by nobody."""
    for path in (*PAGES.values(), ROOT / "README.md"):
        text = path.read_text(encoding="utf-8")
        assert len(re.findall(r"^\s*```", text, re.MULTILINE)) == 2 * len(blocks(text)), path


# --- the teller itself ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```bash\nfalse\n```\n", "false"),
        ("<!-- exits with 1 -->\n```bash\ntrue\n```\n", "true"),
        ("```bash\necho a b\n```\n```text\na c\n```\n", "a c"),
        ("```python\n# a.py\nprint(1 / 0)\n```\n", "ZeroDivisionError"),
        ("```python\n# a.py\nx = 1\n```\n", "shows nothing"),
        ("```python\nprint()\n```\n", "nobody runs"),
        ("<!-- not run: a cluster -->\n```bash\nif true\n```\n", "syntax error"),
        ("```toml\na = [\n```\n", "block 1"),
    ],
)
def test_page_that_does_not_hold_is_seen(
    page: str, complaint: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    monkeypatch.setitem(PAGES, "page.md", path)
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        Story("page.md", machine, tmp_path).tell()


@pytest.mark.slow
def test_page_that_holds_is_told(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "```python\n# b.py\nimport nextgpt\nprint('it', 'is', nextgpt.__file__)\n```\n"
        "```bash\npython b.py\n```\n```text\nit is ...a newcomer's...\n```\n"
        "<!-- not run: a cluster -->\n```bash\nsbatch b.sh\n```\n",
        encoding="utf-8",
    )
    monkeypatch.setitem(PAGES, "page.md", path)
    Story("page.md", machine, tmp_path).tell()
