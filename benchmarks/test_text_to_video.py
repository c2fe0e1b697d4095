"""Text to video: ``pytest benchmarks/ -k text_to_video`` measures the shipped systems.

One that lacks a modality, and of which nothing is expected yet, is skipped and says which. Others and other
data are measured by ``--suite published --data DIR`` and ``--suite toyworld-media --system oracle``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.pytest_plugin import Holds

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "text-to-video"
SYSTEMS = ("nextgpt-tiny", "caption-then-tool")


@pytest.mark.parametrize("system", SYSTEMS)
def test_text_to_video(holds: Holds, system: str) -> None:
    holds("toy-text-to-video", system=system)


def test_text_to_video_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
