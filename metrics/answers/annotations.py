"""VQA annotations as arrays: each of two million dicts is visited once, in the order in which they lie.

Reading the dicts is most of what VQA accuracy costs, and waiting for memory most of that; so a block of
questions is read whole, answers, ids and types, while it is in the processor's cache.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.answers.normalizer import trimmed

Annotation = Mapping[str, Any]
"""A question's annotation in VQA v2's form: `answers`, a list of dicts with `answer`, and optionally
`answer_id` in these, and `question_id`, `question_type` and `answer_type` beside them."""
IntArray = NDArray[np.int32]
"""Numbers of texts and types; of half the size of counts, since moving them is what takes the time."""

FEWEST = 4
"""Answers to a question: with fewer, three *other* people cannot agree with anyone, and nothing scores 1."""
BLOCK = 1024  # questions, some four megabytes of dicts
LARGEST_ID = 63  # of an answer, for its bit to fit into a number with those of the question's others
_TEXT, _ID = itemgetter("answer"), itemgetter("answer_id")


class Numbering(defaultdict[Any, int]):
    """Numbers values from 0 in the order in which they first appear.

    >>> numbers = Numbering()
    >>> numbers.of(["no", "yes", "no"], 3).tolist(), list(numbers)
    ([0, 1, 0], ['no', 'yes'])
    """

    def __init__(self) -> None:
        super().__init__(count().__next__)

    def of(self, values: Iterable[Any], size: int) -> IntArray:
        """The numbers of `size` values."""
        return np.fromiter(map(self.__getitem__, values), np.int32, size)


@dataclass(frozen=True, eq=False)
class VqaAnswers:
    """The answers to N questions, T in all, texts as numbers.

    Attributes:
        groups: the answers to each question as they were given, [N].
        sizes: how many there are, [N], each at least `FEWEST`.
        starts: where each question's begin among all, [N].
        given: the text of each answer, [T].
        said: the text of each prediction, [N].
        texts: the texts by number, trimmed, no two equal.
        differ: whether no two answers to a question count as one, [N], because their ids differ or because
            they have none and are told apart by place; False also where only some have ids, or ids are no
            small whole numbers, so that only a closer look could tell.
        types: for each key asked for, its different values, and which of them each question has, [N].
    """

    groups: Sequence[Sequence[Annotation]]
    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]
    given: IntArray
    said: IntArray
    texts: Sequence[str]
    differ: NDArray[np.bool_]
    types: Mapping[str, tuple[Sequence[str | None], IntArray]]


def read_answers(
    predictions: Sequence[str], annotations: Sequence[Annotation], keys: Sequence[str] = ()
) -> VqaAnswers:
    """Reads N predictions, at least one, and the annotations of their questions, which stay as they are.

    Args:
        predictions: N answers.
        annotations: of each question.
        keys: entries of an annotation to read too, None where it has none.

    Raises:
        KeyError, TypeError, AttributeError, ValueError: something is not what it should be.

    >>> ten = [{"answer": answer, "answer_id": i} for i, answer in enumerate(["two"] * 9 + ["3 "])]
    >>> answers = read_answers(["3"], [{"answers": ten}])
    >>> answers.given.tolist(), answers.said.tolist(), answers.texts, answers.differ.tolist()
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [1], ['two', '3'], [True])
    """
    texts, values = Numbering(), {key: Numbering() for key in keys}
    types: dict[str, list[IntArray]] = {key: [] for key in keys}
    groups: list[Sequence[Annotation]] = []
    sizes: list[int] = []
    given, differ, look = [], [], _Differ()
    for start in range(0, len(annotations), BLOCK):
        block = annotations[start : start + BLOCK]
        here = [annotation["answers"] for annotation in block]
        sizes_here = list(map(len, here))
        if min(sizes_here) < FEWEST:
            raise ValueError(f"a question with fewer than {FEWEST} answers")
        given.append(texts.of(map(_TEXT, chain.from_iterable(here)), sum(sizes_here)))
        differ.append(look(here, sizes_here))
        for key in keys:
            types[key].append(values[key].of([annotation.get(key) for annotation in block], len(block)))
        groups += here
        sizes += sizes_here
    said = texts.of(predictions, len(predictions))
    plain = [text if str.isalnum(text) else trimmed(text) for text in texts]
    read = np.concatenate(given)
    if plain != list(texts):  # equal texts may have been written differently
        numbers = Numbering()
        number = numbers.of(plain, len(plain))
        read, said, plain = number[read], number[said], list(numbers)
    return VqaAnswers(
        groups,
        np.array(sizes),
        np.cumsum([0, *sizes[:-1]]),
        read,
        said,
        plain,
        np.concatenate(differ),
        {key: (list(values[key]), np.concatenate(types[key])) for key in keys},
    )


def has_id(answer: Annotation) -> bool:
    """Whether an answer has an `answer_id`; null is none."""
    return answer.get("answer_id") is not None


class _Differ:
    """Finds the questions whose answers all count; one block's ids are mostly as the last one's."""

    def __init__(self) -> None:
        self._seen: tuple[list[Any], list[int]] = [], []
        self._differ = np.empty(0, dtype=bool)

    def __call__(self, groups: Sequence[Sequence[Annotation]], sizes: list[int]) -> NDArray[np.bool_]:
        """For each question of a block; False also where that cannot be told."""
        try:
            ids = list(map(_ID, chain.from_iterable(groups)))
        except (KeyError, TypeError):
            return np.array([not any(map(has_id, answers)) for answers in groups])
        if (ids, sizes) != self._seen:
            self._seen, self._differ = (ids, sizes), _differ(ids, sizes)
        return self._differ


def _differ(ids: list[Any], sizes: list[int]) -> NDArray[np.bool_]:
    try:
        numbers = np.fromiter(ids, np.uint8, len(ids))
    except (TypeError, ValueError, OverflowError):
        return np.zeros(len(sizes), dtype=bool)
    bits = np.left_shift(np.uint64(1), np.minimum(numbers, LARGEST_ID).astype(np.uint64))
    seen = np.bitwise_or.reduceat(bits, np.cumsum([0, *sizes[:-1]]))
    return np.asarray(np.bitwise_count(seen) == sizes)
