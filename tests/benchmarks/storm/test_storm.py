from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from benchmarks.harness.predictions import FILE
from benchmarks.storm.__main__ import storm
from benchmarks.storm.jobs import KINDS, complaints, folder, outcome

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the storm forks")


def test_a_short_storm_loses_nothing_and_changes_no_digit(tmp_path: Path) -> None:
    counts, found = storm(30, 1, tmp_path)
    assert found == []
    assert sum(count for name, count in counts.items() if "step" in name) >= 30
    assert {name.rpartition(": ")[2] for name in counts if "step" in name} == {
        "kill",
        "terminate",
        "full disk",
    }


def test_the_storm_sees_what_is_lost_or_changed(tmp_path: Path) -> None:
    (step,) = KINDS[0].steps(Random(0))
    step(tmp_path)
    expected = outcome(tmp_path)
    assert complaints(tmp_path, expected) == []
    log = folder(tmp_path) / FILE
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    found = complaints(tmp_path, expected)
    assert "other answers" in found
    assert "other results" in found
