"""Cost against quality: where systems stand, and what is not known is not drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.benchmark import Sample
from nextgpt.messages import Message, assistant
from reports.costs import cost_plots
from reports.evidence import read_dossier
from reports.plots import Plot
from reports.scores import page_results
from tests.reports.drawn import points, texts
from tests.reports.invented import benchmark, play, right_below


def plots_of(folder: Path) -> list[Plot]:
    dossier = read_dossier(folder)
    return cost_plots(dossier, page_results(dossier))


def test_slower_is_right_and_better_is_up(tmp_path: Path) -> None:
    for name, right, seconds in (("quick", 10, 0.02), ("slow", 30, 2.0), ("silent", 20, None)):
        play(tmp_path, name, right_below(right))
        path = tmp_path / name / "invented" / "results.json"
        rows = json.loads(path.read_text())
        path.write_text(json.dumps([row | {"seconds": seconds} for row in rows]))
        reseal(path.parent)
    plot, *others = plots_of(tmp_path)
    assert ["memory" in other.title for other in others] == [True]
    quick, slow = points(plot.drawings[0])
    assert quick.x < slow.x
    assert slow.y < quick.y
    assert plot.description.endswith("; slow: 0.750 (0.510 to 0.896) at 2 s.")
    assert {"0.01", "0.1", "1", "10"} <= set(texts(plot.drawings[0]))


def test_memory_and_tokens_are_drawn_where_runs_tell_them(tmp_path: Path) -> None:
    on = replace(benchmark(), name="told")
    for name, tokens in (("short", 10), ("long", 1500)):

        def answer(sample: Sample, tokens: int = tokens) -> Message:
            return assistant("yes", steps=(("tokens", f"{tokens - 4:,} read, 4 written"),))

        play(tmp_path, name, answer, on)
        manifest = tmp_path / name / "told" / "run.json"
        manifest.write_text(
            json.dumps(json.loads(manifest.read_text()) | {"memory": tokens * 2**20, "device_memory": 2**30})
        )
    found = {plot.title.partition(" against ")[2]: plot for plot in plots_of(tmp_path)}
    assert set(found) == {
        "seconds per answer",
        "peak memory in GiB",
        "tokens read and written per answer",
    }
    assert "at 1.5e+03 tokens" in found["tokens read and written per answer"].description
    assert "at 2.5 GiB" in found["peak memory in GiB"].description


def reseal(run: Path) -> None:
    """Let the harness take what the test wrote for its own."""
    from benchmarks.harness.records import read_run

    (run / "scored.json").write_text(json.dumps(read_run(run).seal()))
