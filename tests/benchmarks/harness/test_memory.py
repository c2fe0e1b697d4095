"""The peak of memory is of one run, not of what the process did before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Options
from benchmarks.harness.isolated import Isolated
from benchmarks.harness.memory import forget_peak, peak
from benchmarks.harness.records import read_run
from benchmarks.harness.run import run
from nextgpt.messages import Message, Request, assistant
from tests.benchmarks.fakes import Speaker, numbers, silent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak anew")
MIB = 2**20


def held() -> int:
    found = peak().host
    assert found is not None
    return found


def test_a_peak_is_forgotten_and_seen_again() -> None:
    forget_peak()
    start = held()
    large = bytearray(200 * MIB)
    large[::4096] = b"x" * len(large[::4096])
    assert held() > start + 150 * MIB
    del large
    forget_peak()
    assert held() < start + 100 * MIB


def test_a_run_keeps_the_largest_peak_of_all_its_starts(tmp_path: Path) -> None:
    def greedy(request: Request) -> Message:
        block = bytearray(300 * MIB)
        block[::4096] = b"x" * len(block[::4096])
        return assistant("1")

    first = run(numbers(4), Speaker(greedy), tmp_path, Options(limit=4)).manifest
    again = run(numbers(4), Speaker(greedy), tmp_path, Options(limit=4)).manifest  # nothing is left to do
    modest = run(numbers(4), Speaker(lambda request: assistant("1"), "modest"), tmp_path).manifest
    assert first.memory is not None
    assert modest.memory is not None
    assert first.memory > modest.memory + 200 * MIB
    assert again.memory == first.memory
    assert read_run(tmp_path / "speaker" / "numbers").manifest.memory == first.memory
    assert first.device_memory is None


def test_the_memory_of_a_system_in_another_process_is_not_made_up(tmp_path: Path) -> None:
    isolated = Isolated(silent, 30)
    try:
        assert run(numbers(2), isolated, tmp_path).manifest.memory is None
    finally:
        isolated.close()
