"""Samples to the log mel amplitudes that an AudioLDM paints, and back by Griffin and Lim's method.

The constants are AudioLDM's, and so those of `nextgpt.decoding.audio`: a Hann window of 1024 samples every
160, 64 triangles of Slaney's scale up to half the rate, natural logarithm of at least 1e-5; the mean is
removed and the peak brought to 0.5 before.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from toyworld.sounds.render import RATE

FFT, HOP, BINS = 1024, 160, 64
FLOOR, PEAK = 1e-5, 0.5
ROUNDS, _MOMENTUM = 32, 0.99  # of Griffin and Lim's method, in the fast form of Perraudin and others (2013)

Floats = NDArray[np.float32]


def log_mel(samples: Floats) -> Floats:
    """Log mel amplitudes of samples at 16 kHz, float32 ``[N // 160, 64]``.

    Example:
        >>> log_mel(np.zeros(32000, np.float32)).shape
        (200, 64)
    """
    wave = samples - samples.mean(dtype=np.float64)
    wave = wave / (np.abs(wave).max() + 1e-8) * PEAK
    mel = np.abs(spectrum(wave))[: len(samples) // HOP] @ triangles()
    logarithm: Floats = np.log(np.maximum(mel, FLOOR)).astype(np.float32)
    return logarithm


def griffin_lim(mel: Floats, rounds: int = ROUNDS, seed: int = 0) -> Floats:
    """Samples at 16 kHz whose log mel amplitudes are about these, peak at most 1.

    Args:
        mel: float32 ``[frames, 64]``.
        rounds: More give a better wave and take longer.
        seed: Of the phases that it begins with.

    Returns:
        float32 ``[160 * frames]``.

    Example:
        >>> griffin_lim(np.full((20, 64), -5, np.float32)).shape
        (3200,)
    """
    frames = np.concatenate([mel, mel[-1:]]).astype(np.float64)
    amplitudes = np.maximum(np.exp(frames) @ _inverse(), 0)
    size = HOP * len(mel)
    phases = np.exp(2j * np.pi * np.random.default_rng(seed).random(amplitudes.shape))
    before = np.zeros_like(phases)
    for _ in range(rounds):
        now = spectrum(_wave(amplitudes * phases, size))
        ahead = now + _MOMENTUM * (now - before)
        phases, before = ahead / np.maximum(np.abs(ahead), 1e-12), now
    wave = _wave(amplitudes * phases, size)
    return np.asarray(wave / max(1.0, np.abs(wave).max()), dtype=np.float32)


def spectrum(wave: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Short-time spectrum, complex ``[1 + N // 160, 513]``; the ends are mirrored."""
    padded = np.pad(wave, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    return np.asarray(np.fft.rfft(frames * _window()))


def _wave(spectrum: NDArray[np.complex128], size: int) -> NDArray[np.float64]:
    """The wave whose short-time spectrum is nearest to this one."""
    frames = np.fft.irfft(spectrum, FFT) * _window()
    total, weight = np.zeros((len(frames) - 1) * HOP + FFT), np.zeros((len(frames) - 1) * HOP + FFT)
    for k, frame in enumerate(frames):
        total[k * HOP : k * HOP + FFT] += frame
        weight[k * HOP : k * HOP + FFT] += _window() ** 2
    return (total / np.maximum(weight, 1e-8))[FFT // 2 : FFT // 2 + size]


@cache
def _window() -> NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT))


@cache
def triangles() -> NDArray[np.float64]:
    """Frequencies to triangles, float64 [513, 64]."""
    from transformers.audio_utils import mel_filter_bank

    filters: NDArray[np.float64] = mel_filter_bank(
        num_frequency_bins=FFT // 2 + 1,
        num_mel_filters=BINS,
        min_frequency=0.0,
        max_frequency=RATE / 2,
        sampling_rate=RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return filters


@cache
def _inverse() -> NDArray[np.float64]:
    return np.asarray(np.linalg.pinv(triangles()))
