"""Benchmarks of made media whose true media cannot be given away: their features or statistics stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import registry
from benchmarks.cards import CARDS
from benchmarks.data.check import check
from benchmarks.extractors import ExtractorEntry
from benchmarks.harness.asked import DataChangedError, asked
from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.predictions import Prediction
from benchmarks.harness.scoring import score_predictions
from benchmarks.registry import load_benchmark
from benchmarks.tasks.generation import judged
from benchmarks.tasks.official import DataError
from metrics.sets.frechet import frechet_distance
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Modality, assistant
from tests.benchmarks.networks import Colours
from tests.benchmarks.tasks.official_files import coco, miniature, write

TRUE = np.random.default_rng(0).uniform(size=(40, 3))
GIVEN = {
    "coco-30k": ("fid", "val2014"),
    "msr-vtt-generation": ("fid", "TestVideo"),
    "ucf-101": ("fvd", "UCF-101"),
    "audiocaps-generation": ("fad", "audio"),
}


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Small networks in place of the usual ones, and I3D as a package would bring it."""
    names = ("inception", "i3d")
    entries = {
        name: ExtractorEntry(name, "", "tests.benchmarks.networks:Colours", "pictures") for name in names
    }
    monkeypatch.setattr(registry, "EXTRACTORS", entries)
    judged._extractor.cache_clear()
    yield
    judged._extractor.cache_clear()


def keep(path: Path, rows: Any = TRUE) -> None:
    np.savez(path, mu=rows.mean(axis=0), sigma=np.cov(rows, rowvar=False))


def without_media(name: str, folder: Path) -> Path:
    miniature(name, folder)
    for path in (folder / GIVEN[name][1]).rglob("*.*"):
        path.unlink()
    return folder


@pytest.mark.parametrize("name", GIVEN)
def test_a_sample_needs_no_true_medium_where_a_real_set_is_given(name: str, tmp_path: Path) -> None:
    metric, _ = GIVEN[name]
    folder = without_media(name, tmp_path)
    keep(folder / f"{metric}_real.npz")
    benchmark = load_benchmark(name)
    (sample,) = benchmark.samples(Options(data=folder))
    assert isinstance(sample, Sample), sample
    (use,) = (use for use in benchmark.metrics if use.name == metric)
    assert use.reference(sample).width == 3
    assert CARDS[name].here(folder)
    found = {finding.what: finding for finding in check(benchmark, folder)}
    assert found[f"real {metric}"].remark.endswith("features of 3 numbers")
    assert "media" not in found


def test_pictures_are_held_against_statistics(tmp_path: Path, networks: None) -> None:
    data = coco("a.jpg")
    data["images"] = [{"id": k, "file_name": f"{k}.jpg"} for k in range(12)]
    data["annotations"] = [{"id": k, "image_id": k, "caption": "it is red"} for k in range(12)]
    write(tmp_path / "captions_val2014.json", data)
    keep(tmp_path / "fid_real.npz")
    benchmark = load_benchmark("coco-30k")
    samples = list(benchmark.samples(Options(data=tmp_path)))
    rng = np.random.default_rng(1)
    drawn = [Image(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8)) for _ in samples]
    answers = [
        Prediction(sample.id, assistant(picture), None, asked(sample))
        for sample, picture in zip(samples, drawn, strict=True)
    ]
    rows = score_predictions(benchmark, samples, answers, system="s").results
    value = next(row.value for row in rows if row.metric == "fid")
    features = Colours().features([picture.pixels for picture in drawn])
    assert value == pytest.approx(frechet_distance(features, TRUE))
    keep(tmp_path / "fid_real.npz", TRUE + 1)
    others = list(benchmark.samples(Options(data=tmp_path)))
    with pytest.raises(DataChangedError, match="has another real fid now"):
        score_predictions(benchmark, others, answers, system="s")


def test_clips_have_an_fvd_where_a_network_for_it_is_there(tmp_path: Path, networks: None) -> None:
    folder = without_media("ucf-101", tmp_path)
    keep(folder / "fvd_real.npz")
    lines = "".join(f"ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c{k:02}.avi\n" for k in range(9))
    write(folder / "ucfTrainTestlist/testlist01.txt", lines)
    benchmark = load_benchmark("ucf-101")
    samples = list(benchmark.samples(Options(data=folder)))
    rng = np.random.default_rng(1)
    made = [Video(rng.integers(0, 255, (8, 16, 16, 3), dtype=np.uint8), 4) for _ in samples]
    answers = [
        Prediction(sample.id, assistant(clip), None) for sample, clip in zip(samples, made, strict=True)
    ]
    (use,) = (use for use in benchmark.metrics if use.name == "fvd")
    metric = use.make()
    judged_of = [use.prediction(answer.answer) for answer in answers]  # type: ignore[arg-type]
    true = [use.reference(sample) for sample in samples if isinstance(sample, Sample)]
    found = metric.value(metric.statistics(judged_of, true))
    features = Colours().features([clip.frames for clip in made])
    assert found == pytest.approx(frechet_distance(features, TRUE))
    assert metric.signature.startswith("fvd|features:colours@1")


def test_an_fvd_without_its_network_says_what_to_do(tmp_path: Path) -> None:
    (use,) = (use for use in load_benchmark("ucf-101").metrics if use.name == "fvd")
    with pytest.raises(
        registry.RegistryError, match=r"no extractor i3d here.*score text-to-video --predictions"
    ):
        use.make()


def test_a_damaged_file_of_a_real_set_is_named(tmp_path: Path) -> None:
    folder = without_media("coco-30k", tmp_path)
    (folder / "fid_real.npz").write_bytes(b"PK cut off")
    with pytest.raises(DataError, match=r"fid_real\.npz: no readable NumPy file"):
        list(load_benchmark("coco-30k").samples(Options(data=folder)))
    np.savez(folder / "fid_real.npz", features=np.zeros((1, 3)))
    with pytest.raises(DataError, match=r"fid_real\.npz has 1 sample"):
        list(load_benchmark("coco-30k").samples(Options(data=folder)))


@pytest.mark.parametrize("name", GIVEN)
def test_a_set_for_one_metric_leaves_the_others_without_a_value_and_says_why(
    name: str, tmp_path: Path, networks: None
) -> None:
    metric, _ = GIVEN[name]
    folder = without_media(name, tmp_path)
    keep(folder / f"{metric}_real.npz")
    benchmark = load_benchmark(name)
    made: Mapping[Modality, Medium] = {
        "image": Image(np.zeros((4, 4, 3), np.uint8)),
        "video": Video(np.zeros((8, 16, 16, 3), np.uint8), 4),
        "audio": Audio(np.full(4000, 0.1, np.float32), 16_000),
    }
    (kind,) = benchmark.produces
    samples = list(benchmark.samples(Options(data=folder)))
    answers = [Prediction(sample.id, assistant(made[kind])) for sample in samples]
    rows = score_predictions(benchmark, samples, answers, system="s").results
    assert {row.metric for row in rows} == {use.name for use in benchmark.metrics}
    if name == "ucf-101":
        fid = next(row for row in rows if row.metric == "fid")
        assert fid.value is None
        assert "true items are not here; fetch them all, or give features of the real set" in fid.method
