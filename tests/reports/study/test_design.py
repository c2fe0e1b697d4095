"""Who sees what: balance of systems, sides, orders and carry-over, for studies of any size."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.study.design import StudyError, pairs_of, showings, treatments_of, williams_square
from reports.study.making import make_study
from reports.study.protocols import PROTOCOLS
from tests.reports.study.raters import material

SEEDS = st.integers(0, 2**31)


def off_by(counts: Counter, of: int) -> int:
    """How far the most frequent of so many is ahead of the least frequent."""
    return max(counts.values()) - (min(counts.values()) if len(counts) == of else 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 9), st.integers(1, 15))
def test_each_treatment_is_met_equally_often_by_each_rater_and_by_all(n: int, raters: int, many: int) -> None:
    table = treatments_of(n, raters, many)
    assert table.shape == (raters, n)
    for row in [*table, table.ravel()]:
        counts = np.bincount(row, minlength=many)
        assert counts.max() - counts.min() <= 1


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 6), st.sampled_from(["pairwise", "likert"]), SEEDS)
def test_a_study_of_300_items_and_5_raters_is_balanced_exactly(systems: int, design: str, seed: int) -> None:
    names = tuple("abcdef"[:systems])
    made = make_study(Path(), PROTOCOLS[design], material(names, 300), raters=5, seed=seed)
    everyone, sides = Counter[str](), Counter[tuple[str, ...]]()
    for trials in made.study.trials:
        shown = [made.key.trials[trial.id] for trial in trials]
        items = [hidden for hidden in shown if hidden.kind == "item"]
        assert sorted(hidden.item for hidden in items) == list(range(300))  # each once, none twice
        mine = Counter(name for hidden in items for name in hidden.slots)
        assert off_by(mine, systems) == 0
        everyone += mine
        if design == "pairwise":
            sides += Counter(hidden.slots for hidden in items)
            left = Counter(hidden.slots[0] for hidden in items)
            assert off_by(left, systems) == 0
            for pair in combinations(names, 2):
                both = [hidden.slots for hidden in items if set(hidden.slots) == set(pair)]
                assert abs(both.count(pair) - both.count(pair[::-1])) <= 1
    assert off_by(everyone, systems) == 0
    if design == "pairwise":
        for pair in combinations(names, 2):
            assert abs(sides[pair] - sides[pair[::-1]]) <= 1


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 40), st.integers(1, 7), st.integers(2, 6), SEEDS)
def test_sides_and_pairs_are_even_in_studies_of_any_size(
    n: int, raters: int, systems: int, seed: int
) -> None:
    pairs = pairs_of(systems)
    drawn = showings(n, raters, len(pairs), paired=True, rng=np.random.default_rng(seed))
    assert off_by(Counter(each.treatment for rater in drawn for each in rater), len(pairs)) <= 1
    for part in [*drawn, [each for rater in drawn for each in rater]]:
        for treatment in range(len(pairs)):
            swapped = [each.swapped for each in part if each.treatment == treatment]
            assert abs(2 * sum(swapped) - len(swapped)) <= 1


@pytest.mark.parametrize("count", range(2, 9))
def test_in_a_williams_square_each_follows_each_equally_often(count: int) -> None:
    rows = williams_square(count)
    assert all(sorted(row) == list(range(count)) for row in rows)
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == count * (count - 1)
    assert len(set(follows.values())) == 1


@pytest.mark.parametrize("count", range(2, 9))
def test_pairs_are_all_pairs(count: int) -> None:
    assert {frozenset(pair) for pair in pairs_of(count)} == set(map(frozenset, combinations(range(count), 2)))
    assert len(pairs_of(count)) == count * (count - 1) // 2


def test_each_block_of_a_sequence_holds_every_treatment() -> None:
    (order,) = showings(12, 1, 4, paired=False, rng=np.random.default_rng(0))
    for start in range(0, 12, 4):
        assert {each.treatment for each in order[start : start + 4]} == {0, 1, 2, 3}


def test_outputs_are_judged_by_two_raters_or_more_so_that_agreement_can_be_told() -> None:
    for systems in range(2, 7):
        table = treatments_of(60, 5, systems)
        assert all(min(Counter(column.tolist()).values()) >= 2 for column in table.T)


def test_the_seed_draws_the_order_and_the_nonce_hides_it(tmp_path: Path) -> None:
    def made(seed: int) -> object:
        study = make_study(tmp_path, PROTOCOLS["pairwise"], material(), raters=2, seed=seed)
        return [study.key.trials[trial.id].slots for trial in study.study.trials[0]], study.study.commitment

    first, again, other = made(1), made(1), made(2)
    assert first[0] == again[0] != other[0]  # type: ignore[index]
    assert first[1] != again[1]  # type: ignore[index]  # nobody finds the key by making the study again


def test_a_duplicate_lies_apart_from_its_trial_and_stands_the_other_way_round(tmp_path: Path) -> None:
    made = make_study(tmp_path, PROTOCOLS["pairwise"], material(items=60), raters=3, seed=0)
    for trials in made.study.trials:
        order = [trial.id for trial in trials]
        again = [name for name in order if made.key.trials[name].kind == "duplicate"]
        assert len(again) == 3
        for name in again:
            hidden = made.key.trials[name]
            assert order.index(name) - order.index(hidden.of) >= 5
            assert hidden.slots == made.key.trials[hidden.of].slots[::-1]


def test_nothing_to_judge_is_refused() -> None:
    with pytest.raises(StudyError, match="one of each"):
        showings(0, 5, 2, paired=False, rng=np.random.default_rng(0))
