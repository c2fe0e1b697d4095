"""Any to any: ``pytest benchmarks/ -k any_to_any`` measures the shipped systems.

One that lacks a modality, and of which nothing is expected yet, is skipped and says which. Others and other
data are measured by ``--suite published --data DIR`` and ``--suite toyworld-media --system oracle``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.pytest_plugin import Holds

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "any-to-any"
BENCHMARKS = ("toy-conversions", "toy-sight-and-sound", "toy-dialogues", "toy-hard-to-say")
SYSTEMS = ("nextgpt-tiny", "caption-then-tool")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_any_to_any(holds: Holds, benchmark: str, system: str) -> None:
    holds(benchmark, system=system)


def test_any_to_any_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
