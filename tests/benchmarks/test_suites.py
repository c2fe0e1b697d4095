"""``pytest benchmarks/ -k FAMILY --suite NAME --data DIR``: suites of published data under pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.tasks.official_files import miniature

ROOT = Path(__file__).resolve().parents[2]
TAKES = """
def pytest_addoption(parser):
    parser.getgroup("theirs").addoption("--data", default=None, help="theirs")
    parser.getgroup("theirs").addoption("--limit", default=None, help="theirs")
"""


def measure(folder: Path, *arguments: object) -> str:
    command = [sys.executable, "-m", "pytest", "benchmarks/", "-p", "no:cacheprovider", "-k", "video_qa"]
    more = ["--suite", "published", "--system", "null", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [*command, *more], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("msvd-qa", "next-qa"):
        miniature(name, tmp_path / {"msvd-qa": "msvd", "next-qa": "nextqa"}[name])
    return tmp_path


def test_a_family_of_a_suite_is_measured_and_what_is_not_here_is_a_skip(data: Path) -> None:
    said = measure(data, "--data", data, "--limit", "1")
    assert "msvd-qa  null  exact_match  0.0000" in said, said
    assert "activitynet-qa is not below" in said
    said = measure(data)
    assert "msvd-qa reads files from" in said
    assert "name their folder by --data or --bench-data" in said


def test_where_another_plugin_has_the_short_names_the_long_ones_serve(data: Path) -> None:
    (data / "theirs_takes_names.py").write_text(TAKES)
    said = measure(
        data, "-p", "theirs_takes_names", "--data", "nonsense", "--bench-data", data, "--bench-limit", "1"
    )
    assert "msvd-qa  null  exact_match  0.0000" in said, said
