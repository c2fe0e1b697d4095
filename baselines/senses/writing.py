"""Writing in a picture: PP-OCR v4 by rapidocr-onnxruntime, whose package carries the weights."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.optional import fingerprint, package

VERSION = 1
LEAST = 0.7  # score from which a line is believed


class Writing:
    """A reader.

    Raises:
        ConfigError: the package is missing.
    """

    def __init__(self) -> None:
        self._read: Any = package("rapidocr_onnxruntime", "the reader of writing").RapidOCR(
            intra_op_num_threads=1, inter_op_num_threads=1
        )
        self.fingerprint = fingerprint(VERSION, version("rapidocr-onnxruntime"), LEAST)

    def see(self, pixels: NDArray[np.uint8]) -> list[str]:
        """The lines that are written in a picture uint8 ``[H, W, 3]``, as far as they are sure."""
        lines, _ = self._read(np.ascontiguousarray(pixels[..., ::-1]))  # it takes BGR
        return [text for _, text, score in lines or () if float(score) >= LEAST]
