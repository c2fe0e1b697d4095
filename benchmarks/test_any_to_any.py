"""Any to any: ``pytest benchmarks/ -k any_to_any --suite published --data DIR`` measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "any-to-any"


def test_any_to_any_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
