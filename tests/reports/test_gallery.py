"""The gallery: chosen by nobody, within a budget, honest about what is not at hand."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from benchmarks import registry
from benchmarks.harness.benchmark import Sample
from nextgpt.media import Image
from nextgpt.messages import Message, assistant
from reports.comparison import build_report
from reports.evidence import read_dossier
from reports.gallery import Album, build_gallery, sort_samples
from tests.reports.invented import benchmark, picture, play


def test_kinds_part_all_samples_and_keep_their_order() -> None:
    rng = random.Random(1)
    first = {str(k): rng.choice([0.0, 0.5, 1.0]) for k in range(50)}
    second = {str(k): rng.choice([0.0, 0.5, 1.0]) for k in range(50)}
    kinds = sort_samples(first, second, "exact_match")
    assert sorted(sample for samples in kinds.values() for sample in samples) == sorted(first)
    shuffled = dict(rng.sample(list(first.items()), 50))
    assert sort_samples(shuffled, second, "exact_match") == kinds
    assert all(first[s] > second[s] for s in kinds["first"])
    assert all(first[s] == second[s] == 1.0 for s in kinds["right"])


def test_less_is_better_for_distances() -> None:
    assert sort_samples({"a": 1.0}, {"a": 2.0}, "fid")["first"] == ["a"]


def test_inputs_references_answers_and_steps_are_shown(runs: Path) -> None:
    (room,) = build_gallery(read_dossier(runs), Album(), examples=2)
    assert [(kind.title, kind.count) for kind in room.kinds] == [
        ("nextgpt-tiny better", 18),
        ("Both right", 12),
        ("Equal, neither right", 10),
    ]
    shown = room.kinds[0].samples[0]
    assert shown.input.pictures[0].alt.startswith("Input picture: truth ")
    assert shown.reference.pictures
    assert [answer.system for answer in shown.answers] == ["nextgpt-tiny", "caption-then-tool"]
    assert shown.answers[1].failure.startswith("plan: ")
    assert shown.answers[1].steps[0][0] == "caption"


@pytest.mark.parametrize("version", [2])
def test_another_version_of_the_benchmark_is_not_shown_as_input(
    runs: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr(registry, "benchmark_of_run", lambda made: benchmark(version=version))
    (room,) = build_gallery(read_dossier(runs), Album(), examples=1)
    assert "version 1" in room.missing
    assert "version 2" in room.missing
    assert room.kinds[0].samples[0].answers


def test_a_missing_data_folder_leaves_answers_and_says_why(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(made: object) -> object:
        raise FileNotFoundError(2, "No such file", "/home/jane/coco")

    monkeypatch.setattr(registry, "benchmark_of_run", absent)
    (room,) = build_gallery(read_dossier(runs), Album(), examples=1)
    assert "--data" in room.missing
    assert "jane" not in room.missing
    assert room.kinds[0].samples[0].input.texts == ()


def test_a_page_keeps_no_picture_that_it_does_not_show(tmp_path: Path) -> None:
    def draws(sample: Sample) -> Message:
        return assistant(sample.id, picture(int(sample.id[1:]), side=512))

    for name in ("first", "second"):
        play(tmp_path, name, draws)
    tracemalloc.start()
    build_report(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * 512 * 512 * 3 / 4


def test_pictures_beyond_the_budget_are_left_out_and_keep_their_words() -> None:
    album = Album(budget=200)
    kept = [album.add(picture(k), f"number {k}") for k in range(5)]
    assert kept[0].uri.startswith("data:image/png;base64,")
    assert kept[-1].uri == ""
    assert kept[-1].alt == "number 4"
    assert sum(len(entry.uri) for entry in kept) <= 200


def test_photographs_become_thumbnails() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    shown = Album().add(Image(noise), "noise")
    assert (shown.width, shown.height) == (320, 240)
    assert shown.uri.startswith("data:image/jpeg")
    assert not shown.drawn
