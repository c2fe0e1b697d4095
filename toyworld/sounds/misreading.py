"""How often the oracle of sounds is wrong about sounds that are known, whole or damaged."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np

from nextgpt.media import Audio
from toyworld.sounds.mel import griffin_lim, log_mel
from toyworld.sounds.oracle import hear
from toyworld.sounds.render import render
from toyworld.splits import sounds

COUNT = 100


def own_error(
    degradations: Mapping[str, Callable[[Audio], Audio]] | None = None, count: int = COUNT
) -> dict[str, float]:
    """Share of known sounds that the oracle misreads, by how they were degraded.

    Args:
        degradations: Named functions from sound to sound; by default `DEGRADATIONS`.
        count: Sounds of the test split, each played with a seed of its own.
    """
    played = [(sound, render(sound, seed)) for seed, sound in enumerate(sounds("test", count, seed=99))]
    return {
        name: sum(hear(degrade(audio)).sound != sound for sound, audio in played) / count
        for name, degrade in (degradations or DEGRADATIONS).items()
    }


def _vocoded(audio: Audio) -> Audio:
    return Audio(griffin_lim(log_mel(audio.samples)), audio.rate)


def _encoded(container: str) -> Callable[[Audio], Audio]:
    def encode(audio: Audio) -> Audio:
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, audio.samples, audio.rate, format=container)
        return Audio.decode(buffer.getvalue(), f"degraded.{container.lower()}")

    return encode


def _noise(audio: Audio) -> Audio:
    level = float(np.sqrt((audio.samples**2).mean())) / 10
    noise = np.random.default_rng(int(audio.content_hash[:8], 16)).normal(0, level, len(audio.samples))
    return Audio(np.clip(audio.samples + noise, -1, 1).astype(np.float32), audio.rate)


def _late(audio: Audio) -> Audio:
    return Audio(np.pad(audio.samples, (audio.rate // 20, 0)), audio.rate)


def _times(factor: float) -> Callable[[Audio], Audio]:
    return lambda audio: Audio(np.clip(audio.samples * np.float32(factor), -1, 1), audio.rate)


DEGRADATIONS: dict[str, Callable[[Audio], Audio]] = {
    "none": lambda audio: audio,
    "Griffin-Lim of its mel": _vocoded,
    "ogg": _encoded("OGG"),
    "mp3": _encoded("MP3"),
    "noise at 20 dB": _noise,
    "50 ms late": _late,
    "a hundredth as loud": _times(0.01),
    "clipped at a quarter": _times(4.0),
    "at 44.1 kHz": lambda audio: audio.resampled(44_100),
}
