from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.benchmark import Benchmark, Broken, MetricUse, Sample
from benchmarks.harness.records import Prediction, RecordError, Result, read_run
from benchmarks.harness.run import run
from benchmarks.harness.scoring import Scored, score, score_predictions
from metrics.answers.accuracy import VqaAccuracy
from metrics.captions.metrics import CiderD
from metrics.metric import FloatArray, Metric, MetricInputError
from nextgpt.messages import Failure, Message, assistant
from tests.benchmarks.fakes import ExactMatch, Speaker, echo, numbers, sample


class Spread(Metric[list[float]]):
    """The standard deviation of the predictions' lengths: a metric of the set, no value for an item."""

    name = "spread"
    higher_is_better = True
    signature = "spread|v:1"

    def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> list[float]:
        if len(predictions) < 2:
            raise MetricInputError("spread needs two items")
        return [float(len(text)) for text in predictions]

    def merge(self, parts: Sequence[list[float]]) -> list[float]:
        return [number for part in parts for number in part]

    def value(self, statistics: list[float], weights: FloatArray | None = None) -> float:
        mean = np.average(statistics, weights=weights)
        return float(np.sqrt(np.average((np.array(statistics) - mean) ** 2, weights=weights)))

    def size(self, statistics: list[float]) -> int:
        return len(statistics)


def said(answer: Message) -> str | None:
    return answer.text or None


def reference(asked: Sample) -> Any:
    return asked.references["answer"]


SPREAD = MetricUse("spread", Spread, said, reference, failure="left-out")
EXACT = MetricUse("exact_match", ExactMatch, lambda answer: answer.text, reference)


def scored(
    benchmark: Benchmark, answers: Mapping[str, Message | Failure], samples: Sequence[Sample | Broken]
) -> Scored:
    predictions = [Prediction(key, answer, 0.5) for key, answer in answers.items()]
    return score_predictions(benchmark, samples, predictions, system="echo", where="answers.jsonl")


def only(found: Scored, metric: str = "exact_match", part: str | None = None) -> Result:
    (result,) = [row for row in found.results if (row.metric, row.slice) == (metric, part)]
    return result


def failing_metric(error: Exception) -> MetricUse:
    def make() -> ExactMatch:
        raise error

    return MetricUse("exact_match", make, said, reference)


def test_a_score_comes_with_signature_interval_n_and_time() -> None:
    samples = [sample(k) for k in range(12)]
    found = only(scored(numbers(), {f"s{k}": assistant(str(k)) for k in range(12)}, samples))
    assert (found.benchmark, found.system, found.signature) == ("numbers", "echo", "exact_match|v:1")
    assert (found.value, found.n, found.failed, found.seconds) == (0.5, 12, 0, 0.5)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.5 < found.high < 1
    assert "clustered" in found.method


def test_every_sample_has_its_own_row() -> None:
    samples = [sample(k) for k in range(4)]
    found = scored(numbers(), {f"s{k}": assistant(str(k)) for k in (3, 1, 0, 2)}, samples)
    assert [(s.sample, s.group, s.metric, s.value) for s in found.scores] == [
        ("s0", "g0", "exact_match", 1.0),
        ("s1", "g0", "exact_match", 0.0),
        ("s2", "g0", "exact_match", 1.0),
        ("s3", "g1", "exact_match", 0.0),
    ]


def test_a_failure_counts_as_wrong_and_is_counted() -> None:
    samples = [sample(k, reference=str(k)) for k in range(4)]
    answers: dict[str, Message | Failure] = {f"s{k}": assistant(str(k)) for k in range(3)}
    found = only(scored(numbers(), {**answers, "s3": Failure("plan", "no")}, samples))
    assert (found.value, found.answered) == (0.75, 1.0)
    assert (found.n, found.failed, found.unjudged) == (4, 1, 0)
    assert found.method.endswith("; 1 failed, scored as wrong")


def test_a_failure_is_worth_nothing_where_an_empty_answer_would_be_worth_something() -> None:
    said_of = MetricUse("vqa_accuracy", VqaAccuracy, lambda answer: answer.text, lambda s: s.references)
    answers = [{"answer": "?" if k < 8 else "nothing", "answer_id": k} for k in range(10)]
    samples = [replace(sample(k), references={"answers": answers}) for k in range(2)]
    benchmark = numbers(metrics=(said_of,), headline="vqa_accuracy")
    found = scored(benchmark, {"s0": assistant(), "s1": Failure("system", "out of memory")}, samples)
    assert [row.value for row in found.scores] == [1.0, 0.0]
    result = only(found, "vqa_accuracy")
    assert (result.value, result.n, result.failed) == (0.5, 2, 1)
    assert result.method.endswith("; 1 failed, scored as wrong; 1 empty, scored as they are")


def test_failures_under_a_metric_that_has_no_worst_value_are_refused() -> None:
    class Distance(ExactMatch):
        higher_is_better = False

    use = replace(EXACT, make=Distance)
    samples = [sample(k) for k in range(3)]
    whole = {f"s{k}": assistant(str(k)) for k in range(3)}
    assert only(scored(numbers(metrics=(use,)), whole, samples)).value is not None
    found = only(scored(numbers(metrics=(use,)), {**whole, "s1": Failure("plan", "no")}, samples))
    assert found.value is None
    assert "no worst value for 1 failed samples; leave them out" in found.method


def test_a_metric_of_sets_leaves_failures_out_and_says_so() -> None:
    samples = [sample(k) for k in range(6)]
    answers: dict[str, Message | Failure] = {f"s{k}": assistant("a" * k) for k in range(5)}
    found = scored(numbers(metrics=(EXACT, SPREAD)), {**answers, "s5": Failure("tool", "no")}, samples)
    spread = only(found, "spread")
    assert (spread.n, spread.failed, spread.unjudged) == (4, 1, 1)  # s5 failed, s0 said nothing
    assert spread.answered == spread.value
    assert spread.method.endswith("; 2 without an answer, left out")
    assert spread.value == pytest.approx(math.sqrt(1.25))
    assert {score.metric for score in found.scores} == {"exact_match"}


def test_a_broken_sample_is_left_out_of_every_metric_and_counted() -> None:
    samples: list[Sample | Broken] = [sample(0), Broken("s1", "1.jpg: empty"), sample(2)]
    answers: dict[str, Message | Failure] = {
        "s0": assistant("0"),
        "s1": Failure("data", "x"),
        "s2": assistant("2"),
    }
    found = only(scored(numbers(), answers, samples))
    assert (found.value, found.n, found.failed, found.unjudged) == (1.0, 2, 0, 1)
    assert "; 1 unusable in the data, left out" in found.method


def test_an_empty_answer_is_scored_and_counted() -> None:
    samples = [sample(k, reference="") for k in range(3)]
    answers: dict[str, Message | Failure] = {"s0": assistant(), "s1": assistant(" \n"), "s2": assistant("x")}
    found = only(scored(numbers(), answers, samples))
    assert found.value == pytest.approx(2 / 3)
    assert found.method.endswith("; 2 empty, scored as they are")


def test_slices_are_reported_beside_the_whole() -> None:
    parts = numbers(metrics=(EXACT, SPREAD), slices=lambda s: "even" if int(s.id[1:]) % 2 == 0 else None)
    samples = [sample(k) for k in range(8)]
    found = scored(parts, {f"s{k}": assistant(str(10**k)) for k in range(8)}, samples)
    assert [(row.metric, row.slice) for row in found.results] == [
        ("exact_match", None),
        ("spread", None),
        ("exact_match", "even"),
        ("spread", "even"),
    ]
    assert (only(found, part="even").value, only(found, part="even").n) == (0.0, 4)
    assert only(found, "spread", "even").value == pytest.approx(math.sqrt(5))


@pytest.mark.java
def test_a_slice_keeps_the_document_frequencies_of_the_whole() -> None:
    captions = ["a red star", "a red square", "a blue star", "two blue squares", "a green star", "a red sun"]
    samples = [
        replace(sample(k), references={"captions": (text,)}, group=f"g{k}") for k, text in enumerate(captions)
    ]
    use = MetricUse("cider_d", CiderD, lambda answer: answer.text, lambda s: s.references["captions"])
    parts = numbers(
        metrics=(use,), headline="cider_d", slices=lambda s: "early" if int(s.id[1:]) < 3 else "late"
    )
    answers = {f"s{k}": assistant(text) for k, text in enumerate([*captions[1:], captions[0]])}
    found = scored(parts, answers, samples)
    items = {row.sample: row.value for row in found.scores}
    for part, chosen in (("early", range(3)), ("late", range(3, 6))):
        result = only(found, "cider_d", part)
        assert result.value == pytest.approx(np.mean([items[f"s{k}"] for k in chosen]))
        assert result.low is not None
        assert result.value is not None
        assert result.high is not None
        assert result.low <= result.value <= result.high
    alone = scored(parts, {f"s{k}": answers[f"s{k}"] for k in range(3)}, samples[:3])
    assert only(alone, "cider_d").value != pytest.approx(only(found, "cider_d", "early").value)


def test_without_a_spread_there_is_no_interval_and_a_reason() -> None:
    samples = [replace(sample(k), group="one") for k in range(4)]
    found = only(scored(numbers(), {f"s{k}": assistant("0") for k in range(4)}, samples))
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert found.method.startswith("no interval: ")


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (
            failing_metric(MetricInputError("item 1: not a caption")),
            "undefined: item 1 (sample 's1'): not a caption",
        ),
        (failing_metric(OSError("no /home/jane/inception.pt")), "undefined: no …/inception.pt"),
        (failing_metric(RuntimeError("Java\nis missing")), "undefined: Java is missing"),
    ],
)
def test_a_value_that_does_not_exist_has_a_reason(use: MetricUse, reason: str) -> None:
    class Late(ExactMatch):
        def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
            use.make()
            raise AssertionError

    late = replace(use, make=Late)
    found = only(
        scored(numbers(metrics=(late,)), {"s0": assistant("0"), "s1": assistant()}, [sample(0), sample(1)])
    )
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 2)
    assert found.method.startswith(reason)
    assert found.signature == "exact_match|v:1"


def test_a_metric_that_cannot_be_made_has_a_reason_and_no_signature() -> None:
    found = only(
        scored(numbers(metrics=(failing_metric(ImportError("no torch")),)), {"s0": assistant()}, [sample(0)])
    )
    assert (found.value, found.method, found.signature) == (
        None,
        "undefined: no torch; 1 empty, scored as they are",
        "",
    )


def test_a_bug_in_a_metric_is_no_reason() -> None:
    with pytest.raises(ZeroDivisionError):
        scored(numbers(metrics=(failing_metric(ZeroDivisionError()),)), {"s0": assistant()}, [sample(0)])


def test_when_all_failed_there_is_no_value_of_a_set() -> None:
    found = scored(numbers(metrics=(EXACT, SPREAD)), {"s0": Failure("plan", "no")}, [sample(0)])
    assert only(found).value == 0.0
    assert only(found, "spread").value is None
    assert "no sample has an answer to judge" in only(found, "spread").method


@pytest.mark.parametrize(
    ("ids", "complaint"),
    [
        (["s0"], r"answers.jsonl: no prediction for sample 's1' \(2 of 3 in all\)"),
        (["s0", "s1", "s2", "s9"], r"answers.jsonl: sample 's9' \(1 in all\) is unknown to numbers"),
        (["s0", "s1", "s2", "s1"], r"answers.jsonl: sample 's1' is answered twice"),
    ],
)
def test_predictions_that_do_not_fit_the_samples_are_refused(ids: list[str], complaint: str) -> None:
    predictions = [Prediction(key, assistant("x")) for key in ids]
    with pytest.raises(RecordError, match=complaint):
        score_predictions(
            numbers(), [sample(k) for k in range(3)], predictions, system="x", where="answers.jsonl"
        )


def test_a_scored_run_is_files_and_scoring_again_changes_none(tmp_path: Path) -> None:
    benchmark = numbers(slices=lambda s: "even" if int(s.id[1:]) % 2 == 0 else "odd")
    finished = score(run(benchmark, Speaker(echo), tmp_path), benchmark)
    files = {file: file.read_bytes() for file in finished.folder.iterdir()}
    assert {file.name for file in files} == {
        "run.json",
        "predictions.jsonl",
        "scores.parquet",
        "results.json",
        "scored.json",
    }
    assert score(read_run(finished.folder), benchmark).results == finished.results
    assert {file: file.read_bytes() for file in finished.folder.iterdir()} == files


def test_a_run_of_another_version_is_not_scored(tmp_path: Path) -> None:
    finished = run(numbers(), Speaker(echo), tmp_path)
    with pytest.raises(RecordError, match="made with numbers version 1, but this is numbers version 2"):
        score(finished, numbers(version=2))
