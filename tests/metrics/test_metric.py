"""The contract: sharded scoring merges to the same digits, and the public face is complete and light."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import metrics
from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths


class Lengths(MeanMetric):
    """Share of predictions as long as their reference."""

    name = "lengths"
    higher_is_better = True
    signature = "lengths|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        check_lengths(self.name, predictions, references)
        return np.array([float(len(p) == len(r)) for p, r in zip(predictions, references, strict=True)])


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=20), st.data())
def test_shards_merge_to_the_same_digits(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    metric = Lengths()
    cut = data.draw(st.integers(1, len(pairs) - 1))
    parts = [metric.statistics(*zip(*part, strict=True)) for part in (pairs[:cut], pairs[cut:])]
    whole = metric.statistics(*zip(*pairs, strict=True))
    assert metric.value(metric.merge(parts)) == metric.value(whole)
    assert metric.size(whole) == len(pairs)


def test_weights_count_items() -> None:
    assert Lengths().value(np.array([0.0, 1.0]), np.array([1.0, 3.0])) == 0.75


def test_no_items_and_unequal_lists_are_refused() -> None:
    with pytest.raises(MetricInputError, match="no items"):
        Lengths().value(np.array([]))
    with pytest.raises(MetricInputError, match="2 predictions but 1 references"):
        Lengths().statistics(["a", "b"], ["a"])


def test_every_public_name_resolves() -> None:
    for name in metrics.__all__:
        public = getattr(metrics, name)
        assert isinstance(public, dict) or public.__module__.startswith("metrics.")
    with pytest.raises(AttributeError, match="no attribute 'frechet'"):
        _ = metrics.frechet


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, metrics, metrics.extractors, metrics.statistics, metrics.sets.frechet;"
        "import metrics.pairs.similarity;"
        "print([m for m in ('torch', 'transformers', 'scipy', 'pandas', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
