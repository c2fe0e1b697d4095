"""What is said: Whisper-base by faster-whisper, greedy."""

from __future__ import annotations

from pathlib import Path

from baselines.optional import fingerprint, package
from nextgpt.errors import ConfigError
from nextgpt.media import Audio

VERSION = 1
RATE = 16_000


class Speech:
    """A recogniser of speech.

    Args:
        folder: ``packaged:whisper``.

    Raises:
        ConfigError: the package or a file is missing.
    """

    def __init__(self, folder: Path) -> None:
        made = package("faster_whisper", "the recogniser of speech").WhisperModel
        try:
            self._model = made(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        except (RuntimeError, ValueError) as error:
            raise ConfigError(f"{folder}: no Whisper that CTranslate2 reads: {error}") from error
        self.fingerprint = fingerprint(VERSION, folder)

    def hear(self, sound: Audio) -> str:
        """The words of a sound, in English."""
        samples = sound.resampled(RATE).samples
        pieces, _ = self._model.transcribe(
            samples, language="en", beam_size=1, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(piece.text.strip() for piece in pieces).strip()
