from __future__ import annotations

import json
from pathlib import Path

import pytest

from nextgpt.config import load_config
from nextgpt.training import gain
from tests.nextgpt.backbones import plain


@pytest.mark.slow  # trains for a few steps
@pytest.mark.weights
def test_training_is_measured_with_precomputed_features_and_without() -> None:
    lines = [line.split(" | ") for line in gain.rows(load_config("tiny"), steps=1)]
    assert [line[0] for line in lines] == ["| encoding", "| decoding"]
    assert [line[4] for line in lines] == ["2", "2"]


@pytest.mark.slow
@pytest.mark.weights
def test_pairs_in_files_are_read_anew(tmp_path: Path) -> None:
    """One of them is broken, and the places of those after it are not their numbers."""
    for number in range(100):
        plain("red", side=16 + number % 7).save(tmp_path / f"{number}.png")
    records = [{"caption": "a red star", "image_name": f"{number}.png"} for number in range(100)]
    records[3]["image_name"] = "gone.png"
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(records))
    lines = list(gain.rows(load_config("tiny"), steps=1, pairs=path))
    assert len(lines) == 2
