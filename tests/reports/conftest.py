"""Fixtures of the report tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import registry
from tests.reports.invented import NASTY, benchmark, failing_from, play, right_below


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of everything that a page can show."""
    out = tmp_path_factory.mktemp("runs")
    play(out, "nextgpt-tiny", right_below(30))
    play(out, "caption-then-tool", failing_from(12))
    play(out, "caption-then-tool+caption", right_below(20, steps=(("caption", NASTY),)), given=("caption",))
    play(out, "caption-then-tool+plan", right_below(32), given=("plan",))
    play(out, "nextgpt-tiny-linear", right_below(28))
    play(out, "nextgpt-tiny-blind", right_below(5, draws=False))
    return out


@pytest.fixture(autouse=True)
def invented_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry finds the invented benchmark by its name."""
    monkeypatch.setattr(registry, "load_benchmark", benchmark)
