"""Video captioning: ``pytest benchmarks/ -k video_captioning`` measures the shipped systems.

One that lacks a modality, and of which nothing is expected yet, is skipped and says which. Others and other
data are measured by ``--suite published --data DIR`` and ``--suite toyworld-media --system oracle``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.pytest_plugin import Holds

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

FAMILY = "video-captioning"
SYSTEMS = ("nextgpt-tiny", "caption-then-tool")


@pytest.mark.parametrize("system", SYSTEMS)
def test_video_captioning(holds: Holds, system: str) -> None:
    holds("toy-video-captioning", system=system)


def test_video_captioning_of_a_suite(measured: Result) -> None:
    assert measured.value is not None, measured.method
