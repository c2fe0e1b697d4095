from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Options, Shard
from benchmarks.harness.owner import Owner, owned_by
from benchmarks.harness.records import FILE, RecordError
from benchmarks.harness.run import evaluate, run
from benchmarks.harness.shards import merge
from benchmarks.harness.status import Standing, standings
from nextgpt.messages import Failure, Message, Request
from tests.benchmarks.fakes import Speaker, echo, numbers, text_of
from tests.benchmarks.terminal import Command


def half(request: Request) -> Message | Failure:
    return Failure("plan", 'no "error" today') if int(text_of(request)) % 5 == 4 else echo(request)


def brief(each: Standing) -> tuple[str, str, int, int, int | None]:
    return each.part, each.state, each.answered, each.failed, each.missing


def test_a_run_is_seen_at_work_stopped_finished_and_scored(tmp_path: Path) -> None:
    def looking(request: Request) -> Message:
        (each,) = standings(tmp_path)
        assert each.state.startswith(f"at work, process {os.getpid()} on ")
        assert (each.answered, each.missing) == (int(text_of(request)) // 2 * 2, 12 - each.answered)
        if text_of(request) == "7":
            raise KeyboardInterrupt
        return echo(request)

    counted = numbers(protocol={"samples": 12})
    with pytest.raises(KeyboardInterrupt):
        run(counted, Speaker(looking), tmp_path, batch_size=2)
    assert list(map(brief, standings(tmp_path))) == [("all", "stopped", 6, 0, 6)]
    run(counted, Speaker(half), tmp_path)
    assert list(map(brief, standings(tmp_path))) == [("all", "finished", 12, 1, 0)]
    evaluate(counted, Speaker(half), tmp_path)
    assert list(map(brief, standings(tmp_path))) == [("all", "scored", 12, 1, 0)]


def test_parts_are_seen_with_those_that_nobody_has_begun(tmp_path: Path) -> None:
    for index in (1, 3):
        run(numbers(30), Speaker(half), tmp_path, Options(shard=Shard(index, 3)))
    log = tmp_path / "speaker" / "numbers" / "shards" / "1-of-3" / FILE
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:9])  # as it is in the middle of a write
    first, second, third = standings(tmp_path)
    assert brief(first)[:3] == ("1/3", "stopped", len(lines) - 1)
    assert first.missing == 1
    assert brief(second) == ("2/3", "not begun", 0, 0, None)
    assert brief(third)[:2] == ("3/3", "finished")
    for index in (1, 2):
        run(numbers(30), Speaker(half), tmp_path, Options(shard=Shard(index, 3)))
    merge(tmp_path / "speaker" / "numbers", numbers(30))
    whole, *parts = standings(tmp_path)
    assert brief(whole) == ("all", "scored", 30, 6, 0)
    assert sum(each.answered for each in parts) == 30


def test_who_looks_disturbs_nobody(tmp_path: Path) -> None:
    with Owner(tmp_path):
        assert owned_by(tmp_path).startswith(f"process {os.getpid()} on ")
    assert owned_by(tmp_path) == ""
    (tmp_path / "run.lock").write_text("left by a kill")
    assert owned_by(tmp_path) == ""
    assert (tmp_path / "run.lock").read_text() == "left by a kill"


def test_a_damaged_run_is_a_line_and_no_run_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no runs here"):
        standings(tmp_path)
    (run(numbers(), Speaker(half), tmp_path).folder / "run.json").write_text("{")
    (each,) = standings(tmp_path)
    assert each.state.startswith("damaged: ")


def test_status_from_the_command_line(bench: Command) -> None:
    assert bench("run", "--benchmark", "numbers", "--system", "tests.benchmarks.fakes:speaker")[0] == 0
    code, out, _ = bench("status", "runs", "--json", "rows.json")
    assert code == 0
    assert "scored" in out
    (row,) = json.loads(Path("rows.json").read_text())
    assert (row["part"], row["state"], row["answered"], row["missing"]) == ("all", "scored", 12, 0)
