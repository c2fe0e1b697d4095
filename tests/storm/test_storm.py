"""A short storm over trainings and studies; the long one is ``python -m tests.storm``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.storm.__main__ import storm
from tests.storm.kinds import study, training

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the storm forks")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["training", "study"])
def test_a_short_storm_over_trainings_and_studies_loses_nothing(what: str, tmp_path: Path) -> None:
    kind = training(tmp_path / "backbones") if what == "training" else study()
    counts, found = storm(8, 2, tmp_path / "storm", [kind])
    assert found == []
    assert sum(count for name, count in counts.items() if what in name) >= 8


def test_the_storm_sees_a_confirmed_answer_that_was_lost(tmp_path: Path) -> None:
    kind = study()
    tmp_path = tmp_path / "job"
    tmp_path.mkdir()
    for step in kind.steps(None):  # type: ignore[arg-type]  # nothing in it is drawn
        step(tmp_path)
    expected = kind.outcome(tmp_path)
    assert kind.complaints(tmp_path, expected) == []
    with (tmp_path / "confirmed").open("a") as file:
        file.write("1 0123\n")
    assert kind.complaints(tmp_path, expected) == ["lost: 0123"]
