from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.log import PredictionLog
from benchmarks.harness.owner import LOCK, Owner
from benchmarks.harness.records import FILE, Prediction, RecordError, read_predictions
from benchmarks.harness.run import evaluate
from benchmarks.harness.scoring import score
from metrics.metric import Metric
from nextgpt.messages import Message, Request, assistant
from tests.benchmarks.fakes import Speaker, echo, numbers

ROOT = Path(__file__).parents[3]

OWNING = """
import os, sys, time
from pathlib import Path
from benchmarks.harness.owner import Owner
with Owner(Path(sys.argv[1])):
    child = os.fork()
    if child:
        print(os.getpid(), child, flush=True)
    time.sleep(60)
"""


def test_a_second_owner_is_kept_out_and_told_who_is_at_work(tmp_path: Path) -> None:
    with Owner(tmp_path), pytest.raises(RecordError) as error, Owner(tmp_path):
        pass
    assert f"another run is at work here, process {os.getpid()} on " in str(error.value)
    with Owner(tmp_path):
        assert (tmp_path / LOCK).exists()
    assert not (tmp_path / LOCK).exists()


def test_a_killed_owners_lock_is_taken_over_even_from_its_children(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNING, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    parent, child = map(int, owner.stdout.readline().split())
    try:
        with pytest.raises(RecordError, match=f"process {parent} on"), Owner(tmp_path):
            pass
        owner.kill()
        owner.wait()
        os.kill(child, 0)  # it lives on
        with Owner(tmp_path):
            assert f'"pid": {os.getpid()}' in (tmp_path / LOCK).read_text()
    finally:
        os.kill(child, signal.SIGKILL)
        owner.stdout.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"{}"])
def test_a_lock_that_does_not_name_its_owner_keeps_others_out_all_the_same(
    tmp_path: Path, content: bytes
) -> None:
    with Owner(tmp_path):
        (tmp_path / LOCK).write_bytes(content)
        with pytest.raises(RecordError, match="a process that does not say which"), Owner(tmp_path):
            pass


def test_a_lock_whose_file_was_replaced_before_it_was_held_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process does that opens the file the moment before its owner leaves and deletes it."""
    fcntl = pytest.importorskip("fcntl")
    real, taken = fcntl.flock, list[int]()

    def late(descriptor: int, how: int) -> None:
        if not taken:
            (tmp_path / LOCK).unlink()
            (tmp_path / LOCK).touch()
        taken.append(descriptor)
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with Owner(tmp_path) as owner:
        owner.check()
    assert len(taken) == 2


@pytest.mark.parametrize("what", ["folder", FILE, LOCK])
def test_a_run_whose_files_are_moved_away_stops_and_can_go_on(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "speaker" / "numbers"
    moved = tmp_path / "moved"

    def move(request: Request) -> Message:
        if not moved.exists() and (folder / FILE).read_bytes().count(b"\n") == 4:
            (folder if what == "folder" else folder / what).rename(moved)
        return echo(request)

    with pytest.raises(RecordError, match="moved"):
        evaluate(numbers(12), Speaker(move), tmp_path, batch_size=2)
    left = moved / FILE if what == "folder" else moved if what == FILE else folder / FILE
    assert len(read_predictions(left)) == 4
    if what == "folder":
        assert not folder.exists()  # nothing was written into a new one
    moved.rename(folder if what == "folder" else folder / what)
    system = Speaker(echo)
    assert evaluate(numbers(12), system, tmp_path).results[0].n == 12
    assert sum(system.batches) == 8


def test_nobody_writes_to_a_run_that_is_being_scored(tmp_path: Path) -> None:
    finished = evaluate(numbers(4), Speaker(echo), tmp_path)
    complaints = []

    def meanwhile() -> Metric[Any]:
        half_written = finished.folder / ".results.json.x.part"
        half_written.touch()
        with pytest.raises(RecordError, match="another run is at work here") as error:
            evaluate(numbers(4), Speaker(echo), tmp_path)
        assert half_written.exists()
        complaints.append(error)
        return numbers(4).metrics[0].make()

    watched = numbers(4, metrics=(replace(numbers(4).metrics[0], make=meanwhile),))
    score(finished, watched)
    evaluate(watched, Speaker(echo), tmp_path)
    assert len(complaints) == 2


def test_without_an_owner_nothing_is_written(tmp_path: Path) -> None:
    with Owner(tmp_path) as owner, PredictionLog(owner) as log:
        log.append([Prediction("1", assistant("a"))])
        (tmp_path / LOCK).unlink()
        with pytest.raises(RecordError, match=LOCK):
            log.append([Prediction("2", assistant("b"))])
    assert [each.sample for each in read_predictions(log.path)] == ["1"]


def test_what_a_kill_left_is_dropped_and_what_others_write_below_is_not(tmp_path: Path) -> None:
    left = [tmp_path / ".scores.parquet.x.part", tmp_path / "media" / ".a.png.x.part"]
    others = tmp_path / "shards" / "1-of-2" / ".run.json.x.part"
    for path in (*left, others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with Owner(tmp_path):
        assert [path.exists() for path in (*left, others)] == [False, False, True]
