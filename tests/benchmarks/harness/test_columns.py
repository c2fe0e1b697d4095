"""Scoring holds a batch of media at a time, and one metric without a value spoils no other."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from benchmarks.harness.benchmark import Benchmark, MetricUse, Options, Sample
from benchmarks.harness.expectations import ExpectationError, expectation_of
from benchmarks.harness.gate import hold
from benchmarks.harness.records import Prediction, Run, read_run
from benchmarks.harness.run import evaluate, run
from benchmarks.harness.scoring import score, score_predictions
from metrics.metric import FloatArray, MeanMetric, MetricInputError
from metrics.sets.metrics import FID, FeatureSets
from nextgpt.media import Image
from nextgpt.messages import Message, assistant
from tests.benchmarks.fakes import ExactMatch, Speaker, correlated, echo, noisy, numbers, sample

PICTURE = 4 * 4 * 3  # bytes of a picture by `noisy`


def picture(answer: Message) -> Image:
    return answer.images[0]


class Brightness(MeanMetric):
    """The mean pixel; notes how many pictures it is shown at once, and how many there are in memory."""

    name, higher_is_better, signature = "brightness", True, "brightness|v:1"
    shown: list[int]
    alive: list[int]

    def statistics(self, predictions: Sequence[Image], references: Sequence[object]) -> FloatArray:
        self.shown.append(len(predictions))
        self.alive.append(sum(isinstance(each, Image) for each in gc.get_objects()))
        return np.array([each.pixels.mean() for each in predictions])


class Features(FID):
    def statistics(self, predictions: Sequence[Image], references: Sequence[Image]) -> FeatureSets:
        return super().statistics(
            *([each.pixels.ravel()[:2] / 1.0 for each in side] for side in (predictions, references))
        )


def drawings(failure: Literal["wrong", "left-out"] = "wrong") -> Benchmark:
    """Twelve pictures, judged one by one and as a set."""
    Brightness.shown, Brightness.alive = [], []
    pixels = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), dtype=np.uint8)

    def true(asked: Sample) -> Image:
        return Image(pixels[int(asked.id[1:])])

    uses = (
        MetricUse("brightness", Brightness, picture, lambda asked: None, failure),
        MetricUse("fid", Features, picture, true, failure),
    )
    return numbers(metrics=uses, headline="brightness")


def test_media_are_measured_in_batches_to_the_same_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sum(isinstance(each, Image) for each in gc.get_objects())
    finished = run(drawings(), Speaker(noisy), tmp_path)
    whole = score(finished, drawings())
    assert Brightness.shown == [12]
    monkeypatch.setattr("benchmarks.harness.scoring.BATCH", 4 * PICTURE)
    benchmark = drawings()
    again = score(read_run(finished.folder), benchmark)
    assert Brightness.shown == [3, 3, 3, 3]  # FID waits with as many true pictures: six are above four
    assert max(Brightness.alive) <= before + 7
    assert again.scores == whole.scores
    for now, then in zip(again.results, whole.results, strict=True):
        assert now.value == pytest.approx(then.value, abs=1e-9)
        assert (now.n, now.signature, now.method) == (then.n, then.signature, then.method)


def test_an_item_of_a_later_batch_is_named_by_its_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strict(Brightness):
        def statistics(self, predictions: Sequence[Image], references: Sequence[object]) -> FloatArray:
            for number, each in enumerate(predictions):
                if each.pixels.max() == 255:
                    raise MetricInputError(f"item {number}: too bright")
            return super().statistics(predictions, references)

    monkeypatch.setattr("benchmarks.harness.scoring.BATCH", PICTURE)
    uses = (
        replace(drawings().metrics[0], make=Strict),
        MetricUse("exact_match", ExactMatch, lambda a: "", str),
    )
    dark, bright = (Image(np.full((4, 4, 3), level, dtype=np.uint8)) for level in (9, 255))
    predictions = [Prediction(f"s{k}", assistant(bright if k == 5 else dark)) for k in range(8)]
    found = score_predictions(
        numbers(metrics=uses, headline="brightness"), [sample(k) for k in range(8)], predictions, system="x"
    )
    assert found.results[0].method.startswith("undefined: item 5 (sample 's5'): too bright")
    assert (found.results[0].value, found.results[0].n) == (None, 8)
    assert found.results[1].value is not None
    assert {row.metric for row in found.scores} == {"exact_match"}


def test_a_metric_without_a_value_for_one_item_leaves_the_others_theirs(tmp_path: Path) -> None:
    finished = evaluate(correlated(1), Speaker(echo), tmp_path)
    undefined, exact = finished.results
    assert (undefined.value, undefined.n) == (None, 1)
    assert undefined.method == "undefined: correlated of 1 item: score two items or more"
    assert exact.value == 1.0
    assert [row.metric for row in finished.scores] == ["exact_match"]


def test_a_headline_without_a_value_holds_no_line_and_says_why(tmp_path: Path) -> None:
    expected = expectation_of(evaluate(correlated(9), Speaker(echo), tmp_path / "all"))
    alone = evaluate(correlated(9), Speaker(echo), tmp_path / "one", Options(limit=1))
    for verdict in (lambda: hold(alone, expected), lambda: expectation_of(replaced(alone))):
        with pytest.raises(ExpectationError, match="undefined: correlated of 1 item"):
            verdict()


def replaced(run: Run) -> Run:
    """The run as if it had been made without a limit."""
    found = replace(run, manifest=replace(run.manifest, limit=None))
    found.__dict__["results"] = run.results
    return found


def test_values_that_are_no_numbers_are_in_no_table(tmp_path: Path) -> None:
    class Endless(ExactMatch):
        def statistics(self, predictions: Sequence[str], references: Sequence[str]) -> FloatArray:
            return np.full(len(predictions), np.inf)

    use = replace(numbers().metrics[0], make=Endless)
    finished = evaluate(numbers(metrics=(use,)), Speaker(echo), tmp_path)
    assert finished.results[0].value is None
    assert finished.scores == ()
    rows = json.loads((finished.folder / "results.json").read_text())
    assert rows[0]["method"].startswith("undefined")


def test_an_unusable_medium_costs_its_sample_alone(tmp_path: Path) -> None:
    finished = run(drawings(), Speaker(noisy), tmp_path)
    path = finished.folder / "predictions.jsonl"
    first, rest = path.read_text().split("\n", 1)
    record = json.loads(first)
    (finished.folder / "media" / "odd.png").write_bytes(b"no picture")
    record["message"]["parts"] = [{"image": "media/odd.png"}]
    path.write_text(f"{json.dumps(record)}\n{rest}")
    scored = score(read_run(finished.folder), drawings("left-out"))
    counted = [(row.metric, row.n, row.failed) for row in scored.results]
    assert counted == [("brightness", 11, 1), ("fid", 11, 1)]
    assert list(scored.failures) == [record["sample"]]
