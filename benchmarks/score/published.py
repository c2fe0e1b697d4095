"""Answers to a published benchmark in its owners' result format, against their files; no medium is opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import registry
from benchmarks.harness.benchmark import Broken, Options, Sample
from benchmarks.harness.records import Prediction, Result, read_predictions
from benchmarks.harness.scoring import score_predictions, with_unchecked
from benchmarks.registry import load_benchmark
from benchmarks.tasks.answers import read_answers
from benchmarks.tasks.official import DataError, holds_predictions
from benchmarks.tasks.published import OfficialData
from nextgpt.messages import Failure, Request, user

_UNASKED = Request((user(),))


def published_names() -> tuple[str, ...]:
    """The benchmarks whose answers are words, and that have official files.

    >>> "vqav2" in published_names(), "coco-30k" in published_names()
    (True, False)
    """
    return tuple(
        entry.name for entry in registry.BENCHMARKS.values() if entry.files and entry.produces == ("text",)
    )


def score_published(name: str, data: Path, predictions: Path, *, allow_missing: bool = False) -> list[Result]:
    """The rows of a benchmark, and of the parts that it is reported by.

    Args:
        name: of a benchmark whose answers are words.
        data: folder of its official files.
        predictions: official results, or our own predictions.
        allow_missing: count a sample without an answer as failed; refuse it otherwise.

    Raises:
        DataError: a benchmark of another kind, or a file that can't be used.
        RecordError: answers to other samples, or to other data.
    """
    benchmark = load_benchmark(name)
    if not isinstance(benchmark.load, OfficialData) or benchmark.produces != {"text"}:
        raise DataError(
            f"{name}: its answers are not words that a file of results holds; make a run of them by "
            f"`nextgpt-bench run --benchmark {name} --system answers:predictions.jsonl`."
        )
    samples = list(_unopened(benchmark.load, data))
    ours = holds_predictions(predictions)
    answers = read_predictions(predictions) if ours else [*_official(predictions)]
    if allow_missing:
        answered = {prediction.sample for prediction in answers}
        missing = Failure("missing", "no answer in the file")
        answers += [Prediction(sample.id, missing) for sample in samples if sample.id not in answered]
    scored = score_predictions(benchmark, samples, answers, system=predictions.name, where=predictions)
    # The official formats hold answers alone; ours may tell what they answer.
    return list((with_unchecked(scored, answers) if ours else scored).results)


def _official(path: Path) -> Iterator[Prediction]:
    return (Prediction(sample, answer) for sample, answer in read_answers(path).items())


def _unopened(source: OfficialData, data: Path) -> Iterator[Sample | Broken]:
    """The samples, nothing said in them: no metric of words looks at what was asked."""
    for record in source.records(Options(data=data)):
        if isinstance(record, Broken):
            yield record
        else:
            yield Sample(record.id, _UNASKED, record.references, record.group)
