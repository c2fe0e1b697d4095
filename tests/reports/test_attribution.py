"""Attribution: losses add up, stages are blamed for what their truth wins back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.attribution import attribute, attribute_runs
from reports.evidence import read_dossier
from tests.reports.invented import benchmark, play, right_below

scores = st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0])
ladders = st.lists(st.tuples(scores, scores, scores), min_size=2, max_size=12)


def columns(rows: list[tuple[float, float, float]]) -> list[dict[str, float]]:
    return [{str(k): row[rung] for k, row in enumerate(rows)} for rung in range(3)]


@given(ladders)
@settings(max_examples=25)
def test_losses_add_up_to_what_is_short_of_perfect(rows: list[tuple[float, float, float]]) -> None:
    own, caption, plan = columns(rows)
    ladder = attribute(own, caption, plan, {})
    assert sum(loss.mean.value for loss in ladder.losses) == pytest.approx(1 - ladder.score.value)
    assert [loss.stage for loss in ladder.losses] == ["caption", "plan", "tool"]


@given(ladders)
@settings(max_examples=25)
def test_every_sample_is_right_or_blamed_on_one_stage(rows: list[tuple[float, float, float]]) -> None:
    own, caption, plan = columns(rows)
    ladder = attribute(own, caption, plan, {}, right_from=0.9)
    assert ladder.right + sum(loss.samples for loss in ladder.losses) == len(rows)


def test_the_first_truth_that_puts_a_sample_right_names_the_culprit() -> None:
    own = {"caption": 0.0, "plan": 0.0, "tool": 0.0, "none": 1.0}
    ladder = attribute(
        own, {**own, "caption": 1.0}, {**own, "caption": 1.0, "plan": 1.0}, {}, rival=dict.fromkeys(own, 0.5)
    )
    assert [(loss.stage, loss.samples, loss.rival) for loss in ladder.losses] == [
        ("caption", 1, 0.5),
        ("plan", 1, 0.5),
        ("tool", 1, 0.5),
    ]
    assert ladder.right == 1


def test_a_truth_that_hurts_is_a_negative_loss_and_counted_as_fragile() -> None:
    ladder = attribute({"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 1.0}, {})
    assert [loss.mean.value for loss in ladder.losses] == [-0.5, 0.5, 0.0]
    assert ladder.fragile == 1


def test_a_missing_rung_joins_two_stages() -> None:
    own, better = {"a": 0.0}, {"a": 1.0}
    assert [loss.stage for loss in attribute(own, better, None, {}).losses] == ["caption", "plan or tool"]
    assert [loss.stage for loss in attribute(own, None, better, {}).losses] == ["caption or plan", "tool"]


@pytest.mark.parametrize(
    ("own", "caption", "match"),
    [
        ({"a": 1.0}, None, "needs a run"),
        ({"a": 1.0}, {"b": 1.0}, "all of the pipeline's runs"),
        ({"a": 2.0}, {"a": 1.0}, r"sample a: 2.0 is not in \[0, 1\]"),
    ],
)
def test_what_has_no_ladder_is_refused(own: dict, caption: dict | None, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        attribute(own, caption, None, {})


def test_runs_are_attributed_with_the_end_to_end_system_beside(runs: Path) -> None:
    (account,), refused = attribute_runs(read_dossier(runs))
    assert refused == []
    # By itself 12 of 40 are right, with the true caption 20, with the true plan 32.
    assert [loss.samples for loss in account.ladder.losses] == [8, 12, 8]
    assert account.rival == "nextgpt-tiny"
    assert "lost by its plan: 0.300" in account.words


def test_a_rung_of_another_version_is_refused_with_a_reason(tmp_path: Path) -> None:
    play(tmp_path, "caption-then-tool", right_below(10))
    play(tmp_path, "caption-then-tool+plan", right_below(20), benchmark(version=2), given=("plan",))
    accounts, refused = attribute_runs(read_dossier(tmp_path))
    assert accounts == []
    assert refused == ["invented is left out: the two runs differ in version; run both again."]
