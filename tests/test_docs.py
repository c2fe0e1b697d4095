"""Every Python block of the documentation, run as it stands, in a scratch folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = {
    f"{page.relative_to(ROOT)}:{name}": program
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for name, program in BLOCK.findall(page.read_text(encoding="utf-8"))
}


@pytest.mark.slow
@pytest.mark.parametrize("where", PROGRAMS)
def test_program_of_the_documentation_runs(where: str, tmp_path: Path) -> None:
    path = tmp_path / where.rpartition(":")[2]
    path.write_text(PROGRAMS[where], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "a program of the documentation shows something"


def test_no_block_is_left_out() -> None:
    """A block without a file name in its first line would be run by nobody."""
    for page in (ROOT / "docs").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert text.count("```python\n") == len(BLOCK.findall(text)), page.name
