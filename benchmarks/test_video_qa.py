"""Questions about videos: ``pytest benchmarks/ -k video_qa --suite published --data DIR`` measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "video-qa"


def test_video_qa_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
