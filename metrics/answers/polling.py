"""POPE: is the model's "yes" worth anything? Whether things that it is asked about are in a picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from metrics.metric import ArrayMetric, FloatArray, MeanMetric, MetricInputError, check_lengths

YES, NO = "yes", "no"
_DENIALS = frozenset({"No", "no", "not"})
_OUTCOMES = {(True, YES): 0, (True, NO): 1, (False, YES): 2, (False, NO): 3}
_READING = "reply:first-sentence-denial-f3ec604"
_SPOKEN = re.compile(r"\b(yes|no|not)\b", re.IGNORECASE)


def says_yes(reply: str) -> bool:
    """Whether a reply is a yes to the published script: whatever holds no denial in its first sentence.

    The script's quirks are kept: "NO" and "no!" are no denials, and a reply about something else is a yes.

    >>> [says_yes(reply) for reply in ("Yes.", "No, there is not.", "There is no dog. Yes!", "NO", "Perhaps")]
    [True, False, False, True, True]
    """
    return _DENIALS.isdisjoint(reply.split(".", maxsplit=1)[0].replace(",", "").split(" "))


class Polling(ArrayMetric):
    """POPE's precision, recall, F1 or share of "yes", 0 to 1; "yes" is what is looked for.

    Args:
        of: a key of `POLLED`.

    >>> said, true = ["Yes", "yes", "No", "No"], ["yes", "no", "no", "no"]
    >>> for name in POLLED:
    ...     metric = Polling(name)
    ...     print(name, metric.value(metric.statistics(said, true)))
    pope_precision 0.5
    pope_recall 1.0
    pope_f1 0.6666666666666666
    pope_yes_ratio 0.5
    """

    higher_is_better = True

    def __init__(self, of: str) -> None:
        if of not in POLLED:
            raise MetricInputError(f"unknown name {of!r}; there are {', '.join(POLLED)}")
        self.name = of

    @property
    def signature(self) -> str:
        """How replies are read."""
        return f"{self.name}|{_READING}|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
        """Whether each is a hit, a false alarm, a miss, a true rejection, [N, 4].

        Raises:
            MetricInputError: different lengths, a reply that is not a string, or a label but yes and no.
        """
        return np.eye(4)[_outcomes(self.name, predictions, references)]

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """The share; NaN where nothing can be divided by, as for the precision of a model that says no."""
        counts = statistics.sum(axis=0) if weights is None else weights @ statistics
        over, under = POLLED[self.name](counts)
        return float(over / under) if under else float("nan")


class PollingAccuracy(MeanMetric):
    """Share of replies that POPE's script reads as their label.

    >>> PollingAccuracy().statistics(["Yes, two.", "No.", "No."], ["yes", "yes", "no"]).tolist()
    [1.0, 0.0, 1.0]
    """

    name = "pope_accuracy"
    higher_is_better = True

    @property
    def signature(self) -> str:
        """How replies are read."""
        return f"{self.name}|{_READING}|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
        """1 where reply and label agree, else 0, [N].

        Raises:
            MetricInputError: as `Polling.statistics`.
        """
        return np.isin(_outcomes(self.name, predictions, references), (0, 3)).astype(np.float64)


class PollingUnparsed(MeanMetric):
    """Share of replies whose first sentence holds neither yes nor no, which POPE counts as a yes.

    >>> PollingUnparsed().statistics(["Yes.", "Perhaps", "It is not"], ["yes"] * 3).tolist()
    [0.0, 1.0, 0.0]
    """

    name = "pope_unparsed"
    higher_is_better = False

    @property
    def signature(self) -> str:
        """What counts as read."""
        return f"{self.name}|reply:yes-or-no-in-first-sentence|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
        """1 for each reply without a word of yes or no, [N].

        Raises:
            MetricInputError: as `Polling.statistics`.
        """
        _outcomes(self.name, predictions, references)
        return np.array([_SPOKEN.search(reply.split(".")[0]) is None for reply in predictions], dtype=float)


POLLED: Mapping[str, Callable[[FloatArray], tuple[float, float]]] = {
    "pope_precision": lambda n: (n[0], n[0] + n[1]),
    "pope_recall": lambda n: (n[0], n[0] + n[2]),
    "pope_f1": lambda n: (2 * n[0], 2 * n[0] + n[1] + n[2]),
    "pope_yes_ratio": lambda n: (n[0] + n[1], n.sum()),
}
"""From counts of hits, false alarms, misses and true rejections to a share, as what is over what."""


def _outcomes(name: str, predictions: Sequence[str], references: Sequence[str]) -> list[int]:
    """For each reply, which of the four it is."""
    check_lengths(name, predictions, references)
    for number, (reply, label) in enumerate(zip(predictions, references, strict=True)):
        if not isinstance(reply, str):
            raise MetricInputError(f"item {number}: its reply {reply!r} is not a string; '' is no reply")
        if label not in (YES, NO):
            raise MetricInputError(f"item {number}: its label is {label!r}; write yes or no")
    return [_OUTCOMES[says_yes(reply), label] for reply, label in zip(predictions, references, strict=True)]
