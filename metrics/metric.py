"""The contract of every metric: per-item statistics, their merge, and a value from them.

A metric first turns predictions and references into *statistics*, one record per item, and only
then turns statistics into a value. Everything else follows from that split: shards are merged by
putting their statistics together, a confidence interval is the value under resampled item weights,
a paired test swaps the items of two systems, and no metric needs code of its own for any of it.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Hashable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S")
FloatArray = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]
"""Statistics as arrays by name, of numbers only: text is its bytes."""
Groups = Sequence[Hashable] | NDArray[Any]
"""What each item belongs to (its image, its video), one entry per item."""


class MetricInputError(ValueError):
    """An input that has no score; the message names the item and says what to do."""


class IncomparableError(ValueError):
    """Two results whose signatures differ: they are not the same measurement."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval over `n` items; `method` says how the interval was made.

    `standard_error` is the value's, robust to dependence within groups: in closed form for a mean, the
    resamples' spread for a corpus metric, the jackknife's for a distance; infinite where nothing is known.

    A value that is infinite or not a number is none, and an interval with such an end reaches everywhere:
    whatever made them, `method` then says "undefined" or "no interval", and why.

    >>> Estimate(float("nan"), 0.0, float("nan"), 60, "jackknife 20 blocks").method
    'undefined: the value is nan, for the data overflow double precision or leave nothing to divide by'
    """

    value: float
    low: float
    high: float
    n: int
    method: str
    standard_error: float = math.inf

    def __post_init__(self) -> None:
        _say_what_is_not_finite(self, self.value)


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two systems on the same items.

    Attributes:
        difference: the first system's value minus the second's.
        low, high: the 95 % interval of the difference.
        p: two-sided p-value of "no difference"; never 0.
        n: number of items.
        minimum_detectable: the smallest true difference found with 80 % power at this n.
        method: how interval and p-value were made.
        standard_error: of the difference, as in `Estimate`.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    minimum_detectable: float
    method: str
    standard_error: float = math.inf

    def __post_init__(self) -> None:
        _say_what_is_not_finite(self, self.difference)
        if not math.isfinite(self.difference):
            object.__setattr__(self, "p", 1.0)
            object.__setattr__(self, "minimum_detectable", math.inf)


def _say_what_is_not_finite(found: Estimate | Comparison, value: float) -> None:
    """Opens the interval and rewrites the method where a value or an end of its interval is not finite."""
    method, bounded = found.method, math.isfinite(found.low) and math.isfinite(found.high)
    if not math.isfinite(value) and not method.startswith("undefined"):
        cause = "the data overflow double precision or leave nothing to divide by"
        method = f"undefined: the value is {value}, for {cause}"
    elif not bounded and not method.startswith(("no interval", "undefined")):
        method = f"no interval: its ends are not finite ({method})"
    if method.startswith(("undefined", "no interval")):
        object.__setattr__(found, "standard_error", math.inf)
        object.__setattr__(found, "low", -math.inf)
        object.__setattr__(found, "high", math.inf)
        object.__setattr__(found, "method", method)


class Metric(abc.ABC, Generic[S]):
    """A named measurement with a signature.

    `S` is whatever holds the per-item statistics, most often a float64 array of shape [N, K].

    Attributes:
        name: the field's name for it, in snake case (`cider_d`).
        higher_is_better: the direction of improvement.
        interval: `bootstrap` for metrics that may be recomputed a thousand times, `jackknife` for
            distances between sets, which repeated items bias and which cost seconds each.
        least: the smallest possible value; no interval reaches below it.
        mean_of_items: whether the value is the mean of the items' values, once what is counted over all
            items (CIDEr-D's document frequencies) is held fixed.

    >>> from metrics.sets.metrics import FID
    >>> metric = FID()
    >>> shards = [metric.statistics([[0.0]], [[3.0]]), metric.statistics([[2.0]], [[7.0]])]
    >>> metric.value(metric.merge(shards)), metric.signature
    (18.0, 'fid|features:given|cov:ddof1-f64|v:1')
    """

    name: str
    higher_is_better: bool
    interval: Literal["bootstrap", "jackknife"] = "bootstrap"
    least: float = -math.inf
    mean_of_items: bool = False

    @property
    @abc.abstractmethod
    def signature(self) -> str:
        """All that the value depends on besides the data, in sacreBLEU's manner."""

    @abc.abstractmethod
    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> S:
        """Per-item statistics, in the order of the items.

        Raises:
            MetricInputError: an item that cannot be scored; the message names it.
        """

    @abc.abstractmethod
    def merge(self, parts: Sequence[S]) -> S:
        """The statistics of the parts' items together, in order."""

    @abc.abstractmethod
    def value(self, statistics: S, weights: FloatArray | None = None) -> float:
        """The metric's value; `weights` [N] says how often each item counts (default: once)."""

    @abc.abstractmethod
    def size(self, statistics: S) -> int:
        """Number of items."""

    def items(self, statistics: S) -> FloatArray | None:
        """Per-item values [N], or None where an item alone has no value (FID)."""
        return None

    def packed(self, statistics: S) -> Arrays:
        """The statistics as arrays by name, for what carries arrays only: processes that gather them.

        Raises:
            MetricInputError: the metric keeps them in a form of its own and does not say how to pack it.
        """
        raise MetricInputError(
            f"{self.name}: its statistics, {type(statistics).__name__}, cannot be sent to another process; "
            f"define `packed` and `unpacked` in {type(self).__name__}"
        )

    def unpacked(self, arrays: Arrays) -> S:
        """What `packed` made arrays of, equal to the last bit."""
        raise MetricInputError(f"{self.name}: define `unpacked` in {type(self).__name__}, beside `packed`")

    def check_pair(self, first: S, second: S) -> None:
        """Refuses the statistics of two systems that cannot be compared item by item.

        Raises:
            MetricInputError: they hold different items.
        """
        sizes = self.size(first), self.size(second)
        if sizes[0] != sizes[1]:
            raise MetricInputError(
                f"{self.name}: {sizes[0]} items against {sizes[1]}; compare the same items"
            )


class ArrayMetric(Metric[FloatArray]):
    """A metric whose statistics are one row of a float64 array per item."""

    def merge(self, parts: Sequence[FloatArray]) -> FloatArray:
        """The rows of all parts, in order."""
        return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])

    def size(self, statistics: FloatArray) -> int:
        """Number of rows."""
        return len(statistics)

    def packed(self, statistics: FloatArray) -> Arrays:
        """The rows."""
        return {"rows": np.asarray(statistics, dtype=np.float64)}

    def unpacked(self, arrays: Arrays) -> FloatArray:
        """The rows."""
        return arrays["rows"]


class MeanMetric(ArrayMetric):
    """A metric that is the mean of its items' values; a subclass computes those values [N] only.

    >>> class Brevity(MeanMetric):
    ...     name, signature, higher_is_better = "brevity", "brevity|v:1", True
    ...     def statistics(self, predictions, references):
    ...         return np.array([float(len(a) < len(b)) for a, b in zip(predictions, references)])
    >>> metric = Brevity()
    >>> metric.value(metric.statistics(["a cat", "a dog"], ["one cat", "dog"]))
    0.5
    """

    mean_of_items = True

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """The weighted mean."""
        if len(statistics) == 0:
            raise MetricInputError(f"{self.name}: no items to average; give at least one prediction")
        return float(np.average(statistics, weights=weights))

    def items(self, statistics: FloatArray) -> FloatArray:
        """The statistics themselves."""
        return statistics


def check_lengths(name: str, predictions: Sized, references: Sized) -> None:
    """Refuses lists of different length.

    Raises:
        MetricInputError: when they differ, naming both lengths.
    """
    if len(predictions) != len(references):
        raise MetricInputError(
            f"{name}: {len(predictions)} predictions but {len(references)} references; give one for each"
        )


def check_name(what: str, given: object, known: Sequence[str]) -> None:
    """Refuses a name that is not known: of a level, a variant, a direction.

    Raises:
        MetricInputError: naming what was given and what there is.

    >>> check_name("level", "intervall", ("nominal", "ordinal", "interval"))
    Traceback (most recent call last):
    metrics.metric.MetricInputError: level 'intervall' is unknown; choose nominal, ordinal or interval
    """
    if given not in known:
        choice = " or ".join(filter(None, (", ".join(known[:-1]), known[-1])))
        raise MetricInputError(f"{what} {given!r} is unknown; choose {choice}")
