"""A stranger's repository under the gate: the package installed beside it, and no conftest."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

MODEL = """
import os
from nextgpt.messages import assistant
from tests.benchmarks.fakes import Speaker, echo

def load():
    return Speaker(lambda request: assistant("?") if os.environ.get("WORSE") else echo(request))
"""
QUALITY = """
from tests.benchmarks.fakes import numbers

def test_vqa(holds):
    holds(numbers(60), system="mymodel:load")
"""


def make(folder: Path, quality: str = QUALITY, model: str = MODEL) -> Path:
    """Write the repository, and the metadata by which pytest finds an installed package's plugin."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = folder / "site" / f"{project['name']}-{project['version']}.dist-info"
    for path in (installed, folder / "checks"):
        path.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n")
    entries = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["pytest11"].items())
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{entries}")
    (folder / "mymodel.py").write_text(model)
    (folder / "checks" / "test_quality.py").write_text(quality)
    return folder


def pytest_in(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in the repository, as a person would."""
    service = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
    variables = {name: value for name, value in os.environ.items() if name not in service}
    variables |= {"PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
