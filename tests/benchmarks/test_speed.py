"""The benchmarks of speed: they run, compare before they show a time, and count what other processes take."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import answering, captions, distances, indexing, timing, vqa, vqa_rules
from benchmarks.speed.timing import Arrays, largest_difference, measured
from metrics.sets.metrics import FID
from metrics.statistics import bootstrap
from nextgpt.media import Audio
from nextgpt.messages import assistant

ROW = re.compile(r"\| .+ \| .+ \| [\d.]+ \| [\d.]+ \| \*\*[\d.]+\*\* \| .+ \| \d+ \| \d+ \| .+ \|")


def assert_table(lines: Iterator[str], least: list[str]) -> None:
    """Each line is one of the table's, and asks for the ratio that it should."""
    found = list(lines)
    assert all(ROW.fullmatch(line) for line in found), found
    assert [line.split(" | ")[5] for line in found] == least


def test_vqa_is_measured_and_its_intervals() -> None:
    assert_table(vqa.rows(300), ["50", "0.67"])


def test_times_of_different_values_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vqa_rules, "accuracies", lambda predictions, annotations: [0.5] * len(predictions))
    with pytest.raises(AssertionError, match=r"vqa_accuracy differs by .*: no time is shown"):
        list(vqa.rows(50))


def test_times_of_an_interval_around_another_value_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    timing.assert_around("meteor", np.array([0.4, 0.6, 0.5]), 0.5)
    for interval in ([0.4, 0.6, 0.51], [0.5, 0.7, 0.5], [0.9, 0.9, 0.5]):
        with pytest.raises(AssertionError, match=r"meteor.*: no time is shown"):
            timing.assert_around("meteor", np.array(interval), 0.5)
    monkeypatch.setattr(vqa, "estimate", lambda metric, items: bootstrap(items + 0.1))
    with pytest.raises(AssertionError, match=r"the interval of vqa_accuracy is of .*: no time is shown"):
        list(vqa.rows(50))


def test_a_distance_and_its_interval_are_held_against_scipys(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (distances.features(60, 16, seed=seed, scale=1.0) for seed in (1, 2))
    distances.hold(a, b)
    monkeypatch.setattr(FID, "distance", lambda self, a, b: 1.0)
    with pytest.raises(AssertionError, match=r"1.0, not"):
        distances.hold(a, b)


@pytest.mark.slow  # importing torchmetrics takes seconds
def test_distances_are_measured() -> None:
    pytest.importorskip("torchmetrics")
    assert_table(distances.rows(samples=200, dimensions=16, repeats=1), ["8", "2.5"])


@pytest.mark.slow  # METEOR starts twice
@pytest.mark.java
def test_captions_are_measured_and_their_intervals() -> None:
    assert_table(captions.rows(items=60), ["3", "10", "0.67"])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells what children hold")
def test_memory_of_two_processes_at_a_time_is_added() -> None:
    hungry = [sys.executable, "-c", "import time; kept = b'x' * 60_000_000; time.sleep(0.6)"]

    def program() -> Arrays:
        both = [subprocess.Popen(hungry) for _ in range(2)]
        assert [one.wait() for one in both] == [0, 0]
        return {}

    assert measured(program).megabytes > 120


def test_answers_are_compared_by_name() -> None:
    one, other = {"a": np.array([1.0, 2.0])}, {"a": np.array([1.0, 2.0 + 1e-7])}
    assert largest_difference(one, other, {"a": 1e-6}) == pytest.approx(1e-7)
    with pytest.raises(AssertionError, match="no time is shown"):
        largest_difference(one, other, {})
    with pytest.raises(AssertionError, match="from one program only"):
        largest_difference(one, {}, {})


def test_a_program_that_fails_is_not_timed(capfd: pytest.CaptureFixture[str]) -> None:
    empty: Arrays = {}
    with pytest.raises(RuntimeError, match="ended with status 1"):
        measured(lambda: {"all": empty["nothing"]})
    assert "KeyError" in capfd.readouterr().err
    assert timing.header("numpy").count("|") == 22


def test_scoring_a_run_again_is_measured_tables_included() -> None:
    command = [sys.executable, "-m", "benchmarks.speed.rescoring", "--size", "60"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [line.split("60", 1) for line in done.stdout.splitlines()[1:]]
    assert [what.strip() for what, _ in rows] == ["score again", "tables", "together"]
    seconds = [float(numbers.split()[0]) for _, numbers in rows]
    assert seconds[2] == pytest.approx(seconds[0] + seconds[1], abs=0.02)


def test_a_run_its_scoring_and_its_page_are_measured_apart() -> None:
    command = [sys.executable, "-m", "benchmarks.speed.million", "--size", "60"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    _, *rows, overhead, page = done.stdout.splitlines()
    took = {row.split()[0]: [float(number) for number in row.split()[1:]] for row in rows}
    assert [*took] == ["run", "score", "page"]
    assert all(peak > 0.01 for *_, peak in took.values())
    each = (took["run"][1] + took["score"][1]) / 60 * 1e3
    rounding = 0.01 / 60 * 1e3  # two times are printed to a hundredth of a second
    assert float(overhead.split()[-5]) == pytest.approx(each, abs=rounding + 1e-4)
    assert float(page.split()[-2]) == pytest.approx(took["score"][1] + took["page"][1], abs=0.1)


def test_indexing_is_measured_on_files_of_the_official_form(tmp_path: Path) -> None:
    indexing.write(tmp_path, 30)
    assert indexing.index(tmp_path) == 30
    assert json.loads((tmp_path / "v2_mscoco_val2014_annotations.json").read_text())["annotations"][29][
        "answers"
    ]
    command = [sys.executable, "-m", "benchmarks.speed.indexing", "--size", "30"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert [line[:15].strip() for line in done.stdout.splitlines()[1:]] == ["list", "index questions"]


def test_neighbours_that_are_not_installed_are_left_out_by_name() -> None:
    command = [sys.executable, "-m", "benchmarks.speed.neighbours", "--sizes", "20", "60"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said = [line for line in done.stdout.splitlines() if "left out" in line or line.startswith("here")]
    absent = [name for name in ("lm-eval", "inspect_ai") if find_spec(name.replace("-", "_")) is None]
    assert [line.split()[0] for line in said] == [*absent, "here"]


def test_the_cost_of_workers_is_measured_where_ray_is() -> None:
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'nextgpt[ray]'")
    sizes = ["--samples", "32", "--null-samples", "64"]
    command = [sys.executable, "-m", "benchmarks.speed.workers", *sizes]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert re.search(r"overhead of the Ray engine: -?[0-9.]+ ms for each sample", done.stdout)


def test_sixteen_requests_in_all_media_are_of_every_kind_and_media_are_compared_in_levels() -> None:
    asked = answering.requests_in_all_media()
    assert len(asked) == 16
    wanted = {next(iter(request.wanted)) for request in asked if request.wanted}
    assert wanted == {"text", "image", "video", "audio"}
    shown = {medium.modality for request in asked for medium in request.conversation[0].media}
    assert shown == {"image", "video", "audio"}
    for request in asked[:3]:
        (medium,) = request.conversation[0].media
        assert answering.difference([assistant(medium)], [assistant(medium)]) == 0
    sounds = [Audio(np.full(800, level, np.float32), 16_000) for level in (0.0, 0.1)]
    assert answering.difference([assistant(sounds[0])], [assistant(sounds[1])]) == 13
    with pytest.raises(AssertionError, match="request 0"):
        answering.difference([assistant(sounds[0])], [assistant(asked[0].conversation[0].media[0])])
