"""The command line: paths and a summary, or one clear line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.cli import app


def compare(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_compare_prints_a_summary_and_the_paths(runs: Path, tmp_path: Path) -> None:
    page, numbers = tmp_path / "page.html", tmp_path / "numbers.json"
    status, out, err = compare(runs, "--out", page, "--json", numbers)
    assert (status, err) == (0, "")
    assert "nextgpt-tiny is better than caption-then-tool" in " ".join(out.split())
    assert out.split()[-3:] == [str(page), str(page.with_suffix(".md")), str(numbers)]
    assert json.loads(numbers.read_text())["results"]


def test_by_default_the_page_lies_with_the_runs(runs: Path) -> None:
    status, out, _ = compare(runs, "--examples", 0)
    assert status == 0
    assert (runs / "comparison.html").exists()
    assert "comparison.html" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing"], "missing: no such folder"),
        ([".", "--out", "page.pdf"], "name it page.html"),
        ([".", "--baseline", "nobody"], "no runs of the baseline 'nobody'"),
        ([".", "--out", "run.json/page.html"], "cannot be written (File exists); a file stands"),
    ],
)
def test_a_mistake_is_one_line_and_a_status(
    runs: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(runs)
    (runs / "run.json.txt").touch()
    arguments = [argument.replace("run.json", "run.json.txt") for argument in arguments]
    status, out, err = compare(*arguments)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert words in err


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    status, out, err = compare(tmp_path)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "no runs here" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare"], "Missing argument"),
        (["compare", ".", "--baselin", "x"], "No such option:? '?--baselin"),
        (["compare", ".", "--examples", "99"], "--examples"),
        (["compair", "."], "No such command 'compair'"),
    ],
)
def test_a_mistyped_command_is_explained(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert re.search(words, " ".join(result.stderr.split()))


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    status, _, err = compare(tmp_path)
    assert status == 1
    assert "run.json" in err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from reports.cli import app\n"
        "try: app(['compare', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'matplotlib', 'scipy', 'numpy', 'jinja2', 'pyarrow', 'PIL'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
