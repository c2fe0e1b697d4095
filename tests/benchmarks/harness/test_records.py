from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness.predictions import Prediction, to_line
from benchmarks.harness.records import Manifest, Run, find_runs, read_run, write_manifest, write_scored
from benchmarks.harness.results import Result, Score, write_results
from benchmarks.harness.storage import RecordError, write_json
from nextgpt.messages import assistant


def manifest(given: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        benchmark="numbers",
        version=1,
        family="vqa",
        protocol={"prompt": "{number}"},
        source="made up",
        licence="none",
        headline="exact_match",
        system="echo",
        fingerprint="v1",
        given=given,
        seed=0,
        limit=None,
        batch_size=32,
        versions={},
        hardware="",
        command="",
        started="",
    )


def scored(folder: Path, value: float = 0.5) -> Run:
    """A run of two answers in a folder, and its results."""
    write_manifest(folder, manifest())
    (folder / "predictions.jsonl").write_bytes(
        b"".join(to_line(Prediction(sample, assistant(sample)), folder) for sample in "12")
    )
    result = Result("numbers", "echo", "exact_match", "s|v:1", value, None, None, 2, 0, None, "why", 0.1)
    scores = (Score("1", "g", None, "exact_match", 1.0), Score("2", "g", "big", "exact_match", 0.0))
    return write_scored(read_run(folder), [result], scores)


def test_a_run_is_read_back(tmp_path: Path) -> None:
    made = scored(tmp_path / "a")
    write_manifest(tmp_path / "a", manifest(given=()))
    (run,) = find_runs(tmp_path)
    run.check()
    assert (run.manifest, run.unscored) == (manifest(), "")
    assert [(each.metric, each.value) for each in run.results] == [("exact_match", 0.5)]
    assert [(each.sample, each.slice, each.value) for each in run.scores] == [("1", None, 1), ("2", "big", 0)]
    assert (run.results, run.scores) == (made.results, made.scores)


def test_a_manifest_is_read_back(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest(given=("plan",)))
    assert read_run(tmp_path).manifest == manifest(given=("plan",))


def test_a_value_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        scored(tmp_path, float("nan"))
    assert read_run(tmp_path).unscored == "not scored"


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, replace(manifest(), note="\ud83d"))
    assert read_run(tmp_path).manifest.note == "\ud83d"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "results.json").unlink(), "not scored"),
        (lambda folder: (folder / "scores.parquet").unlink(), "not scored: scores.parquet: cannot be read"),
        (lambda folder: (folder / "scored.json").unlink(), "scored.json is missing"),
        (
            lambda folder: (folder / "predictions.jsonl").write_bytes(
                to_line(Prediction("1", assistant("late")), folder)
            ),
            "not scored since predictions.jsonl changed",
        ),
        (
            lambda folder: write_manifest(folder, replace(manifest(), version=2)),
            "not scored since run.json changed",
        ),
        (
            lambda folder: write_json(
                folder / "results.json",
                [{**each, "value": 2.5} for each in json.loads((folder / "results.json").read_bytes())],
            ),
            "not scored since results.json changed",
        ),
        (
            lambda folder: write_results(folder, [], [Score("1", "g", None, "exact_match", 0.0)]),
            "not scored since scores.parquet and results.json changed",
        ),
    ],
)
def test_results_that_no_longer_belong_to_their_answers_are_none_and_it_is_said_why(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    scored(tmp_path)
    change(tmp_path)
    run = read_run(tmp_path)
    assert reason in run.unscored
    assert (run.results, run.scores) == ((), ())


def test_what_a_run_says_of_itself_in_passing_may_change(tmp_path: Path) -> None:
    scored(tmp_path)
    write_manifest(tmp_path, replace(manifest(), command="again", hardware="another", batch_size=8, note="x"))
    assert read_run(tmp_path).unscored == ""


def test_answers_that_change_while_they_are_scored_leave_the_run_unscored(tmp_path: Path) -> None:
    run = scored(tmp_path)
    assert len(run.predictions) == 2
    with (tmp_path / "predictions.jsonl").open("a") as file:
        file.write('{"sample": "3", "message": {"parts": []}}\n')
    assert "predictions.jsonl changed" in write_scored(run, run.results, run.scores).unscored


def test_where_there_is_no_run_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no run here"):
        read_run(tmp_path)
    with pytest.raises(RecordError, match="no runs here; make some"):
        find_runs(tmp_path)
