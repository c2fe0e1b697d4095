"""Sounds on their way into a network: read, checked, brought to one channel and to the network's rate.

What the published tools do differently, and silently, is decided here once and named in signatures:

==================  ==========================================================================
several channels    their mean (others take the first)
integers            scaled by the type's full range; 8 bit is unsigned, its middle is 128
other rates         resampled (`resampled`), never reinterpreted
loudness, offset    left as they are
==================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.metric import FloatArray, MetricInputError

PREPARATION = "mono:mean,resample:kaiser-best"
"""What signatures say of every sound's way into a network."""

LOWEST_RATE, HIGHEST_RATE = 1_000, 384_000  # Hz
MOST_CHANNELS = 32
# The Kaiser-windowed sinc that resampy calls kaiser_best since its 0.4, as VGGish's ports use it.
_ZERO_CROSSINGS, _ROLL_OFF, _BETA = 50, 0.91734737, 12.984585309858852


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound of one channel, which is all that the networks hear.

    Args:
        samples: [N], or [N, channels] whose mean is taken; floats in [-1, 1], or integers of 8, 16 or 32
            bits. It becomes float32 [N].
        rate: samples per second, in Hz.

    Raises:
        MetricInputError: no samples, values that are not finite or beyond [-1, 1], or no such rate.

    >>> Sound(np.array([[0, 16384], [-32768, 0]], np.int16), 8000).samples.tolist()
    [0.25, -0.5]
    """

    samples: NDArray[Any]
    rate: int

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, int | np.integer):
            raise MetricInputError(f"the rate is {self.rate!r}; give a whole number of Hz")
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise MetricInputError(f"the rate is {self.rate} Hz; give {LOWEST_RATE} to {HIGHEST_RATE}")
        samples = _mono(_scaled(np.asarray(self.samples)))
        if not np.isfinite(samples).all():
            raise MetricInputError("a sample is NaN or infinite; leave the sound out or make it again")
        if (peak := float(np.abs(samples).max())) > 1:
            raise MetricInputError(f"samples reach {peak:.4g}; scale them to [-1, 1] first")
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "rate", int(self.rate))

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read_sound(path: Path | str) -> Sound:
    """A sound file that libsndfile knows: WAV, FLAC, Ogg, Opus, MP3, AIFF, AU, CAF, W64 or RF64.

    Samples that a lossy codec put beyond full scale are cut there; floats that were never scaled to it are
    refused.

    Raises:
        MetricInputError: missing, no regular file, empty, cut off, too long, or no sound; the message names
            the file.
    """
    from metrics.extractors.sound_files import read_samples

    samples, rate = read_samples(Path(path))
    try:
        return Sound(samples, rate)
    except MetricInputError as error:
        raise MetricInputError(f"{path}: {error}") from None


def waveforms(sounds: Sequence[Any], rate: int) -> list[NDArray[np.float32]]:
    """Sounds as arrays of one channel at one rate, float32 [N_i].

    Args:
        sounds: `Sound`s, or anything else with `samples` and a `rate`.
        rate: the rate that is wanted, in Hz.

    Raises:
        MetricInputError: something that is no sound; the message names it by its index.

    >>> [len(wave) for wave in waveforms([Sound(np.zeros(48000), 48000)], 16000)]
    [16000]
    """
    arrays = []
    for number, sound in enumerate(sounds):
        try:
            if not hasattr(sound, "samples") or not hasattr(sound, "rate"):
                raise MetricInputError(f"a {type(sound).__name__} is no sound; give Sound(samples, rate)")
            checked = sound if isinstance(sound, Sound) else Sound(sound.samples, sound.rate)
        except MetricInputError as error:
            raise MetricInputError(f"sound {number}: {error}") from None
        arrays.append(resampled(checked.samples, checked.rate, rate))
    return arrays


def resampled(samples: NDArray[np.float32], rate: int, new_rate: int) -> NDArray[np.float32]:
    """Samples at another rate: by a windowed sinc of 50 zero crossings, resampy's `kaiser_best`, exactly.

    resampy interpolates that filter from a table; here it is evaluated where it is needed.

    Args:
        samples: float32 [N].
        rate: theirs, in Hz.
        new_rate: the wanted one, in Hz.

    Returns:
        float32 [N * new_rate // rate], at least one sample; the samples themselves where the rates agree.
    """
    from scipy.signal import resample_poly

    if rate == new_rate:
        return samples
    common = gcd(rate, new_rate)
    up, down = new_rate // common, rate // common
    wanted = max(1, len(samples) * new_rate // rate)
    taps: Any = _filter(up, down)  # SciPy's stubs know windows by name only
    return resample_poly(samples.astype(np.float64), up, down, window=taps)[:wanted].astype(np.float32)


def padded(samples: NDArray[np.float32], least: int) -> NDArray[np.float32]:
    """Samples with zeros behind them, as far as they are fewer than `least`.

    >>> padded(np.ones(2, np.float32), 3).tolist()
    [1.0, 1.0, 0.0]
    """
    return samples if len(samples) >= least else np.pad(samples, (0, least - len(samples)))


@lru_cache(maxsize=8)
def _filter(up: int, down: int) -> FloatArray:
    """The low-pass filter's taps on the grid of the common multiple of both rates.

    It reaches 50 zero crossings of the lower rate to each side. `resample_poly` multiplies by `up`.
    """
    longer = max(up, down)
    half = _ZERO_CROSSINGS * longer
    position = np.arange(-half, half + 1) / longer  # in zero crossings
    taps = _ROLL_OFF * np.sinc(_ROLL_OFF * position) * np.kaiser(2 * half + 1, _BETA)
    return np.asarray(taps / longer)


def _scaled(samples: NDArray[Any]) -> NDArray[np.floating]:
    """Floats as they are, integers over their type's full range."""
    kind = samples.dtype
    if kind == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if kind in (np.int8, np.int16, np.int32):
        return (samples / -float(np.iinfo(kind).min)).astype(np.float32)
    if not np.issubdtype(kind, np.floating):
        raise MetricInputError(f"samples are {kind}; give floats in [-1, 1] or integers of 8, 16 or 32 bits")
    return samples


def _mono(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS):
        raise MetricInputError(f"samples of shape {samples.shape}; give [N] or [N, channels]")
    if samples.size == 0:
        raise MetricInputError("it is empty; count it as a failure or leave it out")
    mono = samples.mean(axis=1, dtype=np.float32) if samples.ndim == 2 else samples
    return np.ascontiguousarray(mono, dtype=np.float32)
