"""Jobs: one command, one line that says how far all of it is, and nothing left out in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import jobs
from benchmarks.cli import app
from benchmarks.harness.progress import Job, progress, tell_job, whole_job
from benchmarks.jobs import JOBS, Part, pairs
from benchmarks.registry import BENCHMARKS, SYSTEMS


def test_the_main_job_meets_every_family_of_toyworld() -> None:
    held = pairs(JOBS["bench"])
    assert set(held) <= set(SYSTEMS)
    families = {BENCHMARKS[name].family for names in held.values() for name in names}
    toyworld = {
        card.family for name, card in BENCHMARKS.items() if name.startswith("toy-") and card.split == "test"
    }
    assert families == toyworld - {"judging"}  # what is on trial there are judges


def test_each_system_in_all_media_is_asked_what_its_difference_speaks_of() -> None:
    held = pairs(JOBS["bench"])
    assert {name for name in SYSTEMS if "-media" in name} <= set(held)
    for name in ("nextgpt-tiny-media", "caption-then-tool-media-tuned"):
        assert {"toy-dialogues", "toy-conversions", "toy-attributes", "toy-hard-to-say"} <= set(held[name])


def test_what_lacks_weights_is_left_out_by_name_with_its_families_and_the_rest_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = (
        Part(("toy-vqa",), ("null",)),
        Part(("toy-vqa", "toy-captioning"), ("nextgpt-7b", "oracle")),
    )
    monkeypatch.setattr(jobs, "JOBS", {"small": parts})
    done = CliRunner().invoke(app, ["job", "small", "--out", str(tmp_path), "--limit", "3"])
    assert done.exit_code == 0, done.output
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("left out")]
    assert line.startswith("left out: nextgpt-7b on vqa, image-captioning: ")
    told = [each for each in done.stderr.splitlines() if " % of the job" in each]
    assert [line.partition(":")[0] for line in told] == [
        "null on toy-vqa",
        "oracle on toy-vqa",
        "oracle on toy-captioning",
    ]
    shares = [int(re.findall(r"(\d+) %", line)[0]) for line in told]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert {path.name for path in tmp_path.iterdir()} == {"null", "oracle"}


def test_a_job_of_which_nothing_can_run_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOBS", {"none": (Part(("toy-vqa",), ("nextgpt-7b",)),)})
    done = CliRunner().invoke(app, ["job", "none", "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "left out: nextgpt-7b" in done.stderr


def test_an_unknown_job_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["job", "bunch", "--out", str(tmp_path)])
    assert done.exit_code != 0
    assert "did you mean bench?" in str(done.exception)


def test_a_bar_counts_into_the_job_by_its_share_and_never_beyond() -> None:
    with whole_job(10.0) as job:
        with job.part(4.0), progress("first", 4, show=False) as tick:
            tick(1)
            assert job.done == 1.0
            tick(9)
            assert job.done == 4.0
        with job.part(6.0):
            pass
        assert job.done == 10.0
    with progress("outside", 2, show=False) as tick:
        tick(1)
    assert job.done == 10.0


def test_a_part_that_is_skipped_counts_as_done_and_its_time_is_not_foretold() -> None:
    clock = iter([0.0, 30.0, 60.0])
    job = Job(4.0, clock=lambda: next(clock))
    with job.part(1.0):
        pass
    assert job.words == "25 % of the job, about 2 min left"
    with job.part(3.0):
        pass
    assert job.words == "100 % of the job"


def test_nothing_is_told_where_there_is_no_job(capsys: pytest.CaptureFixture[str]) -> None:
    tell_job("null on toy-vqa")
    assert capsys.readouterr().err == ""
