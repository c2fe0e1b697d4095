"""Cost against quality: where systems stand, and what is not known is not drawn."""

from __future__ import annotations

import json
from pathlib import Path

from reports.costs import cost_plots
from reports.evidence import read_dossier
from tests.reports.drawn import points, texts
from tests.reports.invented import play, right_below


def test_slower_is_right_and_better_is_up(tmp_path: Path) -> None:
    for name, right, seconds in (("quick", 10, 0.02), ("slow", 30, 2.0), ("silent", 20, None)):
        play(tmp_path, name, right_below(right))
        path = tmp_path / name / "invented" / "results.json"
        rows = json.loads(path.read_text())
        path.write_text(json.dumps([row | {"seconds": seconds} for row in rows]))
        reseal(path.parent)
    (plot,) = cost_plots(read_dossier(tmp_path))
    quick, slow = points(plot.drawings[0])
    assert quick.x < slow.x
    assert slow.y < quick.y
    assert plot.description.endswith("; slow: 0.750 (0.510 to 0.896) at 2 s.")
    assert {"0.01", "0.1", "1", "10"} <= set(texts(plot.drawings[0]))


def reseal(run: Path) -> None:
    """Let the harness take what the test wrote for its own."""
    from benchmarks.harness.records import read_run

    (run / "scored.json").write_text(json.dumps(read_run(run).seal()))
