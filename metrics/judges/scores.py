"""VQAScore and Soft-TIFA: a judge's probability that a picture shows its prompt, whole or by atoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike

from metrics.judges.templates import Template, yes_probability
from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths, check_name

Mean = Literal["arithmetic", "geometric"]


class Judge(Protocol):
    """A model that says how likely it is to give an answer about a medium."""

    @property
    def signature(self) -> str:
        """The model and its weights."""

    def log_probabilities(
        self, items: Sequence[Any], questions: Sequence[str], answers: Sequence[str]
    ) -> Sequence[Sequence[float]]:
        """Log-probability of each answer to each item's question, [N, answers]."""


def soft_tifa(probabilities: ArrayLike, mean: Mean = "geometric") -> float:
    """Soft-TIFA of one picture (GenEval 2): the mean of its atoms' probabilities, 0 to 1.

    Args:
        probabilities: that the picture shows each atom, [atoms].
        mean: ``arithmetic`` says how much of the prompt is there, ``geometric`` whether all of it is.

    Raises:
        MetricInputError: an unknown mean, no atoms, or a number that is no probability.

    >>> soft_tifa([0.9, 0.4], "arithmetic"), round(soft_tifa([0.9, 0.4]), 6)
    (0.65, 0.6)
    """
    check_name("mean", mean, get_args(Mean))
    odds = np.asarray(probabilities, dtype=np.float64).ravel()
    if not len(odds) or not ((odds >= 0) & (odds <= 1)).all():
        raise MetricInputError(f"atoms of probabilities {odds.tolist()}; give at least one, each 0 to 1")
    if mean == "arithmetic":
        return float(odds.mean())
    return float(np.exp(np.log(odds).mean())) if odds.all() else 0.0


class VQAScore(MeanMetric):
    """VQAScore (Lin et al. 2024): the mean probability that a picture shows its text, asked by a template.

    Args:
        judge: see `Judge`.
        template: what is asked; see `metrics.judges.templates.TEMPLATES`.

    >>> from metrics.judges.templates import TEMPLATES
    >>> class Sure:
    ...     signature = "sure"
    ...
    ...     def log_probabilities(self, items, questions, answers):
    ...         return [[np.log(0.6), np.log(0.2)] for _ in items]
    >>> metric = VQAScore(Sure(), TEMPLATES["figure"])
    >>> metric.statistics(["picture"], ["a red star"]).round(6).tolist(), metric.signature
    ([0.75], 'vqa_score|judge:sure|template:figure@9002bab1|score:yes-no|v:1')
    """

    name = "vqa_score"
    higher_is_better = True
    least = 0.0

    def __init__(self, judge: Judge, template: Template) -> None:
        self.judge, self.template = judge, template

    @property
    def signature(self) -> str:
        """The judge, what it is asked, and which probability counts."""
        asked = f"{self.template.name}@{self.template.hash}|score:{self.template.score}"
        return f"{self.name}|judge:{self.judge.signature}|template:{asked}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """Of each picture and its text, [N]."""
        check_lengths(self.name, predictions, references)
        return self.probabilities(predictions, references)

    def probabilities(self, items: Sequence[Any], statements: Sequence[str]) -> FloatArray:
        """That each item shows its statement, [N]."""
        template = self.template
        questions = [template.asked(statement) for statement in statements]
        found = self.judge.log_probabilities(items, questions, (template.yes, template.no))
        return np.array([yes_probability(yes, no, template.score) for yes, no in found], dtype=np.float64)


class SoftTIFA(VQAScore):
    """Soft-TIFA (GenEval 2, Kamath et al. 2025): a prompt's atoms judged one by one, and their mean.

    The original asks each atom its own question; here each is a statement under one template.

    Args:
        judge: as in `VQAScore`, with `template`.
        template: what is asked of each atom.
        mean: see `soft_tifa`.

    >>> from metrics.judges.templates import TEMPLATES
    >>> class Reader:
    ...     signature = "reader"
    ...
    ...     def log_probabilities(self, items, questions, answers):
    ...         pairs = zip(items, questions)
    ...         return [[0.0, -99.0] if item in text else [-99.0, 0.0] for item, text in pairs]
    >>> metric = SoftTIFA(Reader(), TEMPLATES["is-there"], "arithmetic")
    >>> metric.statistics(["red"], [["a red star", "a blue box"]]).round(6).tolist()
    [0.5]
    """

    def __init__(self, judge: Judge, template: Template, mean: Mean = "geometric") -> None:
        check_name("mean", mean, get_args(Mean))
        super().__init__(judge, template)
        self.mean, self.name = mean, f"soft_tifa_{mean[0]}m"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """Of each picture and the list of its atoms, [N].

        Raises:
            MetricInputError: a picture without atoms; the message names it.
        """
        check_lengths(self.name, predictions, references)
        for number, atoms in enumerate(references):
            if isinstance(atoms, str | Mapping) or not len(atoms):
                raise MetricInputError(f"{self.name}: item {number} has no atoms; give a list of texts")
        items = [item for item, atoms in zip(predictions, references, strict=True) for _ in atoms]
        odds = self.probabilities(items, [text for atoms in references for text in atoms])
        ends = np.cumsum([len(atoms) for atoms in references])
        return np.array([soft_tifa(part, self.mean) for part in np.split(odds, ends)[:-1]], dtype=np.float64)
