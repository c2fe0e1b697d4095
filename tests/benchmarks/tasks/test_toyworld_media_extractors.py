"""Clips and sounds are held against the true ones over networks in the layout of toyworld's own."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.harness.records import Prediction, Result
from benchmarks.harness.scoring import score_predictions
from benchmarks.registry import load_benchmark
from benchmarks.tasks.toyworld import media_extractors
from nextgpt.encoding.embedding import load
from nextgpt.encoding.imagebind import ImageBind, TrunkConfig
from nextgpt.media import Medium
from nextgpt.messages import Failure, assistant
from toyworld.clips.clip import Clip
from toyworld.clips.language import captions
from toyworld.clips.render import render as render_clip
from toyworld.pretrain import clap, media_encoder
from toyworld.pretrain.tokenizer import MEDIA_LENGTH, build_for_media
from toyworld.sounds.render import render as render_sound
from toyworld.splits import clips, sounds

CLIPS, SOUNDS = load_benchmark("toy-text-to-video"), load_benchmark("toy-text-to-audio")
NETWORKED = {"toy-text-to-video": ("fvd", "clipsim"), "toy-text-to-audio": ("fad", "kad", "clap_score")}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random networks."""
    folder = tmp_path_factory.mktemp("weights")
    tokenizer = build_for_media(ends=True)
    torch.manual_seed(0)
    config = dataclasses.replace(
        media_encoder.configuration(len(tokenizer), int(tokenizer.eos_token_id)),
        out_dim=16,
        modalities={"vision": TrunkConfig(32, 1, 2), "text": TrunkConfig(32, 1, 2)},
    )
    seeing, hearing = folder / "clip_extractor", folder / "sound_extractor"
    tokenizer.save_pretrained(seeing)
    (seeing / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    save_file(ImageBind(config).state_dict(), seeing / "model.safetensors")
    clap.save(clap.model(len(tokenizer), MEDIA_LENGTH, 32), tokenizer, hearing)
    return folder


@pytest.fixture
def at(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(media_extractors, "WEIGHTS", weights)
    return weights


def some(benchmark: Benchmark) -> list[Sample]:
    return [sample for sample in benchmark.samples(Options(limit=12)) if isinstance(sample, Sample)]


def scored(benchmark: Benchmark, answers: Iterable[object]) -> dict[str, Result]:
    samples = some(benchmark)
    made = [Prediction(sample.id, answer) for sample, answer in zip(samples, answers, strict=True)]  # type: ignore[arg-type]
    found = score_predictions(benchmark, samples, made, system="s")
    return {result.metric: result for result in found.results if result.slice is None}


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("benchmark", "medium", "render", "others", "distances"),
    [
        (CLIPS, "video", render_clip, clips, ("fvd",)),
        (SOUNDS, "audio", render_sound, sounds, ("fad", "kl_reference_prediction")),
    ],
)
def test_true_media_have_no_distance_and_others_have(
    benchmark: Benchmark,
    medium: str,
    render: Callable[..., Medium],
    others: Callable[..., Iterable[object]],
    distances: tuple[str, ...],
) -> None:
    right = scored(benchmark, [assistant(sample.references[medium]) for sample in some(benchmark)])
    wrong = scored(benchmark, [assistant(render(thing)) for thing in others("validation", 12)])
    for name in distances:
        # KL adds a millionth to each of 48 probabilities before it takes logarithms.
        assert right[name].value == pytest.approx(0, abs=1e-4)
        assert (wrong[name].value or -1) > (right[name].value or 0)
    likeness = "clipsim" if medium == "video" else "clap_score"
    assert -1 <= (right[likeness].value or -2) <= 1


@pytest.mark.usefixtures("at")
def test_signatures_name_the_networks_and_how_they_look() -> None:
    clip = scored(CLIPS, [assistant(sample.references["video"]) for sample in some(CLIPS)])
    assert "imagebind:clip_extractor@" in clip["fvd"].signature
    assert "whole clips" in clip["clipsim"].signature
    sound = scored(SOUNDS, [assistant(sample.references["audio"]) for sample in some(SOUNDS)])
    assert "clap:sound_extractor@" in sound["fad"].signature
    assert "zero-shot:48 events" in sound["kl_reference_prediction"].signature


@pytest.mark.usefixtures("at")
def test_an_answer_without_its_medium_is_left_out_and_counted() -> None:
    answers = [assistant(sample.references["video"]) for sample in some(CLIPS)]
    found = scored(CLIPS, [Failure("plan", "no call"), assistant("here it is."), *answers[2:]])
    for name in ("fvd", "clipsim"):
        assert (found[name].n, found[name].failed) == (10, 1)
        assert "2 without an answer, left out" in found[name].method
    assert found["clip_accuracy"].n == 12


@pytest.mark.parametrize(("benchmark", "medium"), [(CLIPS, "video"), (SOUNDS, "audio")])
def test_missing_weights_disable_these_alone_and_say_so(
    benchmark: Benchmark, medium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_extractors, "WEIGHTS", tmp_path / "none")
    found = scored(benchmark, [assistant(sample.references[medium]) for sample in some(benchmark)])
    for name in NETWORKED[benchmark.name]:
        assert found[name].value is None
        assert "extractor" in found[name].method
        assert str(tmp_path) not in found[name].method
    assert found[benchmark.headline].value == 1.0


def test_clips_and_texts_are_seen_as_the_network_was_trained(weights: Path) -> None:
    embedder = load(weights / "clip_extractor")
    whole = media_extractors.WholeClips(media_extractors.Clips(embedder))
    drawn = list(itertools.islice(clips("validation", 4), 4))
    trained = embedder.network("vision", media_encoder.prepared(drawn)).detach().numpy()
    assert np.abs(whole.features([render_clip(clip).frames for clip in drawn]) - trained).max() < 1e-5
    told = [captions(clip, random.Random(0))[0] for clip in drawn]
    ids = build_for_media(ends=True)(told, padding=True, truncation=True, return_tensors="pt")["input_ids"]
    assert np.abs(whole.texts(told) - embedder.network("text", ids).detach().numpy()).max() < 1e-5


def test_a_clip_of_more_frames_is_seen_whole(weights: Path) -> None:
    whole = media_extractors.WholeClips(media_extractors.Clips(load(weights / "clip_extractor")))
    clip: Clip = clips("validation", 1)[0]
    frames = render_clip(clip).frames
    assert np.allclose(whole.features([np.repeat(frames, 2, axis=0)]), whole.features([frames]), atol=1e-5)


@pytest.mark.usefixtures("at")
def test_a_clip_goes_through_the_network_once_for_all_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    media_extractors._clips.cache_clear()
    seen: list[int] = []
    features = media_extractors.Clips.features

    def counted(self: media_extractors.Clips, clips: Sequence[Any]) -> Any:
        seen.append(len(clips))
        return features(self, clips)

    monkeypatch.setattr(media_extractors.Clips, "features", counted)
    scored(CLIPS, [assistant(sample.references["video"]) for sample in some(CLIPS)])
    assert sum(seen) == len({render_clip(sample.references["clip"]).content_hash for sample in some(CLIPS)})
