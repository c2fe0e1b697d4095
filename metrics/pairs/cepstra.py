"""Mel cepstra, and how far two sequences of them are apart, aligned in time or not."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metrics.metric import FloatArray

RATE = 16_000  # Hz
WINDOW, HOP = 512, 128  # samples: 32 and 8 ms
BANDS, ORDER = 20, 13
FLOOR = 1e-10  # added to a band's power, so that silence has a logarithm
CEPSTRA = f"{RATE}Hz|window:32ms,hop:8ms|mel:{BANDS},0-8000Hz|cepstra:1-{ORDER}|floor:{FLOOR:g}"
"""What signatures say of them."""

DECIBELS = 10 / np.log(10)


def mel_cepstra(wave: NDArray[np.floating]) -> FloatArray:
    """The mel cepstra 1 to 13 of each frame, [T, 13].

    c_d is the mean over the 20 bands n of ln(power_n) cos(pi d (n + 1/2) / 20), after Davis and Mermelstein
    (1980): scaled so that twice the sum of all squares is the mean square of ln(power) less its mean.

    Args:
        wave: [N] at 16 kHz; silence is put behind it up to one frame, and up to a whole number of hops.

    >>> mel_cepstra(np.zeros(513)).shape
    (2, 13)
    """
    from scipy.fft import dct

    steps = max(0, -(-(len(wave) - WINDOW) // HOP))
    whole = np.pad(np.asarray(wave, np.float64), (0, WINDOW + steps * HOP - len(wave)))
    frames = np.lib.stride_tricks.sliding_window_view(whole, WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / WINDOW * np.arange(WINDOW))
    powers = np.square(np.abs(np.fft.rfft(frames * hann, axis=1)))
    cepstra = dct(np.log(powers @ _filters() + FLOOR), type=2, axis=1) / (2 * BANDS)
    return np.asarray(cepstra[:, 1 : ORDER + 1])


def frame_distortions(a: FloatArray, b: FloatArray) -> FloatArray:
    """10 / ln 10 * sqrt(2 * |a - b|^2) along the last axis, in decibels; the others broadcast."""
    return np.asarray(DECIBELS * np.sqrt(2 * np.square(a - b).sum(axis=-1)))


def plain_distortion(a: FloatArray, b: FloatArray) -> float:
    """The mean distortion of frames at equal times; a and b [T, 13]."""
    return float(frame_distortions(a, b).mean())


def warped_distortion(a: FloatArray, b: FloatArray) -> float:
    """The mean distortion along the path through both, [T, 13] and [U, 13], whose total is least.

    Exact dynamic time warping: a path runs from both beginnings to both ends by steps of one frame in
    either or in both; among equal totals the shorter path counts.

    >>> steady, twice = np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> warped_distortion(steady, twice)
    0.0
    """
    # Cells of one anti-diagonal need the two before it only, so each is one vector operation. Entry i + 1 of
    # diagonal k is the cell (i, k - i); entry 0 lies outside.
    first, second = len(a), len(b)
    totals = [np.full(first + 1, np.inf) for _ in range(3)]
    lengths = [np.zeros(first + 1) for _ in range(3)]
    for k in range(first + second - 1):
        rows = np.arange(max(0, k - second + 1), min(k, first - 1) + 1)
        cost = frame_distortions(a[rows], b[k - rows])
        if k == 0:
            best, steps = np.zeros(1), np.zeros(1)
        else:
            ways = np.stack([totals[-2][rows], totals[-1][rows], totals[-1][rows + 1]])
            steps_of = np.stack([lengths[-2][rows], lengths[-1][rows], lengths[-1][rows + 1]])
            best = ways.min(axis=0)
            steps = np.where(ways == best, steps_of, np.inf).min(axis=0)
        total, length = np.full(first + 1, np.inf), np.zeros(first + 1)
        total[rows + 1], length[rows + 1] = best + cost, steps + 1
        totals, lengths = [*totals[1:], total], [*lengths[1:], length]
    return float(totals[-1][first] / lengths[-1][first])


@lru_cache(maxsize=1)
def _filters() -> FloatArray:
    """Triangles of height 1, evenly spaced on the mel scale from 0 to 8,000 Hz, [257, 20]."""

    def mel(hertz: FloatArray) -> FloatArray:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    frequencies = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    points = np.linspace(0, float(mel(np.array(RATE / 2))), BANDS + 2)
    edges = 700.0 * np.expm1(points / 1127.0)
    rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))
