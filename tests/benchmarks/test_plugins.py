"""What installed packages bring is listed and found by name; a broken one is named and spoils no other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import plugins, registry
from benchmarks.harness.records import Manifest
from benchmarks.registry import (
    RegistryError,
    benchmark_names,
    benchmark_of_run,
    load_benchmark,
    load_extractor,
    load_metric,
    load_system,
)

ROOT = Path(__file__).resolve().parents[2]
MADE = (ROOT / "docs/plugin/shades.py").read_text(encoding="utf-8")
WEIGHTED = "\nWEIGHTED = lambda where='none': where\n"

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution as pip leaves it: its name, its one module, the entry points of its groups."""
    modules = []

    def put(package: str, source: str, points: str) -> None:
        module = package.replace("-", "_")
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (tmp_path / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        modules.append(module)

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_OWN", {})
    yield put
    for module in modules:
        sys.modules.pop(module, None)


def test_every_kind_is_found_by_its_name(install: Install) -> None:
    points = (
        "[nextgpt.benchmarks]\nshades = grey:SHADES\n[nextgpt.systems]\ngrey-eye = grey:GreyEye\n"
        "[nextgpt.metrics]\nshade-error = grey:ShadeError\n[nextgpt.extractors]\nweighted = grey:WEIGHTED\n"
    )
    install("grey", MADE + WEIGHTED, points)
    assert benchmark_names("shades") == ("shades",)
    assert load_benchmark("shades").name == "shades"
    assert load_system("grey-eye").name == "grey-eye"
    assert load_metric("shade-error").name == "shade_error"
    assert (load_extractor("weighted"), load_extractor("weighted:there")) == ("none", "there")


LOAD: dict[plugins.Kind, Callable[[str], object]] = {
    "benchmark": load_benchmark,
    "system": load_system,
    "metric": load_metric,
    "extractor": load_extractor,
}
GOOD = {"benchmark": "SHADES", "system": "GreyEye", "metric": "ShadeError", "extractor": "Brightness"}


@pytest.mark.parametrize("kind", LOAD)
def test_plugin_that_cannot_be_imported_is_named_and_the_rest_works(
    install: Install, kind: plugins.Kind
) -> None:
    group = plugins.GROUPS[kind]
    install("grey", MADE, f"[{group}]\nshades = grey:{GOOD[kind]}\n")
    install("red", "raise RuntimeError('no red today')", f"[{group}]\nreds = red:{GOOD[kind]}\n")
    with pytest.raises(RegistryError, match=r"reds, of the package red, can't be imported .* no red today"):
        LOAD[kind]("reds")
    assert LOAD[kind]("shades")
    assert {"reds", "shades"} <= set(plugins.plugins(kind))


@pytest.mark.parametrize("kind", LOAD)
def test_two_plugins_of_one_name_are_refused_by_name_and_the_rest_works(
    install: Install, kind: plugins.Kind
) -> None:
    group = plugins.GROUPS[kind]
    for package in ("grey", "light-grey"):
        source = package.replace("-", "_")
        install(
            package, MADE, f"[{group}]\nshades = {source}:{GOOD[kind]}\nown-{package} = {source}:nothing\n"
        )
    with pytest.raises(RegistryError, match=f"{kind} 'shades' is brought by grey and light-grey; say which"):
        LOAD[kind]("shades")
    assert LOAD[kind]("grey.shades")
    assert LOAD[kind]("light-grey.shades")
    assert {"grey.shades", "light-grey.shades", "own-grey"} <= set(plugins.plugins(kind))
    if kind == "benchmark":
        with pytest.raises(RegistryError, match=r"say which: grey\.shades or light-grey\.shades"):
            benchmark_names("shades")


def run_of(name: str, origin: str) -> Manifest:
    """What a run says of its benchmark."""
    told = dict.fromkeys(Manifest.__dataclass_fields__)
    return Manifest(**told | {"benchmark": name, "origin": origin})  # type: ignore[arg-type]


def test_of_two_benchmarks_of_one_name_a_run_knows_its_own(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("grey", "light"):
        source = MADE.replace('source="made up"', f'source="{package}"')
        install(package, source, f"[nextgpt.benchmarks]\nshades = {package}:SHADES\n")
    assert load_benchmark("light.shades").origin == "light:SHADES"
    monkeypatch.setattr(registry, "_OWN", {})
    assert benchmark_of_run(run_of("shades", "grey:SHADES")).source == "grey"
    monkeypatch.setattr(registry, "_OWN", {})
    with pytest.raises(RegistryError, match="say which"):
        benchmark_of_run(run_of("shades", ""))
    load_benchmark("light.shades")  # a person says which
    assert benchmark_of_run(run_of("shades", "")).source == "light"


def test_name_of_this_project_stays_its_own(install: Install) -> None:
    points = "[nextgpt.benchmarks]\ntoy-vqa = grey:SHADES\n[nextgpt.extractors]\nclip = grey:Brightness\n"
    install("grey", MADE.replace('"shades"', '"toy-vqa"'), points)
    assert load_benchmark("toy-vqa").protocol != {}
    assert load_extractor("grey.clip").signature == "brightness"
    with pytest.raises(RegistryError, match="'toy-vqa', is this project's too; rename it"):
        load_benchmark("grey.toy-vqa")


@pytest.mark.parametrize(
    ("group", "target", "load", "words"),
    [
        ("benchmarks", "GreyEye", load_benchmark, "is no Benchmark but type"),
        ("benchmarks", "SHADES", load_benchmark, "'shades', is not that of its entry point, 'odd'"),
        ("metrics", "GreyEye", load_metric, "returned GreyEye, which is no metric"),
        ("metrics", "PROMPT", load_metric, "is no factory but str"),
        ("extractors", "PROMPT", load_extractor, "is no factory but str"),
        ("extractors", "absent", load_extractor, "has no attribute 'absent'"),
    ],
)
def test_plugin_that_is_something_else_is_one_line(
    install: Install, group: str, target: str, load: Callable[[str], object], words: str
) -> None:
    install("grey", MADE, f"[nextgpt.{group}]\nodd = grey:{target}\n")
    with pytest.raises(RegistryError, match=words) as caught:
        load("odd")
    assert "of the package grey" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_name_suggests_a_plugin(install: Install) -> None:
    install("grey", MADE, "[nextgpt.metrics]\nshade-error = grey:ShadeError\n")
    with pytest.raises(RegistryError, match="did you mean shade-error"):
        load_metric("shade-eror")


@pytest.mark.slow
def test_sample_package_of_the_documentation_installs_lists_and_runs(tmp_path: Path) -> None:
    site = tmp_path / "site"
    pytest.importorskip("pip", reason="an environment without pip installs nothing")
    build = ["hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run([sys.executable, "-m", *build], cwd=ROOT / "docs/plugin", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}

    def bench(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cli", *words],
            cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = bench("list")
    sections = {head: rows for head, _, rows in (part.partition("\n") for part in listed.split("\n\n"))}
    for kind, name in (
        ("installed benchmarks", "shades"),
        ("systems", "grey-eye"),
        ("metrics", "shade-error"),
        ("extractors", "brightness"),
    ):
        assert re.search(rf"^  {name} +of the package shades$", sections[kind], re.MULTILINE)
    assert re.search(r"0\.000", bench("run", "--benchmark", "shades", "--system", "grey-eye"))
