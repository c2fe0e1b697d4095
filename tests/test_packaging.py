"""What an installation gets: the right files, the dependencies that the code really has, true bounds."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("metrics", "nextgpt", "baselines", "toyworld", "benchmarks", "reports")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES: dict[str, Requirement] = {
    canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])
}

# Import names that differ from the names on the registry.
DISTRIBUTION = {"PIL": "pillow", "yaml": "pyyaml", "huggingface_hub": "huggingface-hub"}
# Imported by transformers alone, to read the `tokenizer.model` that Vicuna and T5 come with.
THROUGH_OTHERS = {"protobuf", "sentencepiece"}
# Imported only where a person asked for it, behind an extra or a clear message.
OPTIONAL = {"bitsandbytes", "deepspeed", "laion_clap", "torchvision", "ray", "torchmetrics"}
OPTIONAL |= {"pip"}  # where weights are fetched
OPTIONAL |= {"efficientnet_lite_pytorch", "ai_edge_litert"}  # real weights that packages carry
# The extra `serve`: Gradio, and what it is built upon and brings along.
OPTIONAL |= {"gradio", "fastapi", "uvicorn"}
# Neighbours that speed is measured beside, each in an environment of its own.
OPTIONAL |= {"lm_eval", "inspect_ai", "datasets"}
# The extra `packaged`: what runs real weights.
OPTIONAL |= {"ai_edge_litert", "efficientnet_lite_pytorch", "gguf"}
# The pytest plugin of benchmarks/ comes with the extra `test`.
TEST_ONLY = {"pytest", "_pytest", "hypothesis"}


def third_party(path: Path) -> set[str]:
    """Top names of everything that a file imports beyond the standard library and this project."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("find_spec"):
            # A package that is wanted for the files that it carries, such as a Java runtime.
            names |= {str(word.value) for word in node.args if isinstance(word, ast.Constant)}
    return names - set(sys.stdlib_module_names) - set(PACKAGES)


def pins(name: str) -> dict[str, Version]:
    """The exact versions of a constraints file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(r.name): Version(str(r.specifier).removeprefix("==")) for r in requirements}


def test_every_import_is_declared_and_every_dependency_is_imported() -> None:
    used = {
        name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in third_party(path)
    }
    used = {DISTRIBUTION.get(name, name) for name in used - OPTIONAL - TEST_ONLY}
    assert used - set(DEPENDENCIES) == set(), "imported and not declared in pyproject.toml"
    assert set(DEPENDENCIES) - used == THROUGH_OTHERS, "declared in pyproject.toml and imported nowhere"


def test_constraints_lie_within_the_bounds() -> None:
    pinned = pins("constraints.txt")
    assert set(DEPENDENCIES) - set(pinned) == set()
    assert [name for name, bound in DEPENDENCIES.items() if pinned[name] not in bound.specifier] == []


@pytest.mark.parametrize("extra", PROJECT["optional-dependencies"])
def test_extra_can_be_installed_beside_the_core(extra: str) -> None:
    """What an extra asks for goes with the versions last tried; what laion-clap asks for never did."""
    pinned = pins("constraints.txt")
    asked = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["optional-dependencies"][extra])}
    tried = {name: bound for name, bound in asked.items() if name in pinned}
    assert [name for name, bound in tried.items() if pinned[name] not in bound.specifier] == []
    assert "laion-clap" not in asked, "it asks for numpy<2, so that pip finds no versions for it and the core"


@pytest.mark.parametrize("extra", ["packaged", "test"])
def test_extra_is_pinned_where_tox_installs_it(extra: str) -> None:
    """What judges real weights tomorrow is what judged them today."""
    asked = {canonicalize_name(Requirement(each).name) for each in PROJECT["optional-dependencies"][extra]}
    assert asked - pins("constraints.txt").keys() == set()


def test_environment_of_clap_has_the_torch_that_was_tried() -> None:
    """It names the very build (`===`), for torchvision's wheel goes with no other."""
    named = re.search(r"torch===(\S+)", (ROOT / "tox.ini").read_text(encoding="utf-8"))
    assert named is not None
    assert Version(named[1]) == pins("constraints.txt")["torch"]


def test_lowest_constraints_are_the_lower_bounds() -> None:
    bounds = {
        name: Version(bound.version)
        for name, requirement in DEPENDENCIES.items()
        for bound in requirement.specifier
        if bound.operator == ">="
    }
    assert bounds.keys() == DEPENDENCIES.keys()
    assert pins("constraints-lowest.txt") == bounds


def test_torch_has_an_upper_bound() -> None:
    """Without one, a plain installation takes a build that nothing here was tried with."""
    assert Version("99") not in DEPENDENCIES["torch"].specifier


@pytest.mark.parametrize("entry", PROJECT["scripts"].values(), ids=list(PROJECT["scripts"]))
def test_console_script_exists(entry: str) -> None:
    module, function = entry.split(":")
    assert callable(getattr(import_module(module), function))


def test_nextgpt_finds_the_commands_of_packages_above_it_by_entry_points() -> None:
    commands = PROJECT["entry-points"]["nextgpt.commands"]
    assert list(commands) == ["serve"]
    for entry in commands.values():
        module, function = entry.split(":")
        assert callable(getattr(import_module(module), function))


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    (module,) = PROJECT["entry-points"]["pytest11"].values()
    assert hasattr(import_module(module), "pytest_addoption")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files inside a wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_wheel_carries_all_code_and_data(wheel: set[str]) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".tmp"
    }
    assert ours - wheel == set()
    for needed in ("presets/tiny.yaml", "templates/", "toyworld/weights/", "benchmarks/expected/"):
        assert any(needed in name for name in wheel), f"nothing of {needed} in the wheel"


def test_wheel_carries_nothing_else(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if top not in PACKAGES and not top.endswith(".dist-info")} == set()


def tracked() -> list[Path]:
    """The files under version control; skips where there is none, as in an unpacked archive."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_shipped_weights_are_small() -> None:
    """Every version of a weight file stays in the history for ever."""
    weights = [path for path in tracked() if "weights" in path.parts]
    assert sum(path.stat().st_size for path in weights) < 32 * 2**20
    assert {
        path.name for path in tracked() if path.suffix in {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
    } == set()


def test_no_path_of_a_machine_is_in_the_tree() -> None:
    """A home folder in a tracked file is of use to nobody else; Jane's is made up."""
    home = re.compile(rb"(?<![\w.])/(home|root|Users)/(?!jane\b)\w", re.IGNORECASE)
    here = re.compile(re.escape(os.fsencode(ROOT)) + rb"(/|\b)")
    texts = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in tracked()}
    assert [name for name, text in texts.items() if home.search(text) or here.search(text)] == []


def test_tox_works_below_a_folder_with_a_blank() -> None:
    text = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert "PIP_CONSTRAINT =" not in text, "pip splits it at blanks: use install_command"
    commands = [line for line in text.splitlines() if re.search(r"\{(\[jobs\]bin|tox_root)\}\{/\}", line)]
    assert len(commands) > 8
    split = [line for line in commands if re.search(r'(?<!")\{(\[jobs\]bin|tox_root)\}\{/\}[\w.-]', line)]
    assert split == [], "quote paths that tox fills in"
