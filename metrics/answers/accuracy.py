"""Accuracy of short answers: the official VQA accuracy, lmms-eval's variant of it, and exact match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from metrics.answers.annotations import (
    FEWEST,
    Annotation,
    IntArray,
    Numbering,
    VqaAnswers,
    has_id,
    read_answers,
)
from metrics.answers.normalizer import normalized, normalized_lmms_eval, vqa_normalized
from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths


class VqaAccuracy(MeanMetric):
    """The official VQA accuracy, 0 to 1: an answer is right when three *other* annotators gave it.

    An answer that k of ten annotators gave is worth 0, .3, .6, .9 for k up to 3, and 1 above: the mean,
    over the annotators, of what the answer is worth against the other nine. As in the official script,
    answers are normalised only where the annotators disagree; where all wrote the same, a prediction must
    equal it letter by letter.

    Two answers with one `answer_id` and nothing else to tell them apart are one answer, as in the script.
    Answers without an id (VizWiz) are told apart by their place, which the script does not: to it ten equal
    ones are a single one, and a right answer is worth 0 (version 1 of the signature followed it there).

    >>> ten = [{"answer": answer, "answer_id": i} for i, answer in enumerate(["two"] * 3 + ["3"] * 7)]
    >>> VqaAccuracy().statistics(["2.", "Three", "four"], [{"answers": ten}] * 3).tolist()
    [0.9, 1.0, 0.0]
    """

    name = "vqa_accuracy"
    higher_is_better = True
    _normalized = staticmethod(normalized)
    _unanimous_letter_by_letter = True

    @property
    def signature(self) -> str:
        """The script that it equals, and who is agreed with."""
        return f"{self.name}|norm:official-a013f00|agree:3-of-others|v:2"

    def statistics(self, predictions: Sequence[str], references: Sequence[Annotation]) -> FloatArray:
        """Accuracy of each prediction, [N]; annotations are read, never changed.

        Raises:
            MetricInputError: different lengths, a prediction that is not a string, or an annotation
                with fewer than four answers, to which exact match fits; the message names the question.
        """
        answers = _read(self.name, predictions, references)
        return np.empty(0) if answers is None else self._accuracies(answers)

    def _accuracies(self, answers: VqaAnswers) -> FloatArray:
        # A data set repeats its answers, so each text is normalised once and compared as a number.
        sizes, starts, given, said = answers.sizes, answers.starts, answers.given, answers.said
        form = Numbering().of(map(self._normalized, answers.texts), len(answers.texts))
        matches = np.add.reduceat(form[given] == np.repeat(form[said], sizes), starts, dtype=np.int64)
        if self._unanimous_letter_by_letter:
            unanimous = np.minimum.reduceat(given, starts) == np.maximum.reduceat(given, starts)
            matches[unanimous & (given[starts] != said)] = 0
        # Who gave another answer sees all matches among the others; who gave a matching one, one fewer.
        thirds = (sizes - matches) * np.minimum(3, matches) + matches * np.minimum(3, matches - 1)
        for number in np.flatnonzero(~answers.differ & (matches > 1)).tolist():
            own = slice(starts[number], starts[number] + sizes[number])
            thirds[number] = _thirds(answers.groups[number], form[given[own]], int(form[said[number]]))
        return np.asarray(thirds / (3 * sizes))


class VqaAccuracyLmmsEval(VqaAccuracy):
    """VQA accuracy as lmms-eval computes it: answers are normalised even where the annotators agree.

    >>> ten = [{"answer": "black", "answer_id": i} for i in range(10)]
    >>> for metric in (VqaAccuracyLmmsEval(), VqaAccuracy()):
    ...     print(metric.statistics(["Black."], [{"answers": ten}]).item())
    1.0
    0.0
    """

    name = "vqa_accuracy_lmms_eval"
    _normalized = staticmethod(normalized_lmms_eval)
    _unanimous_letter_by_letter = False

    @property
    def signature(self) -> str:
        """The code that it equals."""
        return f"{self.name}|norm:lmms-eval-pr794|agree:3-of-others|v:2"


class ExactMatch(MeanMetric):
    """Share of predictions equal to their one right answer: MSVD-QA, MSRVTT-QA, ActivityNet-QA's strict rule.

    The denominator is every question, whether or not its answer is in anyone's vocabulary.

    Args:
        normalize: compare after the VQA normaliser, as is done for systems that write freely; by default
            answers are compared letter by letter, as classifiers over a vocabulary are.

    >>> ExactMatch().statistics(["A dog.", "dog"], ["dog", "dog"]).tolist()
    [0.0, 1.0]
    >>> ExactMatch(normalize=True).statistics(["A dog.", "dog"], ["dog", "dog"]).tolist()
    [1.0, 1.0]
    """

    name = "exact_match"
    higher_is_better = True

    def __init__(self, *, normalize: bool = False) -> None:
        self._normalize = normalize

    @property
    def signature(self) -> str:
        """Whether answers are normalised."""
        return f"exact_match|norm:{'official-a013f00' if self._normalize else 'none'}|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
        """1 where prediction and answer are equal, else 0, [N]."""
        check_lengths(self.name, predictions, references)
        for number, pair in enumerate(zip(predictions, references, strict=True)):
            if not all(isinstance(answer, str) for answer in pair):
                raise MetricInputError(f"item {number}: {pair!r} must be two strings, prediction and answer")
        form = {answer: self._form(answer) for answer in {*predictions, *references}}
        equal = [form[one] == form[other] for one, other in zip(predictions, references, strict=True)]
        return np.array(equal, dtype=np.float64)

    def _form(self, answer: str) -> str:
        return vqa_normalized(answer) if self._normalize else answer


@dataclass(frozen=True, eq=False)
class VqaScores:
    """The official VQA accuracy of a list of answers.

    Attributes:
        accuracy: mean over questions, 0 to 1.
        items: accuracy of each answer, [N].
        by_question_type: mean over the questions of each type.
        by_answer_type: likewise; `yes/no`, `number` and `other` in VQA v2.
        signature: of the metric.
    """

    accuracy: float
    items: FloatArray
    by_question_type: Mapping[str, float]
    by_answer_type: Mapping[str, float]
    signature: str


def vqa_accuracy(predictions: Sequence[str], annotations: Sequence[Annotation]) -> VqaScores:
    """The official VQA accuracy, with the break-downs that the official script prints.

    The script prints percent, rounded to two decimals; these are shares, not rounded.

    Args:
        predictions: N answers.
        annotations: the annotation of each question, in VQA v2's form.

    Raises:
        MetricInputError: no questions, or as `VqaAccuracy.statistics`.

    >>> ten = [{"answer": "red", "answer_id": i} for i in range(10)]
    >>> question = {"answers": ten, "question_type": "what color", "answer_type": "other"}
    >>> scores = vqa_accuracy(["red", "blue"], [question, question])
    >>> scores.accuracy, scores.by_answer_type
    (0.5, {'other': 0.5})
    """
    metric = VqaAccuracy()
    answers = _read(metric.name, predictions, annotations, ("question_type", "answer_type"))
    if answers is None:
        raise MetricInputError(f"{metric.name}: no items to average; give at least one prediction")
    items = metric._accuracies(answers)
    return VqaScores(
        accuracy=metric.value(items),
        items=items,
        by_question_type=_means(items, *answers.types["question_type"]),
        by_answer_type=_means(items, *answers.types["answer_type"]),
        signature=metric.signature,
    )


def _read(
    name: str, predictions: Sequence[str], annotations: Sequence[Annotation], keys: Sequence[str] = ()
) -> VqaAnswers | None:
    """The answers to all questions; None where there are no questions."""
    check_lengths(name, predictions, annotations)
    if not annotations:
        return None
    try:
        return read_answers(predictions, annotations, keys)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problems = map(_problem, count(), predictions, annotations)
        raise MetricInputError(next(filter(None, problems), str(error))) from error


def _thirds(group: Sequence[Annotation], forms: IntArray, said: int) -> int:
    """Three times the sum over annotators of min(1, matches among the others / 3), dict by dict.

    To the official script the others are the dicts that *differ*, so that two equal ones do not count for
    each other. Place tells answers without an id apart.
    """
    dicts = [
        {**answer, "answer": form, "place": None if has_id(answer) else place}
        for place, (answer, form) in enumerate(zip(group, forms.tolist(), strict=True))
    ]
    matching = [answer for answer in dicts if answer["answer"] == said]
    return sum(min(3, len(matching) - matching.count(answer)) for answer in dicts)


def _means(items: FloatArray, types: Sequence[str | None], number: IntArray) -> dict[str, float]:
    """Mean of the items of each type, in order of appearance; types that are not given are left out."""
    means = np.bincount(number, items) / np.bincount(number)
    return {kind: float(mean) for kind, mean in zip(types, means, strict=True) if kind is not None}


def _problem(number: int, prediction: object, annotation: object) -> str | None:
    """Why an item cannot be scored, if so."""
    known = annotation if isinstance(annotation, Mapping) else {}
    where = f"question {known['question_id']} (item {number})" if "question_id" in known else f"item {number}"
    if not isinstance(prediction, str):
        return f"{where}: its prediction {prediction!r} is not a string; '' is no answer"
    answers = known.get("answers")
    if isinstance(answers, Sequence) and answers and all(_has_text(answer) for answer in answers):
        if len(answers) >= FEWEST:
            return None
        return (
            f"{where}: VQA accuracy needs {FEWEST} answers or more and finds {len(answers)}, as one is right "
            "that three others gave too; score answers of fewer people by exact match (`ExactMatch`)"
        )
    return (
        f"{where}: its annotation has no `answers`, a list of dicts with a text `answer`; use VQA v2's form"
    )


def _has_text(answer: object) -> bool:
    return isinstance(answer, Mapping) and isinstance(answer.get("answer"), str)
