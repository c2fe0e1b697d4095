"""VGGish, the network of the Fréchet audio distance, in plain torch, with its log-mel front end.

Module names follow the published PyTorch port (torchvggish, from the TensorFlow checkpoint), so its weights
file loads key by key. The front end is computed in double precision as there: Hann windows of 25 ms every
10 ms, magnitudes, 64 mel bands from 125 to 7,500 Hz, log(mel + 0.01), patches of 96 frames.

A sound gives one row of 128 numbers per window of 0.96 s. As everybody's ports and as today's TensorFlow
model, a row is the last layer *before* its rectifier; whitening and 8-bit rounding, which AudioSet's
published features went through, happen only when their parameters are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from metrics.extractors.sounds import PREPARATION, padded, waveforms
from metrics.extractors.weights import (
    MissingWeightsError,
    checked_hash,
    find_weights,
    load_strictly,
    read_state,
)
from metrics.metric import FloatArray

FILE, WHITENING = "vggish-10086976.pth", "vggish_pca_params-970ea276.pth"
DISABLES = ("fad over VGGish", "kad over VGGish")
RATE = 16_000  # Hz
FRAME, STEP, SPECTRUM = 400, 160, 512  # samples: 25 ms, 10 ms, and the Fourier transform's length
BANDS, LOWEST, HIGHEST = 64, 125.0, 7500.0  # mel bands, Hz
FRAMES = 96  # in a window
WINDOW = FRAME + (FRAMES - 1) * STEP  # samples that a window needs: 0.975 s
WIDTH = 128


class VGGish(nn.Module):
    """The network, from log-mel patches [N, 1, 96, 64] to rows [N, 128] before the last rectifier."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for block in ((64,), (128,), (256, 256), (512, 512)):
            for outputs in block:
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                channels = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, WIDTH),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Rows [N, 128]."""
        x = self.features(x).permute(0, 2, 3, 1)  # TensorFlow's order: channels last
        rows: Tensor = self.embeddings(x.flatten(1))
        return rows


class VGGishExtractor(nn.Module):
    """VGGish as an extractor of windows, and as the `feature` module of torchmetrics' classes.

    Args:
        weights: the published port's file, `.pth` (read without unpickling code) or `.safetensors`, or a
            folder that holds it; by default looked for where torch.hub keeps its downloads. A file name
            that ends in eight hex digits is held against the file's sha256.
        hop: seconds from one window to the next, in steps of 10 ms; 0.96 leaves no overlap, as the ports
            do, 0.5 is what Google's own tool does (which also scales each clip by its peak).
        whitening: the published `vggish_pca_params-970ea276.pth`, for rectified, whitened and 8-bit rows as
            in AudioSet's features; leave it out for every usual FAD.
        device: where the network runs.
        batch_size: windows at a time.

    Raises:
        MissingWeightsError: no weights file, a hash that does not fit, or keys that are not the network's.
        ValueError: a hop that is no positive number of 10 ms steps.
    """

    num_features = WIDTH
    rate = RATE

    def __init__(
        self,
        weights: Path | str | None = None,
        *,
        hop: float = 0.96,
        whitening: Path | str | None = None,
        device: str = "cpu",
        batch_size: int = 64,
    ) -> None:
        super().__init__()
        self.hop = round(hop * 100)
        if self.hop < 1 or abs(self.hop - hop * 100) > 1e-6:
            raise ValueError(f"hop {hop} s: give a positive number of 10 ms steps, such as 0.96 or 0.5")
        path = find_weights("VGGish", weights, (FILE, "vggish.safetensors"), DISABLES)
        self.hash = checked_hash(path, DISABLES)
        with torch.device("meta"):
            self.network = VGGish()
        load_strictly(self.network, read_state(path, DISABLES), "VGGish", path.name, DISABLES)
        self.whitening = None if whitening is None else _Whitening(Path(whitening))
        self.device, self.batch_size = device, batch_size
        self.eval().requires_grad_(False).to(device)

    @property
    def signature(self) -> str:
        """For example `vggish@10086976,16000Hz,window:0.96s,hop:0.96s,short:zeros,mono:mean,...`."""
        after = "none" if self.whitening is None else f"relu-pca-8bit@{self.whitening.hash}"
        window = f"window:0.96s,hop:{self.hop / 100:g}s,short:zeros"
        return f"vggish@{self.hash},{RATE}Hz,{window},{PREPARATION},after:{after}"

    def windows(self, items: Sequence[Any]) -> list[NDArray[np.float32]]:
        """The rows of each sound, one per window, float32 [K_i, 128] with K_i >= 1.

        A sound shorter than one window (0.975 s) is heard with silence behind it; what is left over after
        the last whole window of a longer one is not heard, as everywhere.

        Args:
            items: sounds, see `metrics.extractors.sounds.Sound`.

        Raises:
            MetricInputError: something that is no sound; names it by its index.
        """
        patches = [log_mel_patches(padded(wave, WINDOW), self.hop) for wave in waveforms(items, RATE)]
        counts = np.cumsum([len(patch) for patch in patches])[:-1]
        if not patches:
            return []
        return list(np.split(self._rows(np.concatenate(patches)), counts))

    def forward(self, waves: Tensor) -> Tensor:
        """For torchmetrics: waveforms [N, samples] of one window each at 16 kHz, to rows [N, 128].

        Raises:
            ValueError: waveforms of less than one window or of several: torchmetrics counts one row each.
        """
        if waves.ndim != 2 or not WINDOW <= waves.shape[1] < WINDOW + self.hop * STEP:
            raise ValueError(
                f"waveforms of shape {tuple(waves.shape)}; give [N, samples] with {WINDOW} samples each, one "
                f"window, as one row is counted for each; `windows` takes whole sounds"
            )
        patches = [log_mel_patches(wave, self.hop) for wave in waves.cpu().numpy()]
        return torch.from_numpy(self._rows(np.concatenate(patches))).to(waves.device)

    def _rows(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = []
        with torch.inference_mode():
            for start in range(0, len(patches), self.batch_size):
                batch = torch.from_numpy(patches[start : start + self.batch_size, None])
                rows = self.network(batch.to(self.device)).cpu()
                parts.append(rows if self.whitening is None else self.whitening(rows))
        return torch.cat(parts).numpy()


class _Whitening:
    """AudioSet's: rectify, subtract means, rotate and scale, clip to -2..2, round to 0..255."""

    def __init__(self, path: Path) -> None:
        disables = ("fad over rows whitened as AudioSet's",)
        path = find_weights("VGGish's whitening", path, (WHITENING,), disables)
        self.hash = checked_hash(path, disables)
        state = read_state(path, disables)
        found = [np.asarray(state.get(key)) for key in ("pca_eigen_vectors", "pca_means")]
        if found[0].shape != (WIDTH, WIDTH) or found[1].size != WIDTH:
            raise MissingWeightsError(path.name, "not VGGish's whitening parameters", disables)
        self.matrix, self.means = (torch.from_numpy(array.astype(np.float32)) for array in found)
        self.means = self.means.flatten()

    def __call__(self, rows: Tensor) -> Tensor:
        white = (rows.relu() - self.means) @ self.matrix.T
        return ((white.clamp(-2, 2) + 2) * (255 / 4)).round()


def log_mel_patches(wave: NDArray[np.floating], hop: int = FRAMES) -> NDArray[np.float32]:
    """Patches of the log-mel spectrogram, float32 [K, 96, 64].

    Args:
        wave: [N] in [-1, 1] at 16 kHz, N >= 15,600.
        hop: frames of 10 ms from one patch to the next.

    >>> patches = log_mel_patches(np.zeros(WINDOW))
    >>> patches.shape, round(float(patches.max()), 4)  # silence is log(0.01)
    ((1, 96, 64), -4.6052)
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(wave, np.float64), FRAME)[::STEP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / FRAME * np.arange(FRAME))
    magnitudes = np.abs(np.fft.rfft(frames * hann, SPECTRUM))
    log_mel = np.log(magnitudes @ mel_filters() + 0.01)
    patches = np.lib.stride_tricks.sliding_window_view(log_mel, FRAMES, axis=0)[::hop]
    return np.ascontiguousarray(patches.swapaxes(1, 2), dtype=np.float32)


@lru_cache(maxsize=1)
def mel_filters() -> FloatArray:
    """Triangles on HTK's mel scale, straight in mel rather than in Hz, [257, 64]; nothing from 0 Hz."""

    def mel(hertz: FloatArray | float) -> FloatArray:
        return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))

    bins = mel(np.linspace(0, RATE / 2, SPECTRUM // 2 + 1))[:, None]
    edges = np.linspace(mel(LOWEST), mel(HIGHEST), BANDS + 2)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters[0] = 0.0
    return np.asarray(filters)
