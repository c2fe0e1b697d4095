from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.records import Prediction, Result
from benchmarks.harness.scoring import score_predictions
from benchmarks.registry import load_benchmark
from benchmarks.tasks.toyworld import extractor as toyworld_extractor
from nextgpt.messages import Failure, assistant
from toyworld.render import render
from toyworld.splits import scenes

BENCHMARK = load_benchmark("toy-text-to-image")
SAMPLES = [sample for sample in BENCHMARK.samples(Options(limit=24)) if isinstance(sample, Sample)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP in the layout of the shipped one."""
    import torch

    from toyworld.pretrain.extractor import model
    from toyworld.pretrain.tokenizer import LENGTH, save

    folder = tmp_path_factory.mktemp("weights") / "extractor"
    tokenizer = save(folder, ends=True)
    torch.manual_seed(0)
    model(len(tokenizer), LENGTH).save_pretrained(folder)
    return folder


def scored(predictions: Iterable[Prediction]) -> dict[str, Result]:
    found = score_predictions(BENCHMARK, SAMPLES, predictions, system="s")
    return {result.metric: result for result in found.results if result.slice is None}


def true_pictures() -> list[Prediction]:
    return [Prediction(sample.id, assistant(sample.references["image"])) for sample in SAMPLES]


def test_true_pictures_have_no_distance_and_others_have(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toyworld_extractor, "WEIGHTS", weights)
    right = scored(true_pictures())
    others = [
        Prediction(sample.id, assistant(render(scene)))
        for sample, scene in zip(SAMPLES, scenes("validation", len(SAMPLES)), strict=True)
    ]
    wrong = scored(others)
    assert right["fid"].value == pytest.approx(0, abs=1e-6)
    assert wrong["fid"].value is not None
    assert wrong["fid"].value > 1e-3
    assert right["clip_score"].value is not None
    assert 0 <= right["clip_score"].value <= 2.5
    assert "clip:extractor@" in right["fid"].signature
    assert "prompt:none" in right["clip_score"].signature


def test_sample_without_picture_is_left_out_of_both_and_wrong_for_the_oracle(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toyworld_extractor, "WEIGHTS", weights)
    predictions = true_pictures()
    predictions[0] = Prediction(SAMPLES[0].id, Failure("plan", "no call"))
    predictions[1] = Prediction(SAMPLES[1].id, assistant("here it is."))
    found = scored(predictions)
    for metric in ("fid", "clip_score"):
        assert found[metric].n == len(SAMPLES) - 2
        assert found[metric].failed == 1
        assert "2 without an answer, left out" in found[metric].method
    assert found["scene_accuracy"].n == len(SAMPLES)
    assert found["scene_accuracy"].value == pytest.approx(1 - 2 / len(SAMPLES))


def test_missing_weights_disable_these_two_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toyworld_extractor, "WEIGHTS", tmp_path / "none")
    found = scored(true_pictures())
    for metric in ("fid", "clip_score"):
        assert found[metric].value is None
        assert "neither a folder" in found[metric].method
        assert str(tmp_path) not in found[metric].method
    assert found["scene_accuracy"].value == 1.0
