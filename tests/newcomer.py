"""A newcomer's machine: the wheel in an environment of its own, below a folder with a blank, and no checkout.

What the wheel depends on is linked from the environment that runs the tests, and the project itself is left
out: what is imported there was in the wheel.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(
    r"^(?:<!-- (?P<mark>.+?) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with what a comment in the line above says of it."""

    language: str
    body: str
    mark: str = ""

    @property
    def file(self) -> str:
        """The file that it is, where its first line names one."""
        found = re.match(r"# (\S+\.\w+)\n", self.body)
        return found[1] if found else ""


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(each["language"], each["body"], each["mark"] or "") for each in FENCE.finditer(text)]


@dataclass(frozen=True)
class Machine:
    """An environment with the wheel in it.

    Attributes:
        home: the environment.
        wheel: the file that was installed.
    """

    home: Path
    wheel: Path

    def run(self, command: str, folder: Path, seconds: int = 600) -> subprocess.CompletedProcess[str]:
        """Run lines of a shell in a folder, as whoever activated the environment would."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP"))}
        environment = kept | {
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(self.home),
            "COLUMNS": "200",
            # Of the build, which would fetch its backend, and of pip itself: no network.
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip


def empty_machine(home: Path) -> Machine:
    """An environment that has what the project depends on, and a wheel that is not installed yet."""
    venv.create(home, symlinks=True)
    (site,) = (home / "lib").rglob("site-packages")
    others = home / "others"
    others.mkdir()
    # The environment that runs the tests holds the project too, as a link to the checkout or as its metadata.
    for path in (
        path for place in sys.path if place.endswith("site-packages") for path in Path(place).glob("*")
    ):
        link = others / path.name
        if not link.exists() and not re.match(r"_?nextgpt|.*\.pth$|__pycache__", path.name):
            link.symlink_to(path)
    (site / "others.pth").write_text(f"{others}\n", encoding="utf-8")
    for name in ("pip", "pytest", "hatchling", "accelerate"):
        program = home / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{home}/bin/python" -m {name} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(home)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = home.glob("*.whl")
    return Machine(home, wheel)


def install(machine: Machine) -> None:
    """Put the wheel in."""
    done = machine.run(f"pip install --quiet --no-deps {shlex.quote(str(machine.wheel))}", machine.home)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """An environment with the wheel installed; all processes of a session share it."""
    pytest.importorskip("pip", reason="an environment without pip installs nothing")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = shared / "a newcomer's" / "venv"
    home.parent.mkdir(exist_ok=True)
    with (home.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            install(empty_machine(home))
            (home / "done").touch()
    (wheel,) = home.glob("*.whl")
    return Machine(home, wheel)
