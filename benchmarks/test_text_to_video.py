"""Text to video: ``pytest benchmarks/ -k text_to_video --suite published --data DIR`` measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "text-to-video"


def test_text_to_video_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
