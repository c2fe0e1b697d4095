"""Answers in another language, or of ten thousand words: wrong or unparsed as they are, and in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.predictions import Prediction
from benchmarks.harness.records import Result
from benchmarks.harness.scoring import score_predictions
from benchmarks.registry import load_benchmark
from nextgpt.messages import assistant
from tests.benchmarks.tasks.official_files import miniature

FOREIGN = ("这张图片里没有狗。", "Je ne sais pas.", "नहीं, यह लाल है", "لا أعرف", "答えはBです。")
RAMBLING = "the dog and the cat walk on and on " * 1_250  # ten thousand words
ONE_WORD = ("vqav2", "okvqa", "textvqa", "gqa", "msvd-qa", "msrvtt-qa", "activitynet-qa")
CHOICES = ("mmbench", "seed-bench", "next-qa")


def scored(name: str, said: str, folder: Path) -> dict[str, Result]:
    benchmark = load_benchmark(name)
    samples = list(benchmark.samples(Options(data=miniature(name, folder))))
    assert all(isinstance(sample, Sample) for sample in samples)
    answers = [Prediction(sample.id, assistant(said)) for sample in samples]
    begin = time.monotonic()
    found = score_predictions(benchmark, samples, answers, system="s").results
    assert time.monotonic() - begin < 60
    return {row.metric: row for row in found if row.slice is None}


@pytest.mark.parametrize("said", [*FOREIGN, RAMBLING], ids=["zh", "fr", "hi", "ar", "ja", "long"])
@pytest.mark.parametrize("name", [*ONE_WORD, *CHOICES, "pope"])
def test_it_is_wrong_and_counted_and_never_taken_for_an_answer(name: str, said: str, tmp_path: Path) -> None:
    rows = scored(name, said, tmp_path)
    assert all(row.failed == 0 for row in rows.values()), "it is an answer, if not a right one"
    if name == "pope":  # whose own script takes for a yes what denies nothing: the share of such is beside it
        assert rows["pope_unparsed"].value == 1
        return
    headline = rows[load_benchmark(name).headline]
    assert headline.value == 0
    if name in CHOICES:
        assert rows["choice_unparsed"].value == 1


@pytest.mark.java
@pytest.mark.parametrize("said", [FOREIGN[0], RAMBLING], ids=["zh", "long"])
def test_a_caption_of_that_kind_scores_low(said: str, tmp_path: Path) -> None:
    rows = scored("nocaps", said, tmp_path)
    for metric in ("bleu_4", "rouge_l", "meteor"):
        value = rows[metric].value
        assert value is not None
        assert value < 0.1
