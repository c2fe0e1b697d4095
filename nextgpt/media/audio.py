"""Sounds as immutable values, with a hash of their content.

What a file format leaves open is decided here, once:

========================  =====================================================================
several channels          their mean (the released code hears the first channel alone)
integer samples           scaled by the type's full range
overshoot of a codec      cut at -1 and 1; floats far beyond were never scaled, and are refused
tracks of several         the first one; pictures beside it are left aside
========================  =====================================================================
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import BinaryIO, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nextgpt.media.file import MediaError, open_regular, write_whole

MAX_SECONDS = 600.0
MAX_SAMPLES = 120_000_000  # 0.5 GB; ten minutes at 192 kHz
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 384_000


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound of one channel: float32 ``[N]`` in [-1, 1], read-only. Equal sounds are equal and hash alike.

    Args:
        samples: float32 ``[N]`` with ``N >= 1``, finite, in [-1, 1]. A writable array is copied.
        rate: samples per second, in Hz.

    Raises:
        MediaError: the array has another dtype, shape or range, or the rate is none.

    Example:
        >>> sound = Audio(np.zeros(8000, dtype=np.float32), rate=16000)
        >>> sound.seconds
        0.5
        >>> sound == Audio(np.zeros(8000, dtype=np.float32), rate=8000)
        False
    """

    modality: ClassVar[Literal["audio"]] = "audio"

    samples: NDArray[np.float32]
    rate: int

    def __post_init__(self) -> None:
        samples = self.samples
        if not isinstance(samples, np.ndarray) or samples.dtype != np.float32:
            found = f"dtype {samples.dtype}" if isinstance(samples, np.ndarray) else type(samples).__name__
            raise MediaError(f"A sound needs a float32 array, got {found}; scale to [-1, 1] and cast first.")
        if samples.ndim != 1 or not len(samples):
            raise MediaError(f"A sound needs the shape [N] with N >= 1, got {list(samples.shape)}.")
        if not np.isfinite(samples).all():
            raise MediaError("A sound's samples must be finite; this one holds NaN or infinity.")
        peak = max(float(samples.max()), -float(samples.min()))
        if peak > 1:
            raise MediaError(
                f"A sound's samples lie in [-1, 1]; this one reaches {peak:.4g}: scale it first."
            )
        if isinstance(self.rate, bool) or not isinstance(self.rate, int | np.integer):
            raise MediaError(f"A sound's rate is a whole number of Hz, got {self.rate!r}.")
        if not _LOWEST_RATE <= self.rate <= _HIGHEST_RATE:
            raise MediaError(
                f"A sound's rate lies between {_LOWEST_RATE} and {_HIGHEST_RATE} Hz, got {self.rate}."
            )
        object.__setattr__(self, "rate", int(self.rate))
        if samples.flags.writeable or not samples.flags.c_contiguous:
            samples = np.array(samples, order="C", copy=True)
            samples.flags.writeable = False
            object.__setattr__(self, "samples", samples)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    @cached_property
    def content_hash(self) -> str:
        """SHA-256, in hex, over rate and samples: what features are cached by and files named by."""
        digest = hashlib.sha256(f"audio {len(self.samples)}@{self.rate}".encode())
        digest.update(self.samples.data)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Audio):
            return NotImplemented
        return self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        return f"Audio({self.seconds:.2f} s, {self.rate} Hz, {self.content_hash[:8]})"

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, max_seconds: float = MAX_SECONDS) -> Audio:
        """Read a sound file: WAV, FLAC, Ogg, Opus, MP3, AIFF, AU and others; M4A, AAC, WMA; a clip's sound.

        Args:
            path: the file.
            max_seconds: longer sounds are refused before they are decoded.

        Raises:
            MediaError: missing, no regular file, empty, cut off, no sound, without samples, or too long;
                names the file.
        """
        with open_regular(path) as file:
            return cls.decode(file, str(path), max_seconds=max_seconds)

    @classmethod
    def decode(cls, data: bytes | BinaryIO, name: str, *, max_seconds: float = MAX_SECONDS) -> Audio:
        """Read a sound from the bytes of a file, or from a file that is open.

        Args:
            data: the file's content.
            name: what to call it in error messages.
            max_seconds: longer sounds are refused before they are decoded.

        Raises:
            MediaError: as `open`.

        Example:
            >>> tone = Audio(np.linspace(-1, 1, 100, dtype=np.float32), rate=16000)
            >>> Audio.decode(tone.wav(), "tone.wav") == tone
            True
        """
        from nextgpt.media.sound_files import read_sound

        samples, rate = read_sound(data, name, max_seconds)
        try:
            return cls(samples, rate)
        except MediaError as error:
            raise MediaError(f"{name}: {error}") from None

    def wav(self) -> bytes:
        """The sound as a WAV file of 32-bit floats; the same sound always gives the same bytes."""
        from scipy.io import wavfile

        buffer = io.BytesIO()
        # libsndfile would write the time of day into a file of floats.
        wavfile.write(buffer, self.rate, self.samples)
        return buffer.getvalue()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a WAV file, whole or not at all; reading it gives the very same sound."""
        write_whole(path, self.wav())

    def resampled(self, rate: int) -> Audio:
        """The sound at another rate, by a polyphase filter; itself when the rate is already right.

        Example:
            >>> Audio(np.zeros(44100, dtype=np.float32), rate=44100).resampled(16000)
            Audio(1.00 s, 16000 Hz, ...)
        """
        from scipy.signal import resample_poly

        if rate == self.rate:
            return self
        if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
            raise MediaError(f"Cannot resample to {rate} Hz; it must be {_LOWEST_RATE} to {_HIGHEST_RATE}.")
        common = gcd(rate, self.rate)
        samples = resample_poly(self.samples, rate // common, self.rate // common)
        return Audio(np.clip(samples, -1, 1).astype(np.float32), rate)
