"""A voice: Piper, which says in American English what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from baselines.optional import fingerprint, package
from nextgpt.errors import ConfigError
from nextgpt.media import Audio
from nextgpt.messages import Failure, Message, Request, assistant

VERSION = 1
LONGEST = 600  # characters
_MODEL = "*.onnx"


class Voice:
    """A worker that speaks the words of a request.

    Args:
        folder: ``packaged:voice``.

    Raises:
        ConfigError: the package or a file is missing.
    """

    def __init__(self, folder: Path) -> None:
        piper = package("piper", "the voice")
        models = sorted(folder.glob(_MODEL))
        if not models:
            raise ConfigError(f"{folder}: no voice for Piper, {_MODEL}; `packaged:voice` was expected")
        self._voice = piper.PiperVoice.load(models[0])
        # Without its noise two of the same words sound the same, whatever was said before.
        self._how = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
        self.fingerprint = fingerprint(VERSION, folder)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """A sound for each request."""
        return [self._speak(request.conversation[-1].text) for request in requests]

    def _speak(self, text: str) -> Message | Failure:
        if len(text) > LONGEST:
            return Failure("make", f"{len(text):,} characters are too many to be spoken; {LONGEST} at most")
        chunks: list[Any] = list(self._voice.synthesize(text, self._how))
        if not chunks:
            return Failure("make", f"there is nothing to be spoken in {text[:80]!r}")
        samples = np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float32)
        return assistant(Audio(np.clip(samples, -1, 1), rate=int(chunks[0].sample_rate)))
