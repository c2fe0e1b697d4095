"""What the tests of generated media share: pictures to score, and rows that were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nextgpt.media import Image
from tests.benchmarks.networks import WORDS
from tests.benchmarks.terminal import ROW

NAMES = ("red", "green", "blue")
BOTH = ("--references", "true", "--predictions", "said")


def picture(colour: str, rng: np.random.Generator, noise: int = 60) -> Image:
    pixels = np.array(WORDS[colour]) * 150 + rng.integers(0, noise, 3)
    return Image(np.broadcast_to(pixels, (4, 4, 3)).astype(np.uint8))


def rows(file: str = "rows.json") -> dict[tuple[str, str], dict[str, Any]]:
    """Rows by metric and the network's name in the signature."""
    found = json.loads(Path(file).read_text())
    assert all(set(row) >= ROW for row in found)
    return {(row["metric"], "classes" if "classes" in row["signature"] else "colours"): row for row in found}
