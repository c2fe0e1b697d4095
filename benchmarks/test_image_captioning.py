"""Image captioning: ``pytest benchmarks/ -k image_captioning`` measures the shipped systems.

Each test runs through the harness, ends up in the table below the tests, and fails when the headline
metric falls significantly below ``benchmarks/expected/`` on the same samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.conftest import Measurement

FAMILY = "image-captioning"


def test_image_captioning(measurement: Measurement) -> None:
    measurement.hold()
