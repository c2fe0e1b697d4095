"""Visual question answering: ``pytest benchmarks/ -k vqa`` measures the shipped systems.

Each test runs through the harness, ends up in the table below the tests, and fails when the headline
metric falls significantly below ``benchmarks/expected/`` on the same samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.pytest_plugin import Holds

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "vqa"

SYSTEMS = (
    "nextgpt-tiny",
    "caption-then-tool",
    "caption-then-tool+caption",
    "caption-then-tool+plan",
    "nextgpt-tiny-blind",
    "nextgpt-tiny-linear",
)


@pytest.mark.parametrize("system", SYSTEMS)
def test_vqa(holds: Holds, system: str) -> None:
    holds("toy-vqa", system=system)


def test_vqa_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
