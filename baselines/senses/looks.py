"""What a picture looks like as a whole: EfficientNet-Lite2, the thousand classes of ImageNet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.optional import fingerprint
from nextgpt.encoding.efficientnet import CLASSES, EfficientNetLite
from nextgpt.errors import ConfigError

VERSION = 1
_LABELS = "efficientnet_labels.txt"
_FIRST, _LAST = "tench", "toilet tissue"  # of ImageNet's classes, in their usual order


class Looks:
    """A classifier.

    Args:
        folder: ``packaged:lite2``.
        labels: the folder with the names of its classes, ``packaged:detector``.

    Raises:
        ConfigError: its code or a file is missing, or the names are others than its classes'.
    """

    def __init__(self, folder: Path, labels: Path) -> None:
        self._network = EfficientNetLite.load(folder)
        self._names = read_labels(labels / _LABELS)
        self.fingerprint = fingerprint(VERSION, folder, *self._names)

    def see(self, pixels: NDArray[np.uint8], most: int = 3) -> list[tuple[str, float]]:
        """Names and probabilities of the likeliest classes of a picture uint8 ``[H, W, 3]``."""
        shares = self._network.scores([pixels]).softmax(-1)[0]
        best = shares.topk(most)
        return [
            (self._names[k], share)
            for k, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]


def read_labels(path: Path) -> list[str]:
    """The first name of each of ImageNet's classes.

    Raises:
        ConfigError: there is no such file, or its names are those of other classes.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the names of the classes cannot be read: {error}") from error
    names = [line.partition(",")[0].strip() for line in lines if line.strip()]
    if len(names) != CLASSES or names[0] != _FIRST or names[-1] != _LAST:
        shown = f"{len(names):,} from {names[0]!r} to {names[-1]!r}" if names else "none"
        raise ConfigError(
            f"{path}: other labels than the classifier's: {shown}; ImageNet's {CLASSES:,} from {_FIRST!r} to "
            f"{_LAST!r} were expected"
        )
    return names
