from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.harness.benchmark import Benchmark
from benchmarks.harness.system import System
from benchmarks.suites import Suite
from nextgpt.messages import Failure, Message, Request, assistant, seed_of, user

HEAVY = ("torch", "transformers", "diffusers", "numpy", "PIL", "pandas")


def ask(system: System, *samples: str) -> list[Message | Failure]:
    return system.respond([Request((user("?"),), seed=seed_of(sample)) for sample in samples])


def test_importing_the_registry_imports_nothing_heavy() -> None:
    program = f"import sys, benchmarks.registry; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", registry.BENCHMARKS)
def test_every_benchmark_is_what_its_entry_says(name: str) -> None:
    found = registry.load_benchmark(name)
    assert isinstance(found, Benchmark)
    assert (found.name, found.family) == (name, registry.BENCHMARKS[name].family)


@pytest.mark.parametrize("suite", registry.SUITES.values(), ids=lambda suite: suite.name)
def test_every_suite_holds_benchmarks(suite: Suite) -> None:
    assert set(suite.benchmarks) <= set(registry.BENCHMARKS)
    assert registry.benchmark_names(suite.name) == suite.benchmarks


@pytest.mark.parametrize("entry", registry.SYSTEMS.values(), ids=lambda entry: entry.name)
def test_every_system_has_a_home(entry: registry.SystemEntry) -> None:
    module, _, factory = entry.target.partition(":")
    assert callable(getattr(import_module(module), factory))


@pytest.mark.parametrize(
    ("look", "name", "meant"),
    [
        (registry.benchmark_names, "toyworl", "did you mean toyworld?"),
        (registry.load_benchmark, "coco-caption", "did you mean coco-captions?"),
        (registry.load_system, "nextgpt-tinny", "did you mean nextgpt-tiny?"),
        (registry.load_system, "xyzzy", "package.module:factory"),
        (registry.load_benchmark, "xyzzy", "'xyzzy'; `nextgpt-bench list` has all$"),
    ],
)
def test_misspelt_name_is_corrected(look: object, name: str, meant: str) -> None:
    assert callable(look)
    with pytest.raises(registry.RegistryError, match=meant.replace("?", r"\?")):
        look(name)


MODULE = """
from nextgpt.messages import assistant

class Parrot:
    name, fingerprint = "parrot", "1"
    accepts = produces = frozenset({"text"})
    given = frozenset()

    def respond(self, requests):
        return [assistant(request.conversation[-1].text) for request in requests]

def no_system():
    return 7

answer = 42
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_parrots.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "my_needy.py").write_text("import not_installed_anywhere\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    return tmp_path


def test_system_of_ones_own_is_found_in_the_current_folder(here: Path) -> None:
    (answer,) = ask(registry.load_system("my_parrots:Parrot"), "1")
    assert answer == assistant("?")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("my_parots:Parrot", "no module named 'my_parots'"),
        ("my_parrots:Parot", "did you mean Parrot?"),
        ("my_parrots:", "factory in my_parrots"),
        ("my_parrots:answer", "answer is no factory but int"),
        ("my_parrots:no_system", "returned int, which is no system; it lacks name, fingerprint"),
        ("my_needy:Parrot", "my_needy needs not_installed_anywhere"),
        (":Parrot", "not of the form package.module:factory"),
    ],
)
def test_system_of_ones_own_that_is_none_is_explained(here: Path, target: str, words: str) -> None:
    with pytest.raises(registry.RegistryError) as caught:
        registry.load_system(target)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vqa.json", json.dumps([{"question_id": 7, "answer": "a cat"}])),
        ("captions.json", json.dumps([{"image_id": 7, "caption": "a cat"}])),
        (
            "predictions.jsonl",
            '{"sample": "7", "message": {"role": "assistant", "parts": [{"text": "a cat"}], "steps": []}}\n',
        ),
    ],
)
def test_file_of_answers_is_a_system(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    system = registry.load_system(f"answers:{path}")
    known, unknown = ask(system, "7", "8")
    assert known == assistant("a cat")
    assert isinstance(unknown, Failure)
    assert system.name == f"answers-{path.stem}"
    path.write_text(content.replace("cat", "dog"), encoding="utf-8")
    assert registry.load_system(f"answers:{path}").fingerprint != system.fingerprint


@pytest.mark.parametrize(
    ("place", "name"),
    [("my results (2).json", "answers-my-results--2-"), ("gpt/toy-vqa/predictions.jsonl", "answers-gpt")],
)
def test_recorded_answers_are_named_after_who_gave_them(tmp_path: Path, place: str, name: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.with_name("run.json").touch()
    line = {"sample": "7", "message": {"role": "assistant", "parts": []}}
    path.write_text(json.dumps(line if path.suffix == ".jsonl" else [{"image_id": 7, "caption": ""}]))
    assert registry.load_system(f"answers:{path}").name == name


@pytest.mark.parametrize("rows", [[], [{"id": 7}], {"question_id": 7}])
def test_file_of_something_else_is_refused(tmp_path: Path, rows: Sequence[object]) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(ValueError, match=r"results\.json"):
        registry.load_system(f"answers:{path}")
