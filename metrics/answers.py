"""Accuracy of short answers: the official VQA accuracy, lmms-eval's variant of it, and exact match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths
from metrics.vqa_normalizer import normalized, normalized_lmms_eval, trimmed

Annotation = Mapping[str, Any]
"""A question's annotation in VQA v2's form: `answers`, a list of dicts with `answer` and `answer_id`, and
optionally `question_id`, `question_type` and `answer_type`."""


class VqaAccuracy(MeanMetric):
    """The official VQA accuracy, 0 to 1: an answer is right when three *other* annotators gave it.

    An answer that k of ten annotators gave is worth 0, .3, .6, .9 for k up to 3, and 1 above: the mean,
    over the annotators, of what the answer is worth against the other nine. As in the official script,
    answers are normalised only where the annotators disagree; where all wrote the same, a prediction must
    equal it letter by letter.

    >>> ten = [{"answer": answer, "answer_id": i} for i, answer in enumerate(["two"] * 3 + ["3"] * 7)]
    >>> VqaAccuracy().statistics(["2.", "Three", "four"], [{"answers": ten}] * 3).tolist()
    [0.9, 1.0, 0.0]
    """

    name = "vqa_accuracy"
    higher_is_better = True

    @property
    def signature(self) -> str:
        """The script that it equals, and who is agreed with."""
        return f"{self.name}|norm:official-a013f00|agree:3-of-others|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[Annotation]) -> FloatArray:
        """Accuracy of each prediction, [N]; annotations are read, never changed.

        Raises:
            MetricInputError: different lengths, a prediction that is not a string, or an annotation
                without answers; the message names the question.
        """
        check_lengths(self.name, predictions, references)
        read = self._reader()
        values = np.empty(len(predictions))
        for number, (prediction, annotation) in enumerate(zip(predictions, references, strict=True)):
            try:
                answers = annotation["answers"]
                given = [answer["answer"] for answer in answers]
                values[number] = _accuracy(*read(prediction, given), answers)
            except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
                raise _explained(number, prediction, annotation) from error
        return values

    def _reader(self) -> _Reader:
        """A function that brings a prediction and the given answers into the form that is compared."""
        plain, normal = _Memo(trimmed), _Memo(lambda answer: normalized(trimmed(answer)))

        def read(prediction: str, given: list[str]) -> tuple[str, list[str]]:
            if len(set(given)) == 1 or len({plain[answer] for answer in given}) == 1:
                return plain[prediction], [plain[answer] for answer in given]
            return normal[prediction], [normal[answer] for answer in given]

        return read


class VqaAccuracyLmmsEval(VqaAccuracy):
    """VQA accuracy as lmms-eval computes it: answers are normalised even where the annotators agree.

    >>> ten = [{"answer": "black", "answer_id": i} for i in range(10)]
    >>> for metric in (VqaAccuracyLmmsEval(), VqaAccuracy()):
    ...     print(metric.statistics(["Black."], [{"answers": ten}]).item())
    1.0
    0.0
    """

    name = "vqa_accuracy_lmms_eval"

    @property
    def signature(self) -> str:
        """The code that it equals."""
        return f"{self.name}|norm:lmms-eval-pr794|agree:3-of-others|v:1"

    def _reader(self) -> _Reader:
        normal = _Memo(lambda answer: normalized_lmms_eval(trimmed(answer)))

        def read(prediction: str, given: list[str]) -> tuple[str, list[str]]:
            return normal[prediction], [normal[answer] for answer in given]

        return read


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
        form = _Memo(lambda answer: normalized(trimmed(answer)) if self._normalize else answer)
        equal = [form[one] == form[other] for one, other in zip(predictions, references, strict=True)]
        return np.array(equal, dtype=np.float64)


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
    items = metric.statistics(predictions, annotations)
    return VqaScores(
        accuracy=metric.value(items),
        items=items,
        by_question_type=_means(items, annotations, "question_type"),
        by_answer_type=_means(items, annotations, "answer_type"),
        signature=metric.signature,
    )


_Reader = Callable[[str, list[str]], tuple[str, list[str]]]


class _Memo(dict[str, str]):
    """A function of answers that is computed once for each: a data set repeats a few thousand of them."""

    def __init__(self, function: Callable[[str], str]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, answer: str) -> str:
        value = self[answer] = self._function(answer)
        return value


def _accuracy(prediction: str, given: list[str], answers: Sequence[Mapping[str, Any]]) -> float:
    """Mean over the annotators of min(1, matches among the others / 3).

    `given` holds the answers as they are compared, `answers` the dicts that they came from.
    """
    matches, total = given.count(prediction), len(given)
    if matches == 0:
        return 0.0 / total
    # In the script "others" are the dicts that differ, so two equal dicts (answers without id) are not
    # each other's others.
    twins = [1] * matches
    if len({answer.get("answer_id") for answer in answers}) < total:
        same = [
            {**answer, "answer": text}
            for answer, text in zip(answers, given, strict=True)
            if text == prediction
        ]
        twins = [same.count(answer) for answer in same]
    thirds = (total - matches) * min(3, matches) + sum([min(3, matches - alike) for alike in twins])
    return thirds / (3 * total)


def _means(items: FloatArray, annotations: Sequence[Annotation], key: str) -> dict[str, float]:
    """Mean of the items of each type, in order of appearance; types that are not given are left out."""
    members: dict[str, list[int]] = {}
    for number, annotation in enumerate(annotations):
        if key in annotation:
            members.setdefault(annotation[key], []).append(number)
    return {name: float(items[numbers].mean()) for name, numbers in members.items()}


def _explained(number: int, prediction: object, annotation: object) -> MetricInputError:
    """The error for an item that could not be scored."""
    question = annotation.get("question_id") if isinstance(annotation, Mapping) else None
    where = f"question {question} (item {number})" if question is not None else f"item {number}"
    if not isinstance(prediction, str):
        return MetricInputError(f"{where}: its prediction {prediction!r} is not a string; '' is no answer")
    return MetricInputError(
        f"{where}: its annotation has no `answers`, a list of dicts with a text `answer`; use VQA v2's form"
    )
