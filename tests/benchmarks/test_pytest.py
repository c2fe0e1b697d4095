"""The benchmarks' conftest, tried in a project of its own with small systems."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.gate import expectation_of, write_expectation
from benchmarks.harness.run import evaluate
from tests.benchmarks.fakes import Speaker, echo, numbers

ROOT = Path(__file__).parents[2]

CONFTEST = """
import benchmarks.conftest
from benchmarks.conftest import *
from benchmarks.registry import BenchmarkEntry, Suite, SystemEntry
from tests.benchmarks.fakes import Speaker, echo, numbers
from nextgpt.messages import assistant

def says(request):
    import os
    return assistant("?") if os.environ.get("WORSE") else echo(request)

benchmarks.conftest.BENCHMARKS = {"numbers": BenchmarkEntry("numbers", "vqa", "", "")}
benchmarks.conftest.SUITES = {"toyworld": Suite("toyworld", "", ("numbers",))}
benchmarks.conftest.DEFAULT_SYSTEMS = ("speaker",)
benchmarks.conftest.load_benchmark = lambda name: numbers(60)
benchmarks.conftest.load_system = lambda name: Speaker(says, fingerprint="v2")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "benchmarks_of_mine"
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_vqa.py").write_text(
        'FAMILY = "vqa"\n\ndef test_vqa(measurement):\n    measurement.hold()\n'
    )
    run = evaluate(numbers(60), Speaker(echo), tmp_path / "runs")
    write_expectation(expectation_of(run), tmp_path / "expected")
    return folder


def pytest_of(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        *arguments,
    ]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment}
    return subprocess.run(
        command, cwd=project.parent, env=variables, capture_output=True, text=True, check=False
    )


def test_a_system_that_is_as_good_as_expected_passes_and_is_shown(project: Path) -> None:
    done = pytest_of(project, str(project), "--expected", "expected", "-k", "vqa")
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("numbers")]
    assert line.split()[:4] == ["numbers", "speaker", "exact_match", "0.5000"]
    assert line.split()[-2:] == ["holds", "exact_match|v:1"]
    assert "speaker on numbers: holds: +0.0000 [+0.0000, +0.0000] to what is expected" in done.stdout
    assert "1 passed" in done.stdout


def test_a_system_that_became_worse_fails_with_the_difference(project: Path) -> None:
    done = pytest_of(project, str(project), "--expected", "expected", WORSE="1")
    assert done.returncode == 1
    assert "falls short: -0.5000 [" in done.stdout
    assert "short" in done.stdout.split("benchmarks ===")[-1]


def test_without_an_expectation_nothing_passes(project: Path) -> None:
    done = pytest_of(project, str(project), "--expected", "nowhere")
    assert done.returncode == 1
    assert "nothing is expected of speaker yet; make it again with `nextgpt-bench expect`" in done.stdout


def test_a_limited_run_is_held_on_its_samples(project: Path) -> None:
    done = pytest_of(project, str(project), "--expected", "expected", "--limit", "20", "--runs", "kept")
    assert done.returncode == 0, done.stdout
    assert (project.parent / "kept" / "speaker" / "numbers" / "results.json").exists()


def test_benchmarks_run_only_when_they_are_named(project: Path) -> None:
    done = pytest_of(project, ".")
    assert "1 deselected" in done.stdout
