"""A metric over a part of its items that keeps what it knows of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from metrics.metric import FloatArray, Metric


class Part(Metric[Any]):
    """Some items of a metric whose statistics can't be taken apart.

    The others count 0 times. What is counted over all items stays as it is: CIDEr-D's document frequencies
    are those of the whole data set, so that the parts of a benchmark can be held against each other and
    their mean, weighted by size, is the whole. A part scored as a data set of its own has other numbers.

    Args:
        metric: the metric; its statistics are those of all items.
        chosen: places of the items that count.
    """

    def __init__(self, metric: Metric[Any], chosen: Sequence[int]) -> None:
        self.name, self.higher_is_better = metric.name, metric.higher_is_better
        self.interval, self.least = metric.interval, metric.least
        self._metric, self._chosen = metric, np.asarray(chosen, dtype=np.intp)

    @property
    def signature(self) -> str:
        """The metric's own."""
        return self._metric.signature

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> Any:
        """Of all items."""
        return self._metric.statistics(predictions, references)

    def merge(self, parts: Sequence[Any]) -> Any:
        """Of all items."""
        return self._metric.merge(parts)

    def value(self, statistics: Any, weights: FloatArray | None = None) -> float:
        """The value of the chosen items; `weights` has one entry for each of them."""
        counts = np.zeros(self._metric.size(statistics))
        counts[self._chosen] = 1.0 if weights is None else weights
        return self._metric.value(statistics, counts)

    def size(self, statistics: Any) -> int:
        """Number of chosen items."""
        return len(self._chosen)
