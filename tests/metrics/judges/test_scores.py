"""VQAScore, Soft-TIFA and calibration against torch, torchmetrics and scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from metrics import (
    TEMPLATES,
    BrierScore,
    CalibrationError,
    JudgeAccuracy,
    MetricInputError,
    SoftTIFA,
    Template,
    VQAScore,
    expected_calibration_error,
    reliability,
    soft_tifa,
    yes_probability,
)

RNG = np.random.default_rng(6)
ODDS = np.concatenate([RNG.uniform(size=300), [0.0, 1.0, 0.1, 0.5]])
TRUTHS = (RNG.uniform(size=304) < ODDS**2).astype(float)


class Logits:
    """A judge of five words, whose logits come from the lengths of what it is asked."""

    signature = "logits"
    words = ("Yes", "No", "yes", "no", "maybe")

    def logits(self, item: str, question: str) -> torch.Tensor:
        return torch.tensor([len(item) * 0.3, len(question) * 0.01, 0.2, 0.1, 1.0], dtype=torch.float64)

    def log_probabilities(
        self, items: Sequence[Any], questions: Sequence[str], answers: Sequence[str]
    ) -> list[list[float]]:
        rows = [
            self.logits(item, question).log_softmax(0)
            for item, question in zip(items, questions, strict=True)
        ]
        return [[float(row[self.words.index(answer)]) for answer in answers] for row in rows]


@pytest.mark.parametrize("name", TEMPLATES)
def test_vqa_score_is_the_softmax_over_what_could_be_said_or_over_the_two(name: str) -> None:
    template = TEMPLATES[name]
    items, texts = ["a", "bbbb", "cc"], ["a red star", "nothing", "two dogs"]
    judge = Logits()
    for score in ("yes", "yes-no"):
        chosen = Template(template.name, template.question, template.yes, template.no, score)
        expected = []
        for item, text in zip(items, texts, strict=True):
            logits = judge.logits(item, template.question.replace("{}", text))
            yes, no = (judge.words.index(answer) for answer in (template.yes, template.no))
            both = logits if score == "yes" else logits[[yes, no]]
            expected.append(float(both.softmax(0)[yes if score == "yes" else 0]))
        metric = VQAScore(judge, chosen)
        assert metric.statistics(items, texts) == pytest.approx(expected, rel=1e-9)
        assert f"template:{name}@{template.hash}|score:{score}" in metric.signature


def test_another_spelling_is_another_answer_and_another_template_another_signature() -> None:
    loud, quiet = TEMPLATES["figure"], Template("figure", TEMPLATES["figure"].question, "yes", "no")
    assert loud.hash != quiet.hash
    scores = [VQAScore(Logits(), each).statistics(["bbbb"], ["a star"])[0] for each in (loud, quiet)]
    assert scores[0] != scores[1]


def test_soft_tifa_is_the_mean_of_atoms() -> None:
    odds = [0.9, 0.5, 0.2]
    assert soft_tifa(odds, "arithmetic") == pytest.approx(sum(odds) / 3, rel=1e-12)
    assert soft_tifa(odds) == pytest.approx((0.9 * 0.5 * 0.2) ** (1 / 3), rel=1e-12)
    assert soft_tifa([0.0, 1.0]) == 0.0
    template = TEMPLATES["is-there"]
    metric = SoftTIFA(Logits(), template)
    atoms = [["a star", "a red star"], ["nothing"]]
    one = VQAScore(Logits(), template)
    each = [
        one.statistics([item] * len(group), group) for item, group in zip(["a", "bb"], atoms, strict=True)
    ]
    assert metric.statistics(["a", "bb"], atoms) == pytest.approx(
        [np.exp(np.log(x).mean()) for x in each], rel=1e-9
    )
    assert SoftTIFA(Logits(), template, "arithmetic").name == "soft_tifa_am"
    with pytest.raises(MetricInputError, match="item 1 has no atoms"):
        metric.statistics(["a", "bb"], [["a star"], []])


def test_calibration_error_is_torchmetrics_s() -> None:
    from torchmetrics.functional.classification import binary_calibration_error

    inside = (ODDS * 10 % 1 > 1e-9) | (ODDS == 1)  # it puts the very edges of bins elsewhere
    odds, truths = ODDS[inside], TRUTHS[inside]
    independent = binary_calibration_error(
        torch.tensor(odds), torch.tensor(truths).long(), n_bins=10, norm="l1"
    ).item()
    assert expected_calibration_error(odds, truths) == pytest.approx(independent, rel=1e-6)
    assert sum(each.n for each in reliability(ODDS, TRUTHS)) == len(ODDS)


def test_brier_and_accuracy_are_scikit_learn_s() -> None:
    from sklearn.metrics import accuracy_score, brier_score_loss

    brier, right = BrierScore(), JudgeAccuracy()
    found = brier.value(brier.statistics(ODDS, TRUTHS))
    assert found == pytest.approx(brier_score_loss(TRUTHS, ODDS), rel=1e-12)
    share = right.value(right.statistics(ODDS, TRUTHS))
    assert share == pytest.approx(accuracy_score(TRUTHS, ODDS >= 0.5), rel=1e-12)


def test_a_judge_that_says_what_is_so_is_calibrated_and_one_that_boasts_is_not() -> None:
    truths = (
        np.random.default_rng(0).uniform(size=4000) < np.repeat([0.15, 0.55, 0.95], [1000, 1000, 2000])
    ).astype(float)
    modest = np.repeat([0.15, 0.55, 0.95], [1000, 1000, 2000])
    boasting = np.where(modest > 0.5, 1.0, 0.0)
    assert expected_calibration_error(modest, truths) < 0.02
    assert expected_calibration_error(boasting, truths) > 0.1
    metric = CalibrationError()
    doubled = metric.value(metric.statistics(modest, truths), np.full(4000, 2.0))
    assert doubled == pytest.approx(metric.value(metric.statistics(modest, truths)))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: yes_probability(0.1, -1.0), "log-probabilities"),
        (lambda: yes_probability(-0.1, -1.0, "no"), "score 'no' is unknown"),  # type: ignore[arg-type]
        (lambda: BrierScore().statistics([1.2], [1]), r"item 0: 1\.2 is no probability"),
        (lambda: BrierScore().statistics([0.2], [0.5]), "neither 1 nor 0"),
        (lambda: soft_tifa([]), "at least one"),
        (lambda: Template("t", "is it?"), "give one"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, why: str) -> None:
    with pytest.raises(MetricInputError, match=why):
        call()
