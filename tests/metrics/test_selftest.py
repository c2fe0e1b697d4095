"""The checks that ship with the code pass, and fail when what they check is broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metrics import selftest as module
from metrics.captions import meteor
from metrics.metric import Estimate
from metrics.selftest import selftest
from metrics.statistics import estimate
from tests.metrics.captions.test_corpus_values import corpus_of, reference_values


def _failed() -> list[str]:
    return [check.name for check in selftest() if not check.passed]


def test_all_checks_pass() -> None:
    checks = selftest()
    assert len(checks) > 20
    assert [check for check in checks if not check.passed] == []


@pytest.mark.parametrize(
    ("name", "broken", "check"),
    [
        ("frechet_distance", lambda a, b: float(len(a)), "a set's Fréchet distance from itself is 0"),
        ("kl_divergence", lambda p, q, epsilon: 0.5, "kl_divergence(p, q) is the divergence of p from q"),
        (
            "inception_score",
            lambda p, splits=10: 1.0,
            "the Inception Score of five sure and balanced classes is 5",
        ),
        ("kernel_distance", lambda a, b, subsets, subset_size: 0.0, "the kernel distance grows with blur"),
    ],
)
def test_a_broken_metric_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Any, check: str
) -> None:
    monkeypatch.setattr(module, name, broken)
    assert check in _failed()


@pytest.mark.java
def test_a_corpus_that_is_summed_wrongly_is_caught_though_its_items_are_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(meteor, "_without_perfect_chunks", lambda statistics: statistics)
    assert {name for name in _failed() if name.startswith("meteor of captions of which")} == {
        f"meteor of captions of which {name}" for name in module.CORPORA
    }


def test_an_interval_around_another_value_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(*arguments: Any, **options: Any) -> Estimate:
        found = estimate(*arguments, **options)
        away = 2 * (found.high - found.low) + 0.01
        return Estimate(found.value, found.low + away, found.high + away, found.n, found.method)

    names = [check.name for check in selftest() if check.name.startswith("the interval of")]
    monkeypatch.setattr(module, "estimate", shifted)
    assert _failed() == names


@pytest.mark.java
def test_recorded_values_are_pycocoevalcaps() -> None:
    for place, corpus in enumerate(module.CORPORA.values()):
        for name, value in reference_values(corpus_of(corpus)).items():
            assert module.CORPUS_VALUES[name][place] == pytest.approx(value, abs=1e-11)


def test_a_metric_that_raises_fails_its_checks_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(p: object, splits: int = 10) -> float:
        raise TypeError("sqrtm() got an unexpected keyword argument 'disp'")

    monkeypatch.setattr(module, "inception_score", removed)
    failed = [check for check in selftest() if not check.passed]
    assert [check.name for check in failed] == ["all checks of known values can run"]
    assert failed[0].found == "TypeError: sqrtm() got an unexpected keyword argument 'disp'"


def test_a_network_that_sees_nothing_is_caught() -> None:
    class Blind:
        signature = "blind@1"

        def features(self, items: Sequence[Any]) -> NDArray[np.float64]:
            return np.random.default_rng(0).normal(size=(len(items), 4))

    failed = [check.name for check in selftest(Blind()) if not check.passed]
    assert failed == [
        f"the {d} distance grows with {w}" for w in ("blur", "noise") for d in ("Fréchet", "kernel")
    ]
