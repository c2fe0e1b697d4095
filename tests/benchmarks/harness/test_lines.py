"""Lines that are held together, and lines that are made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.harness.expectations import (
    Expectation,
    ExpectationError,
    read_expectation,
    renewed,
    weaker,
    write_expectation,
)
from benchmarks.harness.gate import Cell, judge_together
from metrics.metric import Comparison
from metrics.statistics import compare

LINE = Expectation("b", 1, "accuracy", "a|v:1", "s", "f", 0, 0.01, 0.9, {"1": 1.0, "2": 0.8})


def chance(z: float) -> Cell:
    """A cell whose system did not change: its difference is noise of one standard error."""
    difference, half = 0.02 * z, 0.02 * 1.96
    p = float(2 * norm.sf(abs(z)))
    return Cell(Comparison(difference, difference - half, difference + half, p, 200, 0.056, ""), margin=0.0)


def nights(family: int, count: int, alone: bool = False) -> float:
    """The share of nights on which at least one of so many unchanged cells fails."""
    rng = np.random.default_rng(7)
    failed = 0
    for _ in range(count):
        cells = [chance(z) for z in rng.standard_normal(family)]
        verdicts = [judge_together([c])[0] for c in cells] if alone else judge_together(cells)
        failed += any(not verdict.passed for verdict in verdicts)
    return failed / count


def test_forty_cells_held_at_once_rarely_fail_by_chance_and_one_by_one_they_do() -> None:
    # Drops alone fail a night: half of 5 %, and four standard errors of 1,000 nights.
    assert nights(40, 1000) < 0.025 + 4 * (0.025 * 0.975 / 1000) ** 0.5
    assert nights(40, 200, alone=True) > 0.5


def test_forty_cells_of_real_answers_rarely_fail_by_chance() -> None:
    rng, failed = np.random.default_rng(1), 0
    for _ in range(40):
        cells = []
        for _ in range(40):
            right = rng.random(60) < 0.8
            noise = rng.random((2, 60)) < 0.1
            found = compare(right ^ noise[0], right ^ noise[1], resamples=400)
            cells.append(Cell(found, margin=0.0))
        failed += any(not verdict.passed for verdict in judge_together(cells))
    assert failed <= 4  # of 40 nights; 1 is expected, more than 4 once in 300 seeds


def test_a_real_drop_is_seen_among_forty() -> None:
    drop = Cell(Comparison(-0.1, -0.14, -0.06, 1e-4, 200, 0.056, ""), margin=0.01)
    verdicts = judge_together([drop, *[chance(0.3)] * 39])
    assert [verdict.kind for verdict in verdicts[:2]] == ["short", "inconclusive"]
    assert "(0.004 among 40 held at once)" in verdicts[0].words


def test_cells_judged_elsewhere_count_as_well() -> None:
    cell = Cell(Comparison(-0.1, -0.18, -0.02, 0.01, 200, 0.1, ""), margin=0.01)
    assert judge_together([cell])[0].kind == "short"
    (verdict,) = judge_together([cell], family=40)
    assert verdict.kind == "inconclusive"
    assert "alone this one falls short, among so many it may by chance" in verdict.words


@pytest.mark.parametrize(
    ("changes", "change"),
    [
        ({"value": 0.89}, "accuracy 0.89 instead of 0.9"),
        ({"margin": 0.02}, "margin 0.02 instead of 0.01"),
        ({"samples": {"1": 1.0}}, "1 samples instead of 2"),
        ({"value": 0.91}, ""),
        ({"value": 0.89, "lower_is_better": True}, ""),
    ],
)
def test_a_line_is_lowered_for_a_reason_alone(
    tmp_path: Path, changes: dict[str, object], change: str
) -> None:
    old = replace(LINE, lower_is_better=bool(changes.get("lower_is_better")))
    new = replace(LINE, **changes)  # type: ignore[arg-type]
    write_expectation(old, tmp_path)
    assert weaker(new, old) == change
    if not change:
        assert renewed(new, tmp_path).because == ""
        return
    for nothing in ("", "  "):
        with pytest.raises(ExpectationError, match=f"would be lowered: {change}; say why with --because"):
            renewed(new, tmp_path, nothing)
    write_expectation(renewed(new, tmp_path, "labels\nmended"), tmp_path)
    assert read_expectation("b", "s", tmp_path).because == f"{change}: labels mended"


def test_a_damaged_line_is_not_replaced_without_a_reason(tmp_path: Path) -> None:
    write_expectation(LINE, tmp_path).write_text("{")
    with pytest.raises(ExpectationError, match=r"what stands there can't be read .* --because"):
        renewed(LINE, tmp_path)


def test_files_of_before_stay_as_they_are(tmp_path: Path) -> None:
    """A line that is not lowered says nothing that files did not say before."""
    text = write_expectation(replace(LINE, asked={"1": "a", "2": "b"}), tmp_path).read_text()
    assert "because" not in text
    assert "limit" not in text
    assert text.rindex('"samples"') < text.rindex('"asked"')
