"""Fixtures of the report tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
    monkeypatch.setattr(registry, "benchmark_of_run", lambda made: benchmark(made.benchmark))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless chromium, driven by playwright; where either is missing, the test is skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on the path (Debian: apt-get install chromium)")
    api.expect.set_options(timeout=30_000)  # a crowded machine is slow, and not wrong
    with api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


# A button that fades in has colours on the way that nobody reads it in.
SETTLED = """() => Promise.all(document.getAnimations()
    .filter(each => isFinite(each.effect.getComputedTiming().endTime))
    .map(each => each.finished.catch(() => null)))"""


@pytest.fixture
def serious() -> Callable[[Any], str]:
    """What axe-core finds serious or critical on a page, in words; empty where nothing is."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed (extra `browser`)"
    )

    def examine(page: Any) -> str:
        page.evaluate(SETTLED)
        # axe is put in from outside, past the page's own policy, as an inspector is
        found = axe.Axe().run(page).response["violations"]
        grave = [each for each in found if each["impact"] in ("serious", "critical")]
        return json.dumps(grave, indent=1)[:3000] if grave else ""

    return examine
