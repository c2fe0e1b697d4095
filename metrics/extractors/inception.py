"""The Inception v3 of 2015-12-05 that every published FID was computed with, in plain torch.

Module names follow the published PyTorch port, so its weights file loads key by key. The network differs
from torchvision's: average pools ignore their padding, the last block pools by maximum, there are 1,008
classes and no auxiliary head.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from metrics.extractors.pictures import RESIZES, checked_pixels
from metrics.extractors.weights import checked_hash, find_weights, load_strictly, read_state

FILES = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")
DISABLES = ("fid, kid, precision and recall over Inception features", "inception_score")
SIZE = 299  # pixels
LAYERS = {"64": 64, "192": 192, "768": 768, "2048": 2048, "logits_unbiased": 1008, "logits": 1008}


class Unit(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, outputs, H', W']."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(nn.Module):
    """35 x 35: four branches, 64 + 64 + 96 + `pool` channels."""

    def __init__(self, inputs: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Unit(inputs, 64, 1)
        self.branch5x5_1 = Unit(inputs, 48, 1)
        self.branch5x5_2 = Unit(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Unit(inputs, 64, 1)
        self.branch3x3dbl_2 = Unit(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Unit(96, 96, 3, padding=1)
        self.branch_pool = Unit(inputs, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The branches side by side."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(_average(x))], 1)


class BlockB(nn.Module):
    """35 x 35 to 17 x 17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Unit(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Unit(inputs, 64, 1)
        self.branch3x3dbl_2 = Unit(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Unit(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """The branches side by side."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, stride=2)], 1)


class BlockC(nn.Module):
    """17 x 17, with kernels of 1 x 7 and 7 x 1 in `inner` channels."""

    def __init__(self, inputs: int, inner: int) -> None:
        super().__init__()
        row, column = {"padding": (0, 3)}, {"padding": (3, 0)}
        self.branch1x1 = Unit(inputs, 192, 1)
        self.branch7x7_1 = Unit(inputs, inner, 1)
        self.branch7x7_2 = Unit(inner, inner, (1, 7), **row)
        self.branch7x7_3 = Unit(inner, 192, (7, 1), **column)
        self.branch7x7dbl_1 = Unit(inputs, inner, 1)
        self.branch7x7dbl_2 = Unit(inner, inner, (7, 1), **column)
        self.branch7x7dbl_3 = Unit(inner, inner, (1, 7), **row)
        self.branch7x7dbl_4 = Unit(inner, inner, (7, 1), **column)
        self.branch7x7dbl_5 = Unit(inner, 192, (1, 7), **row)
        self.branch_pool = Unit(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The branches side by side."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_average(x))], 1)


class BlockD(nn.Module):
    """17 x 17 to 8 x 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = Unit(inputs, 192, 1)
        self.branch3x3_2 = Unit(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Unit(inputs, 192, 1)
        self.branch7x7x3_2 = Unit(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Unit(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Unit(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """The branches side by side."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, F.max_pool2d(x, 3, stride=2)], 1)


class BlockE(nn.Module):
    """8 x 8; the network's last block pools by maximum, as its TensorFlow graph does."""

    def __init__(self, inputs: int, *, maximum: bool) -> None:
        super().__init__()
        row, column = {"padding": (0, 1)}, {"padding": (1, 0)}
        self.maximum = maximum
        self.branch1x1 = Unit(inputs, 320, 1)
        self.branch3x3_1 = Unit(inputs, 384, 1)
        self.branch3x3_2a = Unit(384, 384, (1, 3), **row)
        self.branch3x3_2b = Unit(384, 384, (3, 1), **column)
        self.branch3x3dbl_1 = Unit(inputs, 448, 1)
        self.branch3x3dbl_2 = Unit(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Unit(384, 384, (1, 3), **row)
        self.branch3x3dbl_3b = Unit(384, 384, (3, 1), **column)
        self.branch_pool = Unit(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The branches side by side."""
        three, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, stride=1, padding=1) if self.maximum else _average(x)
        branches = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        branches += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled)]
        return torch.cat(branches, 1)


class InceptionV3(nn.Module):
    """The network, from normalised pictures [N, 3, 299, 299] to one layer's output."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Unit(64, 80, 1)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(768, 128)
        self.Mixed_6c = BlockC(768, 160)
        self.Mixed_6d = BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b = BlockE(1280, maximum=False)
        self.Mixed_7c = BlockE(2048, maximum=True)
        self.fc = nn.Linear(2048, 1008)

    def forward(self, x: Tensor, layer: str = "2048") -> Tensor:
        """The named layer, averaged over the picture: [N, LAYERS[layer]]."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = F.max_pool2d(x, 3, stride=2)
        if layer == "64":
            return x.mean((2, 3))
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, stride=2)
        if layer == "192":
            return x.mean((2, 3))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        if layer == "768":
            return x.mean((2, 3))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))
        if layer == "2048":
            return x
        # The published Inception Score multiplies without the bias.
        return F.linear(x, self.fc.weight, self.fc.bias if layer == "logits" else None)


class InceptionExtractor(nn.Module):
    """FID's Inception as an extractor, and as the `feature` module of torchmetrics' classes.

    Args:
        weights: the published port (`.pth`, read without unpickling code, or `.safetensors`); by default
            looked for where torch.hub keeps its downloads. A file name that ends in eight hex digits is
            held against the file's sha256.
        resize: `clean`, `pytorch-fid`, `tf1` or `torchmetrics`; each gives other numbers.
        layer: `2048`, or `64`, `192`, `768`, `logits_unbiased`, `logits`.
        device: where the network runs.
        batch_size: pictures at a time.

    Raises:
        MissingWeightsError: no weights file, a hash that does not fit, or keys that are not the network's.
        ValueError: an unknown resize or layer.
    """

    def __init__(
        self,
        weights: Path | str | None = None,
        *,
        resize: str = "clean",
        layer: str = "2048",
        device: str = "cpu",
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        if resize not in RESIZES or layer not in LAYERS:
            raise ValueError(
                f"resize {resize!r}, layer {layer!r}: choose from {list(RESIZES)} and {list(LAYERS)}"
            )
        path = find_weights("FID Inception", weights, FILES, DISABLES)
        self.hash = checked_hash(path, DISABLES)
        self.network = InceptionV3()
        load_strictly(self.network, read_state(path, DISABLES), "the FID Inception", path.name, DISABLES)
        self.resize, self.layer, self.device, self.batch_size = resize, layer, device, batch_size
        self.num_features = LAYERS[layer]
        self.eval().requires_grad_(False).to(device)

    @property
    def signature(self) -> str:
        """For example `inception-v3-2015-12-05@6726825d,resize:clean,layer:2048`."""
        return f"inception-v3-2015-12-05@{self.hash},resize:{self.resize},layer:{self.layer}"

    def features(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """The layer's output for pictures (uint8 [H, W, 3], any sizes): float32 [N, num_features]."""
        arrays, resize = checked_pixels(items), RESIZES[self.resize]
        parts = [torch.zeros(0, self.num_features)]
        with torch.inference_mode():
            for start in range(0, len(arrays), self.batch_size):
                batch = torch.stack(
                    [resize(array, SIZE) for array in arrays[start : start + self.batch_size]]
                )
                parts.append(self.network(batch.to(self.device), self.layer).cpu())
        return torch.cat(parts).numpy()

    def probabilities(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """Class probabilities for the Inception Score, float64 [N, 1008]; needs a layer of logits."""
        if not self.layer.startswith("logits"):
            raise ValueError(
                f"layer {self.layer!r} has no classes; build the extractor with layer='logits_unbiased'"
            )
        logits = torch.from_numpy(self.features(items)).double()
        return logits.softmax(dim=1).numpy()

    def class_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same from features of layer `2048` [N, 2048], without a second pass through the network."""
        weight = self.network.fc.weight.cpu()
        return F.linear(torch.from_numpy(features), weight).double().softmax(dim=1).numpy()

    def forward(self, pictures: Tensor) -> Tensor:
        """For torchmetrics: uint8 pictures [N, 3, H, W] to features [N, num_features]."""
        arrays = list(pictures.permute(0, 2, 3, 1).cpu().numpy())
        return torch.from_numpy(self.features(arrays)).to(pictures.device)
