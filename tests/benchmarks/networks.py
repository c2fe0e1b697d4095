"""Networks small enough to know what they must say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from metrics.extractors import MissingWeightsError
from metrics.metric import FloatArray

WORDS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}


class Motion:
    """Sees the mean colours of a clip's first and last frame."""

    signature = "motion@1"
    distances = ("fvd",)

    def features(self, items: Sequence[Any]) -> FloatArray:
        rows = [[np.asarray(clip)[place].reshape(-1, 3).mean(axis=0) for place in (0, -1)] for clip in items]
        return np.array(rows).reshape(len(rows), -1) / 255


class OwnName:
    """Sees as `Colours` does, and its distances are no FID."""

    signature = "own-name@1"
    distances = ("frechet_efficientnet_lite0", "kernel_efficientnet_lite0", "fd_dinov2")

    def features(self, items: Sequence[Any]) -> FloatArray:
        return Colours().features(items)


class Colours:
    """Sees mean colours, in [0, 1], and reads the last word of a text."""

    signature = "colours@1"

    def features(self, items: Sequence[Any]) -> FloatArray:
        return np.array([np.asarray(item).reshape(-1, 3).mean(axis=0) / 255 for item in items])

    def images(self, pictures: Sequence[Any]) -> FloatArray:
        return self.features(pictures)

    def texts(self, texts: Sequence[str]) -> FloatArray:
        return np.array([WORDS[text.split()[-1]] for text in texts])


class Classes:
    """Sees mean colours and takes them for the chances of three classes; reads nothing."""

    signature = "classes@1"

    def __init__(self, resize: str = "clean") -> None:
        self.signature = f"classes@1,resize:{resize}"

    def features(self, items: Sequence[Any]) -> FloatArray:
        return Colours().features(items)

    def class_probabilities(self, features: FloatArray) -> FloatArray:
        return np.asarray(features / features.sum(axis=1, keepdims=True))


class Ears:
    """Hears the loudness of each half, and reads of the first of two kinds only."""

    def __init__(self, layer: str = "2048") -> None:
        self.signature = f"ears@1,layer:{layer}"

    def features(self, items: Sequence[Any]) -> FloatArray:
        return np.array([[np.abs(half).mean() for half in np.array_split(item.samples, 2)] for item in items])

    def sounds(self, items: Sequence[Any]) -> FloatArray:
        return self.features(items)

    def windows(self, items: Sequence[Any]) -> list[FloatArray]:
        return [self.features([item]) for item in items]

    def probabilities(self, items: Sequence[Any]) -> FloatArray:
        rows = self.features(items)
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))

    def texts(self, texts: Sequence[str]) -> FloatArray:
        return np.array([[1.0, 0.0]] * len(texts))


def gone(source: str = "small") -> Colours:
    """Has no weights anywhere."""
    raise MissingWeightsError(f"network {source}", "no such file", ["fid", "clip_score"])
