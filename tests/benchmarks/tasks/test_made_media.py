"""What generation benchmarks judge: the media of answers, and nothing where an answer has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.cards import CARDS
from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.run import evaluate
from benchmarks.registry import load_benchmark
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Message, Modality, Request, assistant
from tests.benchmarks.fakes import Speaker
from tests.benchmarks.tasks.official_files import miniature

MADE: dict[Modality, Medium] = {
    "image": Image(np.full((8, 8, 3), 9, dtype=np.uint8)),
    "video": Video(np.full((4, 16, 16, 3), 9, dtype=np.uint8), 4),
    "audio": Audio(np.linspace(-0.5, 0.5, 3200, dtype=np.float32), 16_000),
}
GENERATION = [name for name, entry in CARDS.items() if entry.folder and "text" not in entry.produces]


class Maker(Speaker):
    """Makes the media that are wanted, or hands back those that it was shown."""

    accepts = produces = frozenset({"text", "image", "video", "audio"})


def makes(request: Request) -> Message:
    return assistant(*(MADE[kind] for kind in ("image", "video", "audio") if kind in (request.wanted or ())))


def hands_back(request: Request) -> Message:
    return assistant(*request.conversation[-1].media)


@pytest.mark.parametrize("name", GENERATION)
def test_each_metric_is_shown_what_was_made_and_nothing_where_nothing_was(name: str, tmp_path: Path) -> None:
    benchmark = load_benchmark(name)
    sample = next(iter(benchmark.samples(Options(data=miniature(name, tmp_path)))))
    assert isinstance(sample, Sample)
    answer = makes(sample.request)
    for use in benchmark.metrics:
        assert use.prediction(answer) is not None
        shown = use.prediction(assistant("I can't."))
        assert shown is None if use.failure == "left-out" else shown == ()


def test_a_recording_that_is_what_it_should_become_is_not_distorted(tmp_path: Path) -> None:
    data = miniature("vctk-editing", tmp_path / "data")
    run = evaluate(load_benchmark("vctk-editing"), Maker(hands_back), tmp_path / "runs", Options(data=data))
    (result,) = [row for row in run.results if row.slice is None]
    assert (result.metric, result.value, result.n) == ("mcd_dtw", 0.0, 1)


def test_structure_is_judged_without_a_network(tmp_path: Path) -> None:
    data = miniature("unim", tmp_path / "data")
    for say, exact, overlap in ((makes, 1.0, 1.0), (hands_back, 0.0, 1.0)):
        out = tmp_path / say.__name__
        run = evaluate(load_benchmark("unim"), Maker(say), out, Options(data=data))
        values = {row.metric: row.value for row in run.results if row.slice is None}
        assert values == {"structure_exact": exact, "structure_f1": overlap}


def test_metrics_whose_networks_are_not_here_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    data = miniature("geneval", tmp_path / "data")
    run = evaluate(load_benchmark("geneval"), Maker(makes), tmp_path / "runs", Options(data=data))
    (result,) = [row for row in run.results if row.slice is None]
    assert result.value is None
    assert "clip" in result.method.lower()
    assert result.signature == ""
