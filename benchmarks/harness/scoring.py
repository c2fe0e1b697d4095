"""From predictions to numbers: every metric of a benchmark with its interval, whole and by slice.

A metric turns what it judges into statistics of the items, and those into a value and an interval that
resamples groups. What has no value has a reason instead: never NaN, never -1, never a dropped sample.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from benchmarks.harness.asked import refuse_if_changed
from benchmarks.harness.benchmark import Benchmark, Broken, Options, Sample
from benchmarks.harness.columns import (
    BATCH,
    NOTHING,
    REASONS,
    Column,
    Item,
    Measured,
    Measuring,
    Meter,
    finite,
    words,
)
from benchmarks.harness.owner import Owner
from benchmarks.harness.predictions import FILE, Prediction
from benchmarks.harness.records import Run, write_scored
from benchmarks.harness.results import Result, Score
from benchmarks.harness.storage import RecordError, brief
from nextgpt.messages import Failure, Message


@dataclass(frozen=True)
class Scored:
    """What scoring yields: a row per metric and slice, and a row per metric and sample."""

    results: tuple[Result, ...]
    scores: tuple[Score, ...]


class Measurer(Protocol):
    """Whoever makes statistics of chunks."""

    @property
    def piece(self) -> int | None:
        """Items in a chunk of texts, at most; None for as many as there are."""

    def measure_all(self, chunks: Iterable[Sequence[Measuring]]) -> Iterator[Sequence[Measured]]:
        """What became of the chunks, in any order."""


def score(
    run: Run,
    benchmark: Benchmark,
    options: Options | None = None,
    *,
    owner: Owner | None = None,
    measurer: Measurer | None = None,
) -> Run:
    """Score a finished run, and write ``results.json`` and ``scores.parquet`` into its folder.

    Args:
        run: the predictions.
        benchmark: what they answer, in the version that the run was made with.
        options: which data; the limit is the run's own.
        owner: of the run's folder, where the caller owns it already.
        measurer: who makes the statistics; this process where nobody is named.

    Raises:
        RecordError: another benchmark, version or data, a sample without prediction, or the reverse; or
            another process is at work in the folder.
    """
    if owner is None:
        with Owner(run.folder) as own:
            return score(run, benchmark, options, owner=own, measurer=measurer)
    scored = rescore(run, benchmark, options, measurer)
    owner.check()
    return write_scored(run, scored.results, scored.scores)


def rescore(
    run: Run, benchmark: Benchmark, options: Options | None = None, measurer: Measurer | None = None
) -> Scored:
    """What scoring a run yields; nothing is written. Arguments and errors are those of `score`."""
    if run.manifest.shard is not None:
        raise RecordError(
            f"{run.folder}: part {run.manifest.shard} of a run; put all parts together "
            "by `nextgpt-bench merge`"
        )
    made = (run.manifest.benchmark, run.manifest.version)
    if made != (benchmark.name, benchmark.version):
        raise RecordError(
            f"{run.folder}: made with {made[0]} version {made[1]}, but this is {benchmark.name} version "
            f"{benchmark.version}; run the system again"
        )
    samples = benchmark.samples(Options((options or Options()).data, run.manifest.limit))
    scored = score_predictions(
        benchmark,
        samples,
        run.predictions,
        system=run.manifest.system,
        where=run.folder / FILE,
        measurer=measurer,
    )
    return with_unchecked(scored, run.predictions)


def score_predictions(
    benchmark: Benchmark,
    samples: Iterable[Sample | Broken],
    predictions: Iterable[Prediction],
    *,
    system: str,
    where: Path | str = FILE,
    measurer: Measurer | None = None,
) -> Scored:
    """Score predictions in memory, whoever made them.

    Args:
        benchmark: names the metrics and the slices.
        samples: what was asked, with references.
        predictions: what was answered; each sample exactly once, in any order.
        system: name of who answered, for the rows.
        where: what to call the predictions in error messages.
        measurer: as in `score`.

    Raises:
        RecordError: a sample without prediction, a prediction without sample, or two for one sample.
    """
    items = list[Item]()
    columns = [Column(place, use, items) for place, use in enumerate(benchmark.metrics)]
    measurer = measurer or Meter()
    answers = _answers(benchmark, samples, _by_sample(predictions, where), where, items)
    for measured in measurer.measure_all(_chunks(columns, answers, measurer.piece)):
        for each in measured:
            columns[each.column].receive(each)
    for column in columns:
        column.finish()
    names: list[str | None] = [None, *sorted({item.slice for item in items if item.slice is not None})]
    # Slice by slice, for metrics of one family share the preparation of their inputs.
    results = [_result(benchmark, system, column, name) for name in names for column in columns]
    scores = [score for column in columns for score in column.scores()]
    return Scored(tuple(results), tuple(scores))


def with_unchecked(scored: Scored, predictions: Iterable[Prediction]) -> Scored:
    """The same, whose results say how many answers may belong to other data, for their file does not tell."""
    count = sum(prediction.asked is None for prediction in predictions)
    if not count:
        return scored
    remark = f"; {count} do not say what they answer, so not checked against these data"
    results = [replace(result, method=result.method + remark) for result in scored.results]
    return replace(scored, results=tuple(results))


def _by_sample(predictions: Iterable[Prediction], where: Path | str) -> dict[str, Prediction]:
    found: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.sample in found:
            raise RecordError(
                f"{where}: sample {brief(prediction.sample)} is answered twice; keep one answer"
            )
        found[prediction.sample] = prediction
    return found


def _answers(
    benchmark: Benchmark,
    samples: Iterable[Sample | Broken],
    predictions: dict[str, Prediction],
    where: Path | str,
    items: list[Item],
) -> Iterator[tuple[Sample, Message | Failure]]:
    """Each sample with its answer, its item being the last one then; refuses what does not fit together."""
    missing, known = list[str](), set[str]()
    for sample in samples:
        known.add(sample.id)
        prediction = predictions.get(sample.id)
        if prediction is not None:
            refuse_if_changed(prediction.asked, sample, where)
        if isinstance(sample, Broken):
            items.append(Item(sample.id, "", None, failed=False, seconds=None, usable=False))
        elif prediction is None:
            missing.append(sample.id)
        else:
            part = benchmark.slices(sample) if benchmark.slices else None
            answer, seconds = prediction.answer, prediction.seconds
            items.append(Item(sample.id, sample.group, part, isinstance(answer, Failure), seconds))
            yield sample, answer
    _check(predictions, known, missing, f"{where}", benchmark.name)


def _chunks(
    columns: Sequence[Column], answers: Iterator[tuple[Sample, Message | Failure]], piece: int | None
) -> Iterator[list[Measuring]]:
    """What each metric is shown of the samples; of media, no more than a chunk is held at a time."""
    for sample, answer in answers:
        for column in columns:
            column.take(sample, answer)
        if any(column.weight > BATCH for column in columns):
            # All of them, for metrics share what they see in a picture.
            yield [column.handed_over() for column in columns if column.waiting]
        elif piece is not None:
            full = [each for each in columns if each.waiting >= piece and not each.weight and each.divisible]
            if full:
                yield [column.handed_over() for column in full]
    yield [column.handed_over() for column in columns if column.waiting]


def _check(
    predictions: Collection[str], known: Collection[str], missing: Sequence[str], where: str, name: str
) -> None:
    """Refuse predictions of samples that are unknown, and samples without one.

    Raises:
        RecordError: names the first.
    """
    strangers = [sample for sample in predictions if sample not in known]
    if strangers:
        raise RecordError(
            f"{where}: sample {brief(strangers[0])} ({len(strangers)} in all) is unknown to {name}; "
            "give the references that belong to these predictions"
        )
    if missing:
        raise RecordError(
            f"{where}: no prediction for sample {missing[0]!r} ({len(missing)} of {len(known)} in all); "
            "answer every sample, with an error where there is no answer"
        )


def _result(benchmark: Benchmark, system: str, column: Column, part: str | None) -> Result:
    """One row of the table; a value that does not exist is None, and `method` says why."""
    items, rows = column.items, column.rows
    inside = items if part is None else [item for item in items if item.slice == part]
    chosen = None if part is None else [k for k, row in enumerate(rows) if items[row].slice == part]
    positions = range(len(rows)) if chosen is None else chosen
    n, failed = len(positions), sum(item.failed for item in inside)
    scored_as_wrong = sum(column.remarks[position] == "failed" for position in positions)
    value = low = high = answered = error = None
    method = column.reason or ("" if n else NOTHING)
    if not method:
        try:
            found = column.estimate(chosen)
            value, low, high = (finite(number) for number in (found.value, found.low, found.high))
            error = finite(found.standard_error)
            method = found.method
            answered = column.answered(chosen) if scored_as_wrong else value
        except REASONS as reason:
            method = column.why(words(reason))
    seconds = [item.seconds for item in inside if item.seconds is not None]
    return Result(
        benchmark=benchmark.name,
        system=system,
        metric=column.use.name,
        signature=column.metric.signature if column.metric is not None else "",
        value=value,
        low=low,
        high=high,
        n=n,
        failed=failed,
        slice=part,
        method=method + _remarks(column, inside, chosen),
        seconds=sum(seconds) / len(seconds) if seconds else None,
        unjudged=len(inside) - failed - (n - scored_as_wrong),
        answered=answered,
        standard_error=error,
    )


def _remarks(column: Column, inside: Sequence[Item], chosen: list[int] | None) -> str:
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
