"""Instructed editing: ``pytest benchmarks/ -k editing`` measures the shipped systems.

Each test runs through the harness, ends up in the table below the tests, and fails when the headline
metric falls significantly below ``benchmarks/expected/`` on the same samples. One that can't take in or make
clips or sounds is skipped there, as long as nothing is expected of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.pytest_plugin import Holds

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "editing"

SYSTEMS = (
    "nextgpt-tiny",
    "nextgpt-tiny-caption",
    "caption-then-tool",
    "caption-then-tool+caption",
    "caption-then-tool+plan",
    "nextgpt-tiny-linear",
)


@pytest.mark.parametrize("system", SYSTEMS)
def test_editing(holds: Holds, system: str) -> None:
    holds("toy-editing", system=system)


@pytest.mark.parametrize("system", ["nextgpt-tiny", "caption-then-tool"])
@pytest.mark.parametrize("benchmark", ["toy-video-editing", "toy-audio-editing"])
def test_editing_of_clips_and_sounds(holds: Holds, benchmark: str, system: str) -> None:
    holds(benchmark, system=system)


def test_editing_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
