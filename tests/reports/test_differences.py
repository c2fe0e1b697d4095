"""Paired differences: same measurement or none, one family of tests, plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness.records import read_run
from metrics.metric import Comparison, IncomparableError
from reports.differences import Difference, compare_runs, conclude, difference_plots, differences
from reports.evidence import Dossier, Evidence, read_dossier
from tests.reports.drawn import points, zero
from tests.reports.invented import Length, benchmark, play, right_below


def row(difference: float, p: float, adjusted: float, metric: str = "exact_match") -> Difference:
    comparison = Comparison(difference, difference - 0.1, difference + 0.1, p, 40, 0.2, "paired")
    return conclude(("vqa", metric, "ours", "theirs"), comparison, adjusted, 3)


def both(dossier: Dossier) -> tuple[Evidence, Evidence]:
    return dossier.entries["invented", "nextgpt-tiny"], dossier.entries["invented", "caption-then-tool"]


def test_the_difference_is_of_the_same_samples(runs: Path) -> None:
    comparison = compare_runs(*both(read_dossier(runs)), "exact_match")
    assert comparison.difference == pytest.approx(18 / 40)
    assert comparison.n == 40


def test_only_samples_that_both_answered_are_compared(tmp_path: Path) -> None:
    play(tmp_path, "nextgpt-tiny", right_below(30))
    play(tmp_path, "caption-then-tool", right_below(10))
    folder = tmp_path / "caption-then-tool" / "invented"
    dossier = read_dossier(tmp_path)
    first, second = both(dossier)
    trimmed = replace(second.run)
    trimmed.__dict__["scores"] = tuple(s for s in second.run.scores if s.sample < "s20")
    trimmed.__dict__["results"] = tuple(
        replace(r, value=0.5) if r.metric == "exact_match" else r for r in second.run.results
    )
    assert folder.is_dir()
    assert compare_runs(first, replace(second, run=trimmed), "exact_match").n == 20


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": 2}, "differ in version"),
        ({"protocol": {"prompt": "other"}}, "differ in protocol"),
    ],
)
def test_another_protocol_is_refused(tmp_path: Path, change: dict, match: str) -> None:
    play(tmp_path, "nextgpt-tiny", right_below(30))
    play(tmp_path, "caption-then-tool", right_below(10), benchmark(**change))
    with pytest.raises(IncomparableError, match=match):
        compare_runs(*both(read_dossier(tmp_path)), "exact_match")


def test_another_signature_is_refused_and_the_row_says_so(tmp_path: Path) -> None:
    play(tmp_path, "nextgpt-tiny", right_below(30))
    play(tmp_path, "caption-then-tool", right_below(10))
    path = tmp_path / "caption-then-tool" / "invented" / "results.json"
    results = json.loads(path.read_text())
    path.write_text(json.dumps([result | {"signature": "exact_match|norm:other|v:1"} for result in results]))
    path.with_name("scored.json").write_text(json.dumps(read_run(path.parent).seal()))
    (refused,) = differences([both(read_dossier(tmp_path))])
    assert not refused.compared
    assert refused.better is None
    assert "exact_match|norm:none|v:1 and exact_match|norm:other|v:1" in refused.words


def test_a_metric_of_the_whole_set_is_not_paired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Length, "value", lambda self, statistics, weights=None: 1.5)
    play(tmp_path, "nextgpt-tiny", right_below(30))
    play(tmp_path, "caption-then-tool", right_below(10))
    first, second = both(read_dossier(tmp_path))
    monkeypatch.undo()
    changed = tuple(replace(r, value=123.0) for r in first.run.results)
    first.run.__dict__["results"] = changed
    with pytest.raises(IncomparableError, match="of the whole set"):
        compare_runs(first, second, "cider_d")


def test_holm_runs_over_the_whole_table(runs: Path) -> None:
    pair = both(read_dossier(runs))
    alone, (first, *_) = differences([pair])[0], differences([pair] * 4)
    assert first.p_adjusted == pytest.approx(min(1.0, 4 * alone.p))
    assert first.family == 4


def test_words_fall_whichever_way_the_numbers_do() -> None:
    assert row(0.3, 0.001, 0.003).words == "ours is better by 0.300."
    assert row(-0.3, 0.001, 0.003).words == "theirs is better by 0.300."
    assert row(-5.0, 0.001, 0.003, "fid").words == "ours is better by 5.000."
    assert row(0.05, 0.4, 1.0).words.startswith("No difference was shown. A true difference of 0.200")
    assert row(0.15, 0.02, 0.06).words.startswith("A hint that ours is better")
    assert "does not hold among 3 comparisons" in row(0.15, 0.02, 0.06).words


def test_plots_put_the_better_side_right_and_keep_scales_apart() -> None:
    rows = [row(0.3, 0.001, 0.003), row(-5.0, 0.001, 0.003, "fid"), row(0.05, 0.4, 1.0)]
    plots = difference_plots("d", rows, {"ours": 0, "theirs": 1}.__getitem__)
    assert [len(points(plot.drawings[0])) for plot in plots] == [2, 1]
    for plot in plots:
        line = zero(plot.drawings[0])
        assert line is not None
        assert points(plot.drawings[0])[0].x > line
    assert [point.solid for point in points(plots[0].drawings[0])] == [True, False]
