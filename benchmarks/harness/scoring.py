"""From predictions to numbers: every metric of a benchmark with its interval, whole and by slice.

A metric turns what it judges into statistics of the items, and those into a value and an interval that
resamples groups. What has no value has a reason instead: never NaN, never -1, never a dropped sample.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.asked import refuse_if_changed
from benchmarks.harness.benchmark import Benchmark, Broken, MetricUse, Options, Sample
from benchmarks.harness.owner import Owner
from benchmarks.harness.provenance import redact
from benchmarks.harness.records import FILE, Prediction, RecordError, Result, Run, Score, write_scored
from nextgpt.messages import Failure, Message, assistant

if TYPE_CHECKING:
    from metrics.metric import Estimate, Metric

# What a metric raises when an input, a weights file or a tool such as Java is at fault; others are bugs.
_REASONS = (ValueError, OSError, RuntimeError, ImportError)

_NO_ANSWER = assistant()


@dataclass(frozen=True)
class Scored:
    """What scoring yields: a row per metric and slice, and a row per metric and sample."""

    results: tuple[Result, ...]
    scores: tuple[Score, ...]


def score(
    run: Run, benchmark: Benchmark, options: Options | None = None, *, owner: Owner | None = None
) -> Run:
    """Score a finished run, and write ``results.json`` and ``scores.parquet`` into its folder.

    Args:
        run: the predictions.
        benchmark: what they answer, in the version that the run was made with.
        options: which data; the limit is the run's own.
        owner: of the run's folder, where the caller owns it already.

    Raises:
        RecordError: another benchmark, version or data, a sample without prediction, or the reverse; or
            another process is at work in the folder.
    """
    if owner is None:
        with Owner(run.folder) as own:
            return score(run, benchmark, options, owner=own)
    made = (run.manifest.benchmark, run.manifest.version)
    if made != (benchmark.name, benchmark.version):
        raise RecordError(
            f"{run.folder}: made with {made[0]} version {made[1]}, but this is {benchmark.name} version "
            f"{benchmark.version}; run the system again"
        )
    samples = benchmark.samples(Options((options or Options()).data, run.manifest.limit))
    scored = score_predictions(
        benchmark, samples, run.predictions, system=run.manifest.system, where=run.folder / FILE
    )
    scored = with_unchecked(scored, run.predictions)
    owner.check()
    return write_scored(run, scored.results, scored.scores)


def score_predictions(
    benchmark: Benchmark,
    samples: Iterable[Sample | Broken],
    predictions: Iterable[Prediction],
    *,
    system: str,
    where: Path | str = FILE,
) -> Scored:
    """Score predictions in memory, whoever made them.

    Args:
        benchmark: names the metrics and the slices.
        samples: what was asked, with references.
        predictions: what was answered; each sample exactly once, in any order.
        system: name of who answered, for the rows.
        where: what to call the predictions in error messages.

    Raises:
        RecordError: a sample without prediction, a prediction without sample, or two for one sample.
    """
    items, columns = _collect(benchmark, samples, _by_sample(predictions, where), where)
    names: list[str | None] = [None, *sorted({item.slice for item in items if item.slice is not None})]
    results, scores = [], []
    measured = [_Measured.of(column, items) for column in columns]
    # Slice by slice, for metrics of one family share the preparation of their inputs.
    for name in names:
        results += [_result(benchmark, system, metric, items, name) for metric in measured]
    for metric in measured:
        scores += metric.scores(items)
    return Scored(tuple(results), tuple(scores))


def with_unchecked(scored: Scored, predictions: Iterable[Prediction]) -> Scored:
    """The same, whose results say how many answers may belong to other data, for their file does not tell."""
    count = sum(prediction.asked is None for prediction in predictions)
    if not count:
        return scored
    remark = f"; {count} do not say what they answer, so not checked against these data"
    results = [replace(result, method=result.method + remark) for result in scored.results]
    return replace(scored, results=tuple(results))


@dataclass(frozen=True)
class _Item:
    """One sample, without what was asked: scoring a large data set must not hold its pictures."""

    id: str
    group: str
    slice: str | None
    answer: Message | Failure
    seconds: float | None
    usable: bool


@dataclass(frozen=True)
class _Column:
    """What one metric judges: rows into the items, predictions, references, and what is wrong with them."""

    use: MetricUse
    rows: list[int] = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)
    references: list[Any] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def take(self, row: int, sample: Sample, answer: Message | Failure) -> None:
        left_out = self.use.failure == "left-out"
        if isinstance(answer, Failure) and left_out:
            return
        judged = self.use.prediction(_NO_ANSWER if isinstance(answer, Failure) else answer)
        if judged is None and left_out:
            return
        self.rows.append(row)
        self.predictions.append(judged)
        self.references.append(self.use.reference(sample))
        empty = judged is None or (isinstance(judged, str) and not judged.strip())
        self.remarks.append("failed" if isinstance(answer, Failure) else "empty" if empty else "")


def _by_sample(predictions: Iterable[Prediction], where: Path | str) -> dict[str, Prediction]:
    found: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.sample in found:
            raise RecordError(f"{where}: sample {prediction.sample!r} is answered twice; keep one answer")
        found[prediction.sample] = prediction
    return found


def _collect(
    benchmark: Benchmark,
    samples: Iterable[Sample | Broken],
    predictions: dict[str, Prediction],
    where: Path | str,
) -> tuple[list[_Item], list[_Column]]:
    items, columns = list[_Item](), [_Column(use) for use in benchmark.metrics]
    missing, known = list[str](), set[str]()
    for sample in samples:
        known.add(sample.id)
        prediction = predictions.get(sample.id)
        if prediction is not None:
            refuse_if_changed(prediction.asked, sample, where)
        if isinstance(sample, Broken):
            items.append(_Item(sample.id, "", None, Failure("data", sample.reason), None, usable=False))
        elif prediction is None:
            missing.append(sample.id)
        else:
            part = benchmark.slices(sample) if benchmark.slices else None
            answer = prediction.answer
            for column in columns:
                column.take(len(items), sample, answer)
            items.append(_Item(sample.id, sample.group, part, answer, prediction.seconds, usable=True))
    strangers = [sample for sample in predictions if sample not in known]
    if strangers:
        raise RecordError(
            f"{where}: sample {strangers[0]!r} ({len(strangers)} in all) is unknown to {benchmark.name}; "
            "give the references that belong to these predictions"
        )
    if missing:
        raise RecordError(
            f"{where}: no prediction for sample {missing[0]!r} ({len(missing)} of {len(known)} in all); "
            "answer every sample, with an error where there is no answer"
        )
    return items, columns


def _with_failures(metric: Metric[Any], statistics: Any, remarks: Sequence[str]) -> Any:
    """The statistics, with 0 for each failed sample of a mean.

    An empty answer stands in for a failure, and some rules reward one: to the official VQA script `?`, which
    people did answer, is empty too.

    Raises:
        ValueError: failures under a metric whose lowest values are its best.
    """
    from metrics.metric import MeanMetric

    failed = [position for position, remark in enumerate(remarks) if remark == "failed"]
    if not failed or not isinstance(metric, MeanMetric):
        return statistics
    if not metric.higher_is_better:
        raise ValueError(f"{metric.name} has no worst value for {len(failed)} failed samples; leave them out")
    statistics = statistics.copy()
    statistics[failed] = 0.0
    return statistics


@dataclass(frozen=True)
class _Measured:
    """One metric's statistics of its items, or why there are none."""

    column: _Column
    metric: Metric[Any] | None
    statistics: Any
    reason: str = ""

    @classmethod
    def of(cls, column: _Column, items: Sequence[_Item]) -> _Measured:
        metric = None
        try:
            metric = column.use.make()
            if not column.rows:
                return cls(column, metric, None, "no sample has an answer to judge")
            statistics = metric.statistics(column.predictions, column.references)
            return cls(column, metric, _with_failures(metric, statistics, column.remarks))
        except _REASONS as error:
            return cls(column, metric, None, _reason(error, column, items))

    def estimate(self, items: Sequence[_Item], chosen: list[int] | None) -> Estimate:
        """The value and its interval over the chosen positions of the column; None chooses all.

        Raises:
            ValueError: and others of `_REASONS`; the metric has no value for these items.
        """
        from benchmarks.harness.parts import Part
        from metrics.metric import ArrayMetric
        from metrics.statistics import estimate

        metric, statistics = self.metric, self.statistics
        assert metric is not None
        rows = self.column.rows
        if chosen is not None:
            rows = [rows[position] for position in chosen]
            if isinstance(metric, ArrayMetric):
                statistics = statistics[chosen]
            else:
                metric = Part(metric, chosen)
        groups = [items[row].group for row in rows]
        return estimate(metric, statistics, groups if len(set(groups)) < len(groups) else None)

    def scores(self, items: Sequence[_Item]) -> list[Score]:
        """Per-sample values, where the metric has them."""
        values = None if self.metric is None or self.reason else self.metric.items(self.statistics)
        if values is None:
            return []
        pairs = zip((items[row] for row in self.column.rows), values.tolist(), strict=True)
        name = self.column.use.name
        return [Score(item.id, item.group, item.slice, name, value) for item, value in pairs]


def _result(
    benchmark: Benchmark, system: str, measured: _Measured, items: Sequence[_Item], part: str | None
) -> Result:
    """One row of the table; a value that does not exist is None, and `method` says why."""
    inside = items if part is None else [item for item in items if item.slice == part]
    rows = measured.column.rows
    chosen = None if part is None else [k for k, row in enumerate(rows) if items[row].slice == part]
    n = len(rows if chosen is None else chosen)
    value = low = high = None
    method = measured.reason or ("" if n else "no sample has an answer to judge")
    if not method:
        try:
            found = measured.estimate(items, chosen)
            value, low, high = (finite(number) for number in (found.value, found.low, found.high))
            method = found.method
        except _REASONS as error:
            method = _reason(error, measured.column, items)
    seconds = [item.seconds for item in inside if item.seconds is not None]
    return Result(
        benchmark=benchmark.name,
        system=system,
        metric=measured.column.use.name,
        signature=measured.metric.signature if measured.metric is not None else "",
        value=value,
        low=low,
        high=high,
        n=n,
        failed=sum(isinstance(item.answer, Failure) for item in inside),
        slice=part,
        method=method + _remarks(measured.column, inside, chosen),
        seconds=sum(seconds) / len(seconds) if seconds else None,
    )


def _remarks(column: _Column, inside: Sequence[_Item], chosen: list[int] | None) -> str:
    """What became of samples without an answer, as an appendix to the method; usually empty."""
    positions = range(len(column.rows)) if chosen is None else chosen
    remarks = [column.remarks[position] for position in positions]
    unusable = sum(not item.usable for item in inside)
    counts = {
        "failed, scored as wrong": remarks.count("failed"),
        "without an answer, left out": len(inside) - len(positions) - unusable,
        "unusable in the data, left out": unusable,
        "empty, scored as they are": remarks.count("empty"),
    }
    return "".join(f"; {count} {what}" for what, count in counts.items() if count)


def finite(number: float) -> float | None:
    """The number as rows hold it: None where it is infinite or NaN, which JSON has no words for."""
    return float(number) if math.isfinite(number) else None


def _reason(error: Exception, column: _Column, items: Sequence[_Item]) -> str:
    """The error in one line; a metric that counts items is understood by their sample's id."""

    def with_sample(match: re.Match[str]) -> str:
        position = int(match[1])
        if position >= len(column.rows):
            return match[0]
        return f"{match[0]} (sample {items[column.rows[position]].id!r})"

    text = " ".join(str(error).split()) or type(error).__name__
    return redact("undefined: " + re.sub(r"item (\d+)", with_sample, text, count=1))
