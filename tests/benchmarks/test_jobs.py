"""Jobs: one command, one line that says how far all of it is, and nothing left out in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import jobs
from benchmarks.cli import app
from benchmarks.harness.progress import Job, progress, told_to
from benchmarks.jobs import JOBS, Part, pieces
from benchmarks.registry import BENCHMARKS, SYSTEMS


def test_the_main_job_meets_every_family_of_toyworld() -> None:
    held = pieces(JOBS["bench"])
    assert {piece.system for piece in held} <= set(SYSTEMS)
    families = {BENCHMARKS[piece.benchmark].family for piece in held}
    toyworld = {
        card.family for name, card in BENCHMARKS.items() if name.startswith("toy-") and card.split == "test"
    }
    assert families == toyworld - {"judging"}  # what is on trial there are judges


def test_each_system_is_asked_what_its_difference_speaks_of() -> None:
    held = {(piece.system, piece.benchmark) for piece in pieces(JOBS["bench"])}
    assert {name for name in SYSTEMS if "-media" in name} <= {system for system, _ in held}
    for name in ("nextgpt-tiny-media", "caption-then-tool-media-tuned"):
        for benchmark in ("toy-dialogues", "toy-conversions", "toy-attributes", "toy-hard-to-say"):
            assert (name, benchmark) in held


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
    assert {line.partition(":")[0] for line in told} == {
        "null on toy-vqa",
        "oracle on toy-vqa",
        "oracle on toy-captioning",
    }
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


def test_what_runs_elsewhere_tells_its_hundredths_and_never_beyond_one() -> None:
    heard: list[float] = []
    with told_to(heard.append), progress("first", 1000, show=False) as tick:
        for _ in range(1000):
            tick(1)
        tick(9)
    assert heard == sorted(heard)
    assert 95 <= len(heard) <= 101
    assert heard[-1] == 1.0
    with progress("nobody listens", 2, show=False) as tick:
        tick(1)


def test_how_long_a_job_still_takes_is_told_by_what_is_done() -> None:
    clock = iter([0.0, 30.0, 60.0])
    job = Job(4.0, clock=lambda: next(clock))
    job.reach(1.0)
    assert job.words == "25 % of the job, about 2 min left"
    job.reach(4.0)
    assert job.words == "100 % of the job"


DIES = """
import os
from nextgpt.messages import assistant

class Dies:
    name, fingerprint = "dies", "1"
    accepts, produces, given = frozenset({"text", "image"}), frozenset({"text"}), frozenset()

    def respond(self, requests):
        os._exit(7)
"""


def test_a_process_that_dies_costs_its_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dies.py").write_text(DIES)
    monkeypatch.chdir(tmp_path)
    parts = (Part(("toy-vqa",), ("dies:Dies", "oracle")),)
    monkeypatch.setattr(jobs, "JOBS", {"small": parts})
    done = CliRunner().invoke(app, ["job", "small", "--limit", "3", "--workers", "1"])
    assert done.exit_code == 1
    assert "dies:Dies on toy-vqa: its process died (7)" in done.stderr
    assert (tmp_path / "runs" / "oracle" / "toy-vqa" / "results.json").exists()


def test_a_part_may_hold_fewer_samples_and_the_command_line_fewer_still() -> None:
    parts = (Part(("toy-vqa",), ("null",), limit=50), Part(("toy-vqa", "toy-captioning"), ("null",)))
    assert [piece.limit for piece in pieces(parts)] == [50, None]
    assert [piece.limit for piece in pieces(parts, 20)] == [20, 20]
    assert pieces(parts)[0].share < pieces((Part(("toy-vqa",), ("null",)),))[0].share


def test_a_system_that_cannot_be_loaded_is_one_line_and_the_rest_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "unable.py").write_text("class Unable:\n    def __init__(self): raise ValueError('no key')\n")
    monkeypatch.chdir(tmp_path)
    parts = (Part(("toy-vqa",), ("unable:Unable", "oracle")),)
    monkeypatch.setattr(jobs, "JOBS", {"small": parts})
    done = CliRunner().invoke(app, ["job", "small", "--limit", "3", "--workers", "1"])
    assert done.exit_code == 1
    said = capfd.readouterr().err
    assert "no key" in said
    assert "Traceback" not in said + done.stderr
    assert (tmp_path / "runs" / "oracle" / "toy-vqa" / "results.json").exists()
