"""Every command and every program of the README, run as a newcomer would run them.

A command is run for real, from the built wheel without the checkout, in a folder with a blank in its name,
with made-up data where the README says ``path/to``. The two that install everything, and the one that
computes for minutes, are taken apart instead: they must name what tox.ini defines, and what they would run is
run on a few samples. A command that is added to the README and fits neither way fails here until someone says
how it is to be tried.
"""

from __future__ import annotations

import configparser
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.newcomer import ROOT, Machine, blocks, machine

__all__ = ["machine"]

README = (ROOT / "README.md").read_text(encoding="utf-8")


def fenced(language: str, text: str = README) -> list[str]:
    """The contents of all fenced blocks of one language."""
    return [block.body for block in blocks(text) if block.language == language]


def commands(text: str = README) -> list[str]:
    """The lines of all shell blocks."""
    return [line for body in fenced("bash", text) for line in body.splitlines() if line.strip()]


TAKEN_APART = {
    "pip install tox && tox -e bench",
    "pip install tox && tox",
    "pip install -e .",
    "pytest benchmarks/ -k vqa",
}
RUN = [command for command in commands() if command not in TAKEN_APART]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the README speaks of: the programs it shows, a picture, data in official formats."""
    from toyworld.export import write_captions, write_vqa
    from toyworld.splits import scenes

    folder = tmp_path_factory.mktemp("a newcomer's folder")
    for program in fenced("python"):
        (folder / program.split("\n", 1)[0].removeprefix("# ")).write_text(program, encoding="utf-8")
    data = folder / "path" / "to" / "coco"
    some = scenes("test", 4)
    write_captions(data, some)
    _, annotations = write_vqa(data, some)
    shutil.copy(next((data / "images").iterdir()), folder / "picture.png")
    for name in ("real", "made"):
        shutil.copytree(data / "images", folder / "path" / "to" / name)
    answer_all(annotations, folder / "path" / "to" / "results.json")
    return folder


def answer_all(annotations: Path, results: Path) -> None:
    """Write what another program might have: answers in VQA v2's result format, some of them right."""
    import json

    rng = random.Random(0)
    asked = json.loads(annotations.read_text("utf-8"))["annotations"]
    answers = [
        {
            "question_id": each["question_id"],
            "answer": rng.choice([each["multiple_choice_answer"], "no idea"]),
        }
        for each in asked
    ]
    results.write_text(json.dumps(answers), encoding="utf-8")


def run(command: str, machine: Machine, folder: Path) -> str:
    """Run a command line and return what it printed."""
    done = machine.run(command, folder)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def tox_commands(environment: str, posargs: str = "") -> list[str]:
    """What an environment of tox.ini runs, with console scripts by their name."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    lines = parser[f"testenv:{environment}"]["commands"].strip().splitlines()
    return [re.sub(r"\{posargs(:[^}]*)?\}", posargs, line).replace("{[jobs]bin}{/}", "") for line in lines]


# --- the commands --------------------------------------------------------------------------------


def test_commands_taken_apart_are_those_of_the_readme() -> None:
    assert set(commands()) >= TAKEN_APART


@pytest.mark.slow
@pytest.mark.parametrize("command", RUN)
def test_command_runs(command: str, machine: Machine, scratch: Path) -> None:
    assert run(command, machine, scratch).strip()


def test_test_command_is_what_continuous_integration_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"pip install .*tox && tox", script)
    tests = " ".join(tox_commands("tests"))
    for check in ("{[jobs]lint}", "pytest -n", "pytest benchmarks --bench-limit"):
        assert check in tests


@pytest.mark.slow
def test_main_job_ends_in_a_page_whose_path_it_prints(machine: Machine, scratch: Path) -> None:
    *runs, compare = tox_commands("bench", posargs="--limit 4")
    for command in runs:
        run(command, machine, scratch)
    printed = run(compare, machine, scratch)
    (page,) = [line for line in printed.splitlines() if line.endswith(".html")]
    assert "<table" in (scratch / page).read_text(encoding="utf-8")


def test_installation_finds_a_whole_project() -> None:
    """What ``pip install -e .`` asks the build for first."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "metadata"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert '"name": "nextgpt"' in done.stdout, done.stderr


def test_benchmarks_of_a_family_are_found() -> None:
    """``pytest benchmarks/ -k vqa``, up to the point where it would compute."""
    arguments = ["benchmarks/", "-k", "vqa", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "test_vqa.py" in done.stdout, done.stdout + done.stderr
    assert "test_editing.py" not in done.stdout


# --- the rest of the page ------------------------------------------------------------------------


def test_every_link_to_a_file_leads_to_one() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_environments_named_anywhere_exist() -> None:
    """``tox -e lint`` in CONTRIBUTING.md means an environment of tox.ini."""
    defined = set(re.findall(r"^\[testenv:(\w+)\]", (ROOT / "tox.ini").read_text("utf-8"), re.MULTILINE))
    pages = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"tox -e (\w+)", pages)) <= defined


def test_command_that_nobody_tries_would_be_run() -> None:
    assert commands("text\n```bash\na b\n\nc\n```\n```python\nd\n```\n") == ["a b", "c"]
