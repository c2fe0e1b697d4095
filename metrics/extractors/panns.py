"""PANNs' Cnn14, the classifier of the published audio FD, KL and Inception Score, in plain torch.

Module names follow the published weights files, which load key by key. Both hold their front end too, a
Fourier transform as convolution kernels and mel filters, and it is computed with those very numbers.

========  =========================  ==========================  ================================
rate      file                       window, step (samples)      mel
========  =========================  ==========================  ================================
16 kHz    Cnn14_16k_mAP=0.438.pth    512, 160                    64 bands, 50 to 8,000 Hz
32 kHz    Cnn14_mAP=0.431.pth        1,024, 320                  64 bands, 50 to 14,000 Hz
========  =========================  ==========================  ================================

A sound gives one row, whatever its length: 2,048 numbers (after the rectifier) or 527 logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from metrics.extractors.sounds import PREPARATION, padded, waveforms
from metrics.extractors.weights import checked_hash, find_weights, load_strictly, read_state
from metrics.metric import FloatArray

DISABLES = ("fd", "kl over sounds", "audio_inception_score", "fad and kad over PANNs")
LAYERS = {"2048": 2048, "logits": 527}
BANDS = 64
SHORTEST = 32_000  # samples at either rate, as audioldm_eval pads


@dataclass(frozen=True)
class Variant:
    """One published network: its file, that file's sha256, and its Fourier window and step in samples."""

    file: str
    sha256: str
    window: int
    step: int


VARIANTS = {
    16_000: Variant(
        "Cnn14_16k_mAP=0.438.pth",
        "e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
        512,
        160,
    ),
    32_000: Variant(
        "Cnn14_mAP=0.431.pth",
        "0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
        1024,
        320,
    ),
}


class Fourier(nn.Module):
    """A Hann-windowed Fourier transform as two convolutions; [N, samples] to powers [N, frames, bins]."""

    def __init__(self, window: int, step: int) -> None:
        super().__init__()
        self.window, self.step = window, step
        self.conv_real = nn.Conv1d(1, window // 2 + 1, window, stride=step, bias=False)
        self.conv_imag = nn.Conv1d(1, window // 2 + 1, window, stride=step, bias=False)

    def forward(self, waves: Tensor) -> Tensor:
        """Frames are centred on every step; the ends are mirrored."""
        half = self.window // 2
        x = F.pad(waves[:, None], (half, half), mode="reflect")
        powers: Tensor = self.conv_real(x).square() + self.conv_imag(x).square()
        return powers.transpose(1, 2)


class Spectrogram(nn.Module):
    """Holds the transform under the published file's name for it."""

    def __init__(self, window: int, step: int) -> None:
        super().__init__()
        self.stft = Fourier(window, step)


class LogMel(nn.Module):
    """Powers [N, frames, bins] to decibels of mel bands, [N, frames, 64], floor at 1e-10."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.melW = nn.Parameter(torch.zeros(bins, BANDS))

    def forward(self, powers: Tensor) -> Tensor:
        """10 log10 of the mel bands."""
        return 10 * torch.log10((powers @ self.melW).clamp(min=1e-10))


class Block(nn.Module):
    """Two convolutions, each with batch normalisation and rectifier, and an average pool."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, pool: int) -> Tensor:
        """[N, C, T, M] to [N, outputs, T / pool, M / pool]."""
        x = F.relu_(self.bn2(self.conv2(F.relu_(self.bn1(self.conv1(x))))))
        return F.avg_pool2d(x, pool) if pool > 1 else x


class Cnn14(nn.Module):
    """The network, from waveforms [N, samples] to one of its layers, [N, LAYERS[layer]]."""

    def __init__(self, rate: int = 32_000) -> None:
        super().__init__()
        variant = VARIANTS[rate]
        self.spectrogram_extractor = Spectrogram(variant.window, variant.step)
        self.logmel_extractor = LogMel(variant.window // 2 + 1)
        self.bn0 = nn.BatchNorm2d(BANDS)
        self.conv_block1 = Block(1, 64)
        self.conv_block2 = Block(64, 128)
        self.conv_block3 = Block(128, 256)
        self.conv_block4 = Block(256, 512)
        self.conv_block5 = Block(512, 1024)
        self.conv_block6 = Block(1024, 2048)
        self.fc1 = nn.Linear(2048, 2048)
        self.fc_audioset = nn.Linear(2048, 527)

    def forward(self, waves: Tensor, layer: str = "2048") -> Tensor:
        """The named layer: `2048` after its rectifier, or the classes' `logits`."""
        x = self.log_mel(waves)[:, None]
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)  # normalised band by band
        blocks = (self.conv_block1, self.conv_block2, self.conv_block3, self.conv_block4, self.conv_block5)
        for block in blocks:
            x = block(x, 2)
        x = self.conv_block6(x, 1).mean(3)
        x = F.relu(self.fc1(x.amax(2) + x.mean(2)))
        return x if layer == "2048" else self.fc_audioset(x)

    def log_mel(self, waves: Tensor) -> Tensor:
        """The front end: [N, samples] to decibels [N, frames, 64]."""
        levels: Tensor = self.logmel_extractor(self.spectrogram_extractor.stft(waves))
        return levels


class PannsExtractor(nn.Module):
    """Cnn14 as an extractor, and as the `feature` module of torchmetrics' classes.

    Args:
        weights: the published file, `.pth` (read without unpickling code) or `.safetensors`, or a folder that
            holds it; by default looked for where torch.hub, panns_inference and audioldm_eval keep theirs. A
            file of the published name is held against the published sha256.
        rate: 16000 or 32000 Hz; each has weights of its own, and gives other numbers.
        layer: `2048` or `logits`.
        device: where the network runs.
        batch_size: sounds of one length at a time.

    Raises:
        MissingWeightsError: no weights file, a hash that does not fit, or keys that are not the network's.
        ValueError: an unknown rate or layer.
    """

    def __init__(
        self,
        weights: Path | str | None = None,
        *,
        rate: int = 32_000,
        layer: str = "2048",
        device: str = "cpu",
        batch_size: int = 8,
    ) -> None:
        super().__init__()
        if rate not in VARIANTS or layer not in LAYERS:
            raise ValueError(f"rate {rate}, layer {layer!r}: choose from {list(VARIANTS)} and {list(LAYERS)}")
        file = VARIANTS[rate].file
        homes = (Path.home() / "panns_data", Path.home() / ".cache" / "audioldm_eval" / "ckpt")
        path = find_weights(f"PANNs Cnn14 {rate} Hz", weights, (file,), DISABLES, homes)
        self.hash = checked_hash(path, DISABLES, VARIANTS[rate].sha256 if path.name == file else None)
        state = read_state(path, DISABLES)
        with torch.device("meta"):
            self.network = Cnn14(rate)
        load_strictly(
            self.network, state.get("model", state), f"PANNs' Cnn14 for {rate} Hz", path.name, DISABLES
        )
        self.rate, self.layer, self.device, self.batch_size = rate, layer, device, batch_size
        self.num_features = LAYERS[layer]
        self.eval().requires_grad_(False).to(device)

    @property
    def signature(self) -> str:
        """For example `panns-cnn14@0dc499e4,32000Hz,window:clip,short:zeros-to-32000,...,layer:2048`."""
        how = f"{self.rate}Hz,window:clip,short:zeros-to-{SHORTEST},{PREPARATION}"
        return f"panns-cnn14@{self.hash},{how},layer:{self.layer}"

    def features(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """The layer's output for sounds of any length: float32 [N, num_features].

        A sound of fewer than 32,000 samples at the network's rate is heard with silence behind it.

        Args:
            items: sounds, see `metrics.extractors.sounds.Sound`.

        Raises:
            MetricInputError: something that is no sound; names it by its index.
        """
        waves = [padded(wave, SHORTEST) for wave in waveforms(items, self.rate)]
        rows = np.empty((len(waves), self.num_features), np.float32)
        by_length: dict[int, list[int]] = {}
        for number, wave in enumerate(waves):
            by_length.setdefault(len(wave), []).append(number)
        for numbers in by_length.values():  # padding to a common length would change the averages
            for start in range(0, len(numbers), self.batch_size):
                part = numbers[start : start + self.batch_size]
                rows[part] = self._rows(
                    torch.from_numpy(np.stack([waves[number] for number in part]))
                ).numpy()
        return rows

    def windows(self, items: Sequence[Any]) -> list[NDArray[np.float32]]:
        """The same as `features` for metrics over windows: a whole sound is one window, [1, num_features]."""
        return [row[None] for row in self.features(items)]

    def probabilities(self, items: Sequence[Any]) -> FloatArray:
        """Softmax over AudioSet's 527 classes, float64 [N, 527]; needs the layer `logits`.

        The classes are not exclusive, and Cnn14 was trained with a sigmoid each; the published KL and
        Inception Score take a softmax all the same.
        """
        if self.layer != "logits":
            raise ValueError(f"layer {self.layer!r} has no classes; build the extractor with layer='logits'")
        return torch.from_numpy(self.features(items)).double().softmax(dim=1).numpy()

    def forward(self, waves: Tensor) -> Tensor:
        """For torchmetrics: waveforms [N, samples] at the network's rate, to rows [N, num_features]."""
        short = max(0, SHORTEST - waves.shape[-1])
        return self._rows(F.pad(waves, (0, short))).to(waves.device)

    def _rows(self, waves: Tensor) -> Tensor:
        with torch.inference_mode():
            rows: Tensor = self.network(waves.to(self.device), self.layer).cpu()
        return rows
