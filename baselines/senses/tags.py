"""What is to be heard: YAMNet, the names of AudioSet's 521 classes."""

from __future__ import annotations

from pathlib import Path

from baselines.optional import fingerprint
from nextgpt.encoding.yamnet import Yamnet
from nextgpt.media import Audio

VERSION = 1


class Tags:
    """A tagger of sounds.

    Args:
        folder: ``packaged:yamnet``.

    Raises:
        ConfigError: what runs it or its file is missing, or it is another tagger.
    """

    def __init__(self, folder: Path) -> None:
        self._network = Yamnet.load(folder)
        self.fingerprint = fingerprint(VERSION, folder)

    def hear(self, sound: Audio, most: int = 4) -> list[tuple[str, float]]:
        """Names and scores, 0 to 1, of what is heard most over the whole sound."""
        scores = self._network.scores(sound).mean(0)
        return [(self._network.names[k], float(scores[k])) for k in scores.argsort()[::-1][:most]]
