"""AV-Align: whether what is heard begins when something moves. No network.

The idea is Yariv et al.'s (Diverse and Aligned Audio-to-Video Generation, AAAI 2024, arXiv:2309.16429):
onsets of the sound and peaks of motion are matched within one frame, and counted as intersection over union.
Three choices differ here, and numbers of other tools are not comparable: motion is the mean absolute
difference of successive frames, not optical flow; an onset is a rise of the energy; and each onset has one
peak for itself, so that a value is never above 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.metric import FloatArray, MeanMetric, MetricInputError

# Onsets: a rise of so many decibels from one window to the next but one, the steepest for so long around;
# what is so far below the strongest moment is silence.
_WINDOW, _HOP, _AROUND = 0.020, 0.010, 0.05  # seconds
_RISE, _SILENCE = 6.0, -40.0  # decibels
_APART = 2  # windows
# Motion: mean absolute difference, of 255, below which a frame is as the one before; codecs change as much.
_STILL = 0.5


@dataclass(frozen=True)
class Recording:
    """A clip with its sound.

    Attributes:
        frames: uint8 ``[T, H, W, 3]``.
        fps: frames per second.
        samples: float ``[N]`` in [-1, 1].
        rate: samples per second, in Hz.
    """

    frames: NDArray[np.uint8]
    fps: float
    samples: NDArray[np.floating]
    rate: int

    @property
    def nbytes(self) -> int:
        """Bytes of frames and samples."""
        return int(self.frames.nbytes + self.samples.nbytes)


def onsets(samples: NDArray[np.floating], rate: int) -> FloatArray:
    """When something begins to be heard, in seconds, ``[K]``: where the energy rises by 6 dB within 20 ms.

    Args:
        samples: float ``[N]`` in [-1, 1].
        rate: samples per second, in Hz.

    Example:
        >>> clicks = np.zeros(16000)
        >>> clicks[[3200, 9600]] = 1.0
        >>> onsets(clicks, 16000).round(1).tolist()
        [0.2, 0.6]
    """
    window, hop = round(_WINDOW * rate), round(_HOP * rate)
    before = _APART * window  # silence, so that what begins at once begins too
    wave = np.concatenate([np.zeros(before), np.asarray(samples, dtype=np.float64), np.zeros(window)])
    windows = np.lib.stride_tricks.sliding_window_view(wave, window)[::hop]
    energy = (windows**2).mean(axis=1)
    if not energy.any():
        return np.zeros(0)
    decibels = 10 * np.log10(np.maximum(energy / energy.max(), 10 ** (_SILENCE / 10)))
    found = _peaks(decibels[_APART:] - decibels[:-_APART], round(_AROUND / _HOP), _RISE)
    # In the middle of the window between the two.
    middle = (found + _APART / 2) * hop + window / 2 - before
    return np.asarray(middle.clip(min=0) / rate, dtype=np.float64)


def motion_peaks(frames: NDArray[np.uint8], fps: float) -> FloatArray:
    """When most moves, in seconds, ``[K]``: peaks of the mean absolute difference of successive frames.

    A change belongs to the middle between the two frames.

    Args:
        frames: uint8 ``[T, H, W, 3]``.
        fps: frames per second.

    Example:
        >>> frames = np.zeros((6, 4, 4, 3), np.uint8)
        >>> frames[3:] = 200
        >>> motion_peaks(frames, fps=5).tolist()
        [0.5]
    """
    change = np.array([np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(frames)])
    return np.asarray((_peaks(change, 1, _STILL) + 0.5) / fps, dtype=np.float64)


def av_align(recording: Recording) -> float:
    """Intersection over union of onsets and peaks of motion, matched within one frame, 0 to 1.

    A clip in which nothing moves and nothing is heard has nothing out of step: 1.

    Example:
        >>> frames, clicks = np.zeros((10, 4, 4, 3), np.uint8), np.zeros(32000)
        >>> frames[5:], clicks[16000] = 200, 1.0
        >>> late = np.roll(clicks, 8000)
        >>> [av_align(Recording(frames, 5.0, sound, 16000)) for sound in (clicks, late)]
        [1.0, 0.0]
    """
    heard, seen = onsets(recording.samples, recording.rate), motion_peaks(recording.frames, recording.fps)
    both, place = 0, 0
    for onset in heard:  # in order of time, each takes the first peak near it that none has
        while place < len(seen) and seen[place] <= onset - 1 / recording.fps:
            place += 1
        if place < len(seen) and seen[place] < onset + 1 / recording.fps:
            both, place = both + 1, place + 1
    union = len(heard) + len(seen) - both
    return both / union if union else 1.0


class AVAlign(MeanMetric):
    """Mean `av_align` of clips with their sounds.

    Example:
        >>> still = Recording(np.zeros((4, 2, 2, 3), np.uint8), 2.0, np.zeros(32000), 16000)
        >>> AVAlign().statistics([still], [None]).tolist()
        [1.0]
    """

    name = "av_align"
    higher_is_better = True
    least = 0.0

    @property
    def signature(self) -> str:
        """How both are found and matched."""
        onset = f"energy,{_RISE:g}dB/{1000 * _APART * _HOP:g}ms,silence:{_SILENCE:g}dB"
        motion = f"frame-difference,least:{_STILL:g}"
        return f"{self.name}|onsets:{onset}|motion:{motion}|match:one-to-one,1-frame|iou|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The alignment of each recording, [N]; references are not looked at.

        Raises:
            MetricInputError: an item that is no `Recording`.
        """
        for number, recording in enumerate(predictions):
            if not isinstance(recording, Recording):
                raise MetricInputError(
                    f"{self.name}: item {number} is {type(recording).__name__}; give a Recording of both"
                )
        return np.array([av_align(recording) for recording in predictions])


def _peaks(values: FloatArray, around: int, least: float) -> NDArray[np.intp]:
    """Places of what is above `least` and the largest of its neighbours; of equals the first."""
    if not len(values):
        return np.zeros(0, dtype=np.intp)
    padded = np.pad(values, around, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1)
    return np.flatnonzero((windows.argmax(axis=1) == around) & (values > least))
