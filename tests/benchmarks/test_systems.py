"""Systems by name: with an argument, of installed packages, in a user's own file; the two ends of a scale."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.harness import Options, evaluate
from benchmarks.harness.records import Run
from benchmarks.registry import RegistryError, load_benchmark, load_system
from benchmarks.systems import systems
from nextgpt.messages import Failure, Message, Modality, Request, user

ROOT = Path(__file__).resolve().parent.parent.parent
PARROT = """
from nextgpt.messages import assistant

class Parrot:
    fingerprint = "1"
    accepts = produces = frozenset({"text"})
    given = frozenset()

    def __init__(self, word="?"):
        self.name, self.word = f"parrot-{word}".strip("?-"), word

    def respond(self, requests):
        return [assistant(self.word) for _ in requests]

def stubborn(word):
    raise OSError(f"no {word} today")

class Nested:
    parrot = Parrot

not_callable = 7
"""
POINTS = """[nextgpt.systems]
parrot = parrots.made:Parrot
nested = parrots.made:Nested.parrot
stubborn = parrots.made:stubborn
broken = parrots.broken:Parrot
absent = parrots.nowhere:Parrot
lacking = parrots.made:Parot
number = parrots.made:not_callable
null = parrots.made:Parrot

[console_scripts]
other = parrots.made:Parrot
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution as pip leaves it: a package, and a dist-info folder beside it."""
    site = tmp_path / "site"
    (site / "parrots").mkdir(parents=True)
    (site / "parrots/__init__.py").touch()
    (site / "parrots/made.py").write_text(PARROT)
    (site / "parrots/broken.py").write_text("raise RuntimeError('the cage is empty')\n")
    info = site / "many_parrots-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: many-parrots\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(site))
    yield site
    for name in [name for name in sys.modules if name.split(".")[0] == "parrots"]:
        del sys.modules[name]


def said(name: str) -> str:
    (answer,) = load_system(name).respond([Request((user("hello"),))])
    assert isinstance(answer, Message)
    return answer.text


# --- of installed packages --------------------------------------------------------------------------


def test_system_of_an_installed_package_is_found_by_its_name_with_and_without_argument(
    installed: Path,
) -> None:
    assert said("parrot") == "?"
    assert said("parrot:polly") == "polly"
    assert said("nested:coco") == "coco"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "broken, of the package many-parrots, can't be imported from parrots.broken:Parrot"),
        ("broken", "RuntimeError: the cage is empty"),
        ("absent", "ModuleNotFoundError: No module named 'parrots.nowhere'"),
        ("lacking", "AttributeError: module 'parrots.made' has no attribute 'Parot'"),
        ("number", "is no factory but int"),
        ("stubborn:seed", "raised OSError: no seed today, in made.py"),
        ("stubborn", "raised TypeError"),
        ("parot", "did you mean parrot?"),
    ],
)  # fmt: skip
def test_broken_entry_point_is_named_and_the_rest_works(installed: Path, name: str, words: str) -> None:
    with pytest.raises(RegistryError) as caught:
        load_system(name)
    assert words in str(caught.value)
    assert said("parrot") == "?"
    assert load_system("null").name == "null"


def test_name_that_is_taken_stays_the_registrys(installed: Path) -> None:
    listed = systems()
    assert listed["null"].target == "baselines.null:Null"
    assert listed["many-parrots.null"].target == "parrots.made:Parrot"
    assert said("many-parrots.null") == "?"


def test_listing_shows_installed_systems_and_imports_none(installed: Path) -> None:
    program = (
        "import sys; sys.argv = ['nextgpt-bench', 'list']\nfrom benchmarks.cli import main\n"
        "try: main()\nexcept SystemExit: pass\nprint('imported:', 'parrots' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(installed)!r}, {str(ROOT)!r}]\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"^ *parrot +of the package many-parrots", done.stdout, re.MULTILINE)
    assert re.search(r"^ *broken +of the package many-parrots", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "imported: False"


# --- with an argument -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", [entry for entry in registry.SYSTEMS.values() if ":" in entry.name], ids=lambda entry: entry.name
)
def test_name_that_wants_an_argument_says_which(entry: registry.SystemEntry) -> None:
    head = entry.name.partition(":")[0]
    for name in (head, f"{head}:", entry.name):
        with pytest.raises(RegistryError, match=f"name it as {entry.name}"):
            load_system(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("caption-then-tool-7b", "neither a folder nor in the local hub cache"),
        ("hf:nowhere/at-all", "neither a folder nor in the local hub cache"),
        ("diffusers:nowhere/at-all", "neither a folder nor in the local hub cache"),
        ("openai:nowhere", "begins with http:// or https://"),
        ("tools:nowhere.yaml", "no file that can be read"),
        ("answers:nowhere.json", "nowhere.json"),
    ],
)
def test_what_a_name_leads_to_and_is_not_there_is_told(name: str, words: str) -> None:
    with pytest.raises((ValueError, OSError), match=re.escape(words)):
        load_system(name)


# --- a user's own file, as CONTRIBUTING has it ------------------------------------------------------


@pytest.fixture
def shade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = [each for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "class Shade" in each]
    assert len(block.splitlines()) < 40
    (tmp_path / "shade.py").write_text(block, encoding="utf-8")
    return tmp_path


def test_system_in_a_file_of_ones_own_runs_as_documented(shade: Path) -> None:
    words = ["run", "--system", "shade:Shade", "--limit", "4"]
    words += ["--benchmark", "toy-vqa", "--benchmark", "toy-text-to-image"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cli", *words],
        cwd=shade,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(shade)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "toy-vqa" in done.stdout, done.stderr
    assert (shade / "runs/shade/toy-vqa/results.json").exists()
    predictions = (shade / "runs/shade/toy-text-to-image/predictions.jsonl").read_text()
    assert "no shade is named in" in predictions


# --- the two ends of every scale --------------------------------------------------------------------


def headline(run: Run) -> float:
    (value,) = [
        result.value
        for result in run.results
        if result.metric == run.manifest.headline and result.slice is None and result.value is not None
    ]
    return value


# Toyworld's annotators now and then disagree with the truth; its oracle reads every picture that it made.
CEILINGS = {"toy-vqa": 0.95, "toy-text-to-image": 1.0, "toy-editing": 1.0}


@pytest.mark.parametrize("name", CEILINGS)
def test_null_is_the_floor_and_the_oracle_the_ceiling(name: str, tmp_path: Path) -> None:
    benchmark = load_benchmark(name)
    null, oracle = (
        headline(evaluate(benchmark, load_system(system), tmp_path, Options(limit=20), progress=False))
        for system in ("null", "oracle")
    )
    assert null == 0
    assert oracle >= CEILINGS[name]


def test_oracle_answers_no_data_that_hold_no_truth() -> None:
    (answer,) = load_system("oracle").respond([Request((user("what is it?"),))])
    assert isinstance(answer, Failure)
    assert answer.stage == "oracle"


@pytest.mark.parametrize(
    ("plan", "modality"),
    [
        ("film: a small red star at the top vanishes", "video"),
        ("draw: a small red star in the top left", "image"),
    ],
)
def test_oracle_makes_what_the_truth_calls_for(plan: str, modality: Modality) -> None:
    (answer,) = load_system("oracle").respond([Request((user("make it"),), hints={"plan": plan})])
    assert isinstance(answer, Message)
    assert [medium.modality for medium in answer.media] == [modality]
