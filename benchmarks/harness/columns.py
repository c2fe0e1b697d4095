"""A column of the table that scoring fills: what one metric judges of each sample, and makes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.harness.provenance import redact
from benchmarks.harness.results import Score
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure, Message, assistant

if TYPE_CHECKING:
    from metrics.metric import Estimate, Metric

# What a metric raises when an input, a weights file or a tool such as Java is at fault; others are bugs.
REASONS = (ValueError, OSError, RuntimeError, ImportError)
NOTHING = "no sample has an answer to judge"
BATCH = 64 * 2**20  # bytes of pictures, clips and sounds that a column holds before they are measured

_NO_ANSWER = assistant()


@dataclass(frozen=True, slots=True)
class Item:
    """One sample, without what was asked and answered: a large data set's pictures must not be held.

    Attributes:
        id, group: as in `Sample`.
        slice: the part of the benchmark that it belongs to.
        failed: whether the system has no answer.
        seconds: as in `Prediction`.
        usable: False for a record of the data that can't be loaded.
    """

    id: str
    group: str
    slice: str | None
    failed: bool
    seconds: float | None
    usable: bool = True


class Once:
    """Builds a metric when it is first wanted; what is sent to another process builds its own there."""

    def __init__(self, make: Callable[[], Metric[Any]]) -> None:
        self._make = make
        self._made: Metric[Any] | None = None

    def __call__(self) -> Metric[Any]:
        """The metric, the same every time."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def __reduce__(self) -> tuple[Any, ...]:
        return Once, (self._make,)


@dataclass(frozen=True)
class Measuring:
    """Answers and references that wait for one metric to make statistics of them, here or elsewhere.

    Attributes:
        column: the place of the metric in the table.
        start: the position in its column of the first of them.
        make: builds the metric.
        predictions, references: what it is shown.
    """

    column: int
    start: int
    make: Once
    predictions: Sequence[Any]
    references: Sequence[Any]


@dataclass(frozen=True)
class Measured:
    """The statistics of a `Measuring`; where there are none, `reason` says why."""

    column: int
    start: int
    statistics: Any
    reason: str | None = None


class Meter:
    """Measures in this process.

    Attributes:
        piece: items in a chunk of texts, at most; None for as many as there are.
    """

    piece: int | None = None

    def measure_all(self, chunks: Iterable[Sequence[Measuring]]) -> Iterator[Sequence[Measured]]:
        """One chunk after the other, in order."""
        for chunk in chunks:
            yield [measured(each) for each in chunk]


def measured(each: Measuring) -> Measured:
    """The statistics, or why there are none."""
    try:
        found = each.make().statistics(each.predictions, each.references)
    except REASONS as error:
        return Measured(each.column, each.start, None, words(error))
    return Measured(each.column, each.start, found)


class Column:
    """What one metric judges, and its statistics, computed chunk by chunk and merged.

    Args:
        place: in the table.
        use: the metric, and what it is shown of answers and samples.
        items: all samples; the caller appends to it before each `take`.

    Attributes:
        rows: places in `items` of what is judged.
        remarks: of each of them ``failed``, ``empty`` or nothing.
        weight: bytes of media that wait to be measured.
        metric: None where it can't be made.
        reason: why there are no statistics; empty where all is well.
    """

    def __init__(self, place: int, use: MetricUse, items: Sequence[Item]) -> None:
        self.place, self.use, self.items = place, use, items
        self._make = Once(use.make)
        self.rows, self.remarks = list[int](), list[str]()
        self.weight = 0
        self.metric: Metric[Any] | None = None
        self.reason = ""
        self._predictions, self._references = list[Any](), list[Any]()
        self._measured: dict[int, Any] = {}
        self._fault: tuple[int, str] | None = None
        self._statistics: Any = None

    def take(self, sample: Sample, answer: Message | Failure) -> None:
        """Let what the metric judges of the latest item wait for its measuring."""
        left_out = self.use.failure == "left-out"
        failed = isinstance(answer, Failure)
        if failed and left_out:
            return
        judged = self.use.prediction(_NO_ANSWER if isinstance(answer, Failure) else answer)
        if judged is None and left_out:
            return
        empty = judged is None or (isinstance(judged, str) and not judged.strip())
        self.rows.append(len(self.items) - 1)
        self.remarks.append("failed" if failed else "empty" if empty else "")
        if self._fault is None:
            reference = self.use.reference(sample)
            self._predictions.append(judged)
            self._references.append(reference)
            self.weight += _weight(judged) + _weight(reference)

    @property
    def waiting(self) -> int:
        """Number of answers that wait to be measured."""
        return len(self._predictions)

    @cached_property
    def divisible(self) -> bool:
        """Whether each item's statistics are the same to the last bit, whatever stands beside it.

        A network's are not: how a batch is cut moves the last bits.
        """
        from metrics.metric import ArrayMetric

        try:
            return not self.use.network and isinstance(self._make(), ArrayMetric)
        except REASONS:
            return False

    def handed_over(self) -> Measuring:
        """What waits, to be measured wherever; the column lets go of it."""
        start = len(self.rows) - len(self._predictions)
        found = Measuring(self.place, start, self._make, self._predictions, self._references)
        self._predictions, self._references, self.weight = [], [], 0
        return found

    def receive(self, measured: Measured) -> None:
        """What became of something that was handed over; chunks may come back in any order."""
        if measured.reason is None:
            self._measured[measured.start] = measured.statistics
        elif self._fault is None or measured.start < self._fault[0]:
            self._fault = measured.start, measured.reason

    def finish(self) -> None:
        """Put all chunks together."""
        try:
            self.metric = self._make()
        except REASONS as error:
            self.reason = self.why(words(error))
        if self._fault is not None:  # the first, whichever came back first
            self.reason = self.why(self._fault[1], self._fault[0])
        if self.reason or self.metric is None:
            return
        if not self.rows:
            self.reason = NOTHING
            return
        try:
            parts = [self._measured[start] for start in sorted(self._measured)]
            whole = parts[0] if len(parts) == 1 else self.metric.merge(parts)
            self._statistics = self._with_failures(self.metric, whole)
        except REASONS as error:
            self.reason = self.why(words(error))
        self._measured = {}

    def _with_failures(self, metric: Metric[Any], statistics: Any) -> Any:
        """The statistics, with 0 for each failed sample of a mean.

        An empty answer stands in for a failure, and some rules reward one: to the official VQA script `?`,
        which people did answer, is empty too.

        Raises:
            ValueError: failures under a metric whose lowest values are its best.
        """
        from metrics.metric import MeanMetric

        failed = [position for position, remark in enumerate(self.remarks) if remark == "failed"]
        if not failed or not isinstance(metric, MeanMetric):
            return statistics
        if not metric.higher_is_better:
            raise ValueError(
                f"{metric.name} has no worst value for {len(failed)} failed samples; leave them out"
            )
        statistics = statistics.copy()
        statistics[failed] = 0.0
        return statistics

    def estimate(self, chosen: list[int] | None) -> Estimate:
        """The value and its interval over the chosen positions of the column; None chooses all.

        Raises:
            ValueError: and others of `REASONS`; the metric has no value for these items.
        """
        from metrics.statistics import estimate

        metric, statistics = self._of(chosen)
        rows = self.rows if chosen is None else [self.rows[position] for position in chosen]
        groups = [self.items[row].group for row in rows]
        return estimate(metric, statistics, groups if len(set(groups)) < len(groups) else None)

    def answered(self, chosen: list[int] | None) -> float | None:
        """The value over those of the chosen positions that did not fail; None where there is none."""
        positions = range(len(self.rows)) if chosen is None else chosen
        kept = [position for position in positions if self.remarks[position] != "failed"]
        if not kept:
            return None
        metric, statistics = self._of(kept)
        try:
            return finite(metric.value(statistics))
        except REASONS:
            return None

    def _of(self, chosen: list[int] | None) -> tuple[Metric[Any], Any]:
        """The metric and the statistics of the chosen positions."""
        from benchmarks.harness.parts import Part
        from metrics.metric import ArrayMetric

        metric, statistics = self.metric, self._statistics
        assert metric is not None
        if chosen is None:
            return metric, statistics
        if isinstance(metric, ArrayMetric):
            return metric, statistics[chosen]
        return Part(metric, chosen), statistics

    def scores(self) -> list[Score]:
        """Per-sample values, where the metric has them, and has a value for these samples at all."""
        if self.metric is None or self.reason:
            return []
        try:
            values = self.metric.items(self._statistics)
        except REASONS:  # what keeps the items from having values keeps the whole, whose row says why
            return []
        if values is None or any(finite(value) is None for value in values.tolist()):
            return []
        pairs = zip((self.items[row] for row in self.rows), values.tolist(), strict=True)
        return [Score(item.id, item.group, item.slice, self.use.name, value) for item, value in pairs]

    def why(self, text: str, start: int = 0) -> str:
        """A metric's error in one line; one that counts items is understood by their sample's id.

        Args:
            text: what the metric said.
            start: the position that the metric calls 0.
        """

        def with_sample(match: re.Match[str]) -> str:
            position = start + int(match[1])
            if position >= len(self.rows):
                return match[0]
            return f"item {position} (sample {self.items[self.rows[position]].id!r})"

        return redact("undefined: " + re.sub(r"item (\d+)", with_sample, text, count=1))


def words(error: Exception) -> str:
    """What an error says, on one line; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def finite(number: float) -> float | None:
    """The number as rows hold it: None where it is infinite or NaN, which JSON has no words for."""
    return float(number) if math.isfinite(number) else None


def _weight(judged: Any) -> int:
    """Bytes of a medium or an array; anything else is light."""
    match judged:
        case Image(pixels=array) | Video(frames=array) | Audio(samples=array):
            return int(array.nbytes)
    return int(getattr(judged, "nbytes", 0))
