"""`nextgpt-bench doctor`: everything that metrics need, found or missing, and what that disables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import doctor, registry
from benchmarks.doctor import examine
from tests.benchmarks.terminal import Command

# Networks and programs, as the rows name them; systems are in the registry's tests.
NEEDED = (
    "Java",
    "PTB tokeniser",
    "METEOR 1.5",
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
    gone: Callable[[Any], None] = lambda name: None  # noqa: E731 - a stand-in for a search that finds nothing
    monkeypatch.setattr("metrics.captions.java.find_spec", gone)
    monkeypatch.setattr(target, gone)
    found = next(finding for finding in examine() if finding.what == what)
    assert not found.present
    assert reason in found.reason


def test_every_extractor_of_the_registry_is_looked_for() -> None:
    rows = " ".join(finding.what.lower() for finding in examine())
    assert all(name in rows for name in registry.EXTRACTORS)
