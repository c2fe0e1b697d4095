from __future__ import annotations

import pytest

from nextgpt.config import load_config
from nextgpt.training import gain


@pytest.mark.slow  # trains for a few steps
@pytest.mark.weights
def test_training_is_measured_with_precomputed_features_and_without() -> None:
    lines = [line.split(" | ") for line in gain.rows(load_config("tiny"), steps=1)]
    assert [line[0] for line in lines] == ["| encoding", "| decoding"]
    assert [line[4] for line in lines] == ["2", "2"]
