"""Quiet and verbose, completion and exit codes: what every command of every program understands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nextgpt.terminal import Volume
from nextgpt.volume import audible

PROGRAMS = ("nextgpt", "benchmarks", "reports")


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *argv], capture_output=True, text=True, check=False)


def commands(program: str) -> dict[str, Any]:
    """Every command of a program by its words, those of groups below it too."""
    module = __import__(f"{program}.cli", fromlist=["app"])
    found: dict[str, Any] = {}
    pending: list[tuple[tuple[str, ...], Any]] = [((), audible(module.app))]
    while pending:
        words, command = pending.pop()
        below = getattr(command, "commands", None)
        if below is None:
            found[" ".join(words)] = command
        else:
            pending += [((*words, name), each) for name, each in below.items()]
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_can_be_quiet_and_verbose(program: str) -> None:
    found = commands(program)
    assert len(found) >= 6
    for words, command in found.items():
        options = [option for parameter in command.params for option in parameter.opts]
        assert {"-q", "--quiet", "-v", "--verbose"} <= set(options), words
        assert len(options) == len(set(options)), words


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_that_keeps_its_rows_as_json_keeps_them_as_csv(program: str) -> None:
    options = {
        words: {option for parameter in command.params for option in parameter.opts}
        for words, command in commands(program).items()
    }
    kept = [words for words, found in options.items() if "--json" in found]
    assert len(kept) >= 2
    assert all("--csv" in options[words] for words in kept)


def test_quiet_keeps_results_and_errors_and_drops_notes(tmp_path: Path) -> None:
    argv = ["benchmarks.cli", "run", "--benchmark", "toy-vqa", "--system", "null"]
    loud, quiet = (
        run(*argv, "--system", "nextgpt-small-that-is-not", "--out", str(tmp_path / each), *more)
        for each, more in (("loud", []), ("quiet", ["-q"]))
    )
    assert loud.returncode == quiet.returncode == 1
    assert loud.stdout == quiet.stdout
    assert "vqa_accuracy" in quiet.stdout
    assert "error: " in quiet.stderr  # of the system that is not there

    expect = ["benchmarks.cli", "expect", str(tmp_path / "loud"), "--expected"]
    assert "wrote " in run(*expect, str(tmp_path / "a")).stderr
    assert run(*expect, str(tmp_path / "b"), "--quiet").stderr == ""


def test_verbose_tells_each_failure(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text('{"sample": "of another benchmark", "message": {"parts": []}}\n')
    argv = ["benchmarks.cli", "run", "--benchmark", "toy-vqa", "--limit", "2"]
    argv += ["--system", f"answers:{tmp_path / 'other.jsonl'}"]
    silent = run(*argv, "--out", str(tmp_path / "silent"))
    told = run(*argv, "--out", str(tmp_path / "told"), "-v")
    assert len(told.stderr.splitlines()) >= len(silent.stderr.splitlines()) + 2


def test_shells_complete_commands() -> None:
    program = "import sys; sys.argv = ['nextgpt-bench']; from benchmarks.cli import main; main()"
    asked = {"COMP_WORDS": "nextgpt-bench ve", "COMP_CWORD": "1", "_NEXTGPT_BENCH_COMPLETE": "complete_bash"}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ | asked
    )
    assert found.stdout.split() == ["verify"]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["list"], 0),
        (["status", "no-such-folder"], 1),
        (["status"], 2),
        (["list", "--no-such-option"], 2),
        (["no-such-command"], 2),
    ],
)
def test_exit_codes_are_those_of_the_documentation(argv: list[str], code: int) -> None:
    assert run("benchmarks.cli", *argv).returncode == code


def test_loudness_rises() -> None:
    assert Volume.QUIET < Volume.NORMAL < Volume.VERBOSE
