"""Video captioning: ``pytest benchmarks/ -k video_captioning --suite published --data DIR`` measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "video-captioning"


def test_video_captioning_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
