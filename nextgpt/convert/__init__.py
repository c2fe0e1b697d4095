"""Checkpoints of the released code into this project's own: strict, every key accounted for."""

from __future__ import annotations

from nextgpt.convert.conversion import Report, convert
from nextgpt.convert.reading import ConvertError

__all__ = ["ConvertError", "Report", "convert"]
