"""VBench's dimensions of motion: flicker, smoothness, whether a clip moves, whether it is still.

Flicker needs no network. The others are what VBench computes once its networks have run (RAFT's flow, AMT-S's
frames in between), and take what these give; formulas and thresholds are those of its code (Huang et al.,
VBench, CVPR 2024; Vchitect/VBench at 11abda9 and 3e47e73).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import FloatArray, MeanMetric, MetricInputError

FASTEST_FPS = 8  # VBench looks at about so many frames a second for its dynamic degree


def temporal_flickering(frames: NDArray[np.uint8]) -> float:
    """VBench's temporal flickering of one clip, meant for still ones: 1 is no change, 0 black to white.

    (255 - mean absolute difference of successive frames) / 255.

    Args:
        frames: uint8 ``[T, H, W, 3]``, two or more.

    Raises:
        MetricInputError: another type or shape, or a single frame.

    >>> frames = np.zeros((3, 2, 2, 3), np.uint8)
    >>> frames[1] = 51
    >>> temporal_flickering(frames)
    0.8
    """
    clip = _clip(frames, 2)
    # VBench takes differences in single precision, and their mean over each pair of frames.
    changes = [np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(clip)]
    return float((255.0 - np.mean(changes)) / 255.0)


def motion_smoothness(frames: NDArray[np.uint8], between: NDArray[np.uint8]) -> float:
    """VBench's motion smoothness: how like each second frame is to what its neighbours foretell, 0 to 1.

    Args:
        frames: uint8 ``[T, H, W, 3]``, three or more.
        between: what an interpolation network (AMT-S in VBench) puts between frames 0 and 2, 2 and 4, ...:
            uint8 ``[(T - 1) // 2, H, W, 3]``.

    Raises:
        MetricInputError: another type or shape.

    >>> frames = np.zeros((3, 2, 2, 3), np.uint8)
    >>> motion_smoothness(frames, np.full((1, 2, 2, 3), 51, np.uint8))
    0.8
    """
    clip, foretold = _clip(frames, 3), _clip(between, 1)
    seen = clip[1::2][: (len(clip) - 1) // 2]
    if foretold.shape != seen.shape:
        raise MetricInputError(f"frames between of shape {foretold.shape}; {len(clip)} need {seen.shape}")
    missed = [np.abs(b.astype(np.int16) - a).mean() for a, b in zip(seen, foretold, strict=True)]
    return float((255.0 - np.mean(missed)) / 255.0)


def is_dynamic(flows: ArrayLike, fps: float, *, side: int | None = None) -> bool:
    """VBench's dynamic degree of one clip: whether enough of it moves far enough.

    A pair of frames moves where the mean length of the longest 5 % of its flow is above 6 pixels for each 256
    of the frame's shorter side (more at fewer than 8 frames a second); a clip does where a quarter of its
    frames, rounded, do. Of two frames that quarter is none, and VBench calls the clip dynamic.

    Args:
        flows: optical flow between successive frames, VBench's RAFT on about eight a second, in pixels,
            ``[T - 1, H, W, 2]``.
        fps: frames per second of the clip as it is played.
        side: the frames' shorter side in pixels, where their flow was padded to another.

    Raises:
        MetricInputError: another shape, a flow that is not finite, or no frame rate.

    >>> still, moving = np.zeros((15, 64, 64, 2)), np.full((15, 64, 64, 2), 4.0)
    >>> is_dynamic(still, 8), is_dynamic(moving, 8)
    (False, True)
    """
    moved, frames, scale = _lengths(flows, 0.05, side)
    if not fps > 0:
        raise MetricInputError(f"a clip of {fps} frames per second; give its frame rate")
    threshold = max(1.0, FASTEST_FPS / fps) * 6.0 * scale
    return int((moved > threshold).sum()) >= round(4 * (frames / 16.0))


def is_static(flows: ArrayLike, *, side: int | None = None) -> bool:
    """VBench's static filter: whether a clip is still enough for its flicker to be measured.

    Args:
        flows: optical flow between successive frames, then from the first frame to the last and back, in
            pixels, ``[T + 1, H, W, 2]``.
        side: as in `is_dynamic`.

    Raises:
        MetricInputError: another shape, or a flow that is not finite.

    >>> is_static(np.zeros((17, 64, 64, 2))), is_static(np.full((17, 64, 64, 2), 4.0))
    (True, False)
    """
    moved, joined, scale = _lengths(flows, 0.02, side)
    count = round(2 * ((joined - 2) / 16.0))  # two flows more than between neighbours
    threshold = 3.0 * scale
    if int((moved[:-2] > threshold).sum()) > count:
        return False
    return not bool((moved[-2:] > threshold * count * 2).any())


class TemporalFlickering(MeanMetric):
    """Mean `temporal_flickering` of clips; references are not looked at.

    >>> metric = TemporalFlickering()
    >>> metric.statistics([np.zeros((2, 2, 2, 3), np.uint8)], [None]).tolist(), metric.signature
    ([1.0], 'temporal_flickering|vbench|frames:all|v:1')
    """

    name = "temporal_flickering"
    higher_is_better = True
    least = 0.0
    signature = "temporal_flickering|vbench|frames:all|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """Of each clip, uint8 ``[T, H, W, 3]``: [N].

        Raises:
            MetricInputError: an item that is no clip; the message names it.
        """
        found = np.empty(len(predictions))
        for number, frames in enumerate(predictions):
            try:
                found[number] = temporal_flickering(np.asarray(frames))
            except MetricInputError as error:
                raise MetricInputError(f"{self.name}: item {number}: {error}") from None
        return found


def _clip(frames: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape[1:]:
        raise MetricInputError(
            f"frames are {frames.dtype} of shape {frames.shape}; give uint8 RGB pixels [T, H, W, 3]"
        )
    if len(frames) < least:
        raise MetricInputError(f"{len(frames)} frames where {least} are needed")
    return frames


def _lengths(flows: ArrayLike, share: float, side: int | None) -> tuple[FloatArray, int, float]:
    """The mean length of the longest `share` of each flow; frames they join; the shorter side over 256."""
    field = np.asarray(flows, dtype=np.float64)
    if field.ndim != 4 or field.shape[3] != 2 or len(field) < 1 or not np.isfinite(field).all():
        raise MetricInputError(f"flows of shape {field.shape}; give finite ones, [pairs, H, W, 2]")
    pixels = field.shape[1] * field.shape[2]
    longest = int(pixels * share)
    if longest < 1:
        raise MetricInputError(f"flows of {pixels} pixels are too small: {share:g} of them is none")
    lengths = np.sort(np.sqrt(np.square(field).sum(axis=3)).reshape(len(field), -1), axis=1)
    return lengths[:, -longest:].mean(axis=1), len(field) + 1, (side or min(field.shape[1:3])) / 256.0
