"""Instructed image editing: ``pytest benchmarks/ -k editing`` measures the shipped systems.

Each test runs through the harness, ends up in the table below the tests, and fails when the headline
metric falls significantly below ``benchmarks/expected/`` on the same samples.
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


def test_editing_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
