"""EfficientNet-Lite as an encoder: pictures and clips in, the grid before its classifier out.

Its weights come in a package (`nextgpt.weights.packaged`), as does its code. The token that stands for the
whole picture is the mean of the grid, as its classifier reads it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nextgpt.encoding.preprocessing import moments
from nextgpt.errors import ConfigError
from nextgpt.media import Medium, Video
from nextgpt.messages import Modality
from nextgpt.weights.files import check, refuse_not_finite

FILES = "efficientnet-lite*.pth"
CLASSES = 1000
_WIDTH = 1280
_CROP = 0.875  # of the short side: what is looked at


class EfficientNetLite(nn.Module):
    """A classifier of pictures whose last grid is read.

    Args:
        network: an `EfficientNet` of efficientnet_lite_pytorch.
        size: height and width of the pictures that it sees.
    """

    reads: frozenset[Modality] = frozenset({"image", "video"})
    out_dim = _WIDTH

    def __init__(self, network: Any, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    @classmethod
    def load(cls, folder: Path) -> EfficientNetLite:
        """Read the weights of a folder.

        Raises:
            ConfigError: there are none, they are another network's, or the package with its code is missing.
        """
        path = weights_of(folder)
        if path is None:
            raise ConfigError(f"{folder}: no {FILES}; an EfficientNet-Lite was expected")
        if importlib.util.find_spec("efficientnet_lite_pytorch") is None:
            raise ConfigError(f"{path.name}: its code is missing; `pip install nextgpt[packaged]`")
        from efficientnet_lite_pytorch import EfficientNet

        check(path)
        name = "-".join(path.stem.split("-")[:2])
        try:
            network, size = EfficientNet.from_name(name), EfficientNet.get_image_size(name)
            tensors = torch.load(path, map_location="cpu", weights_only=True)
            classes = len(tensors["_fc.bias"])
            if classes != CLASSES:
                raise ConfigError(
                    f"{path}: a classifier of {classes:,} classes; one of ImageNet's {CLASSES:,} was expected"
                )
            network.load_state_dict(tensors)
        except ConfigError:
            raise
        except Exception as error:  # its code asserts, and torch raises what it likes
            raise ConfigError(f"{path}: not the weights of an {name}: {error!r:.200}") from error
        refuse_not_finite(str(path), network.named_parameters())
        return cls(network.eval(), size)

    @torch.no_grad()
    def encode(self, media: Sequence[Medium]) -> Tensor:
        """Tokens of pictures, or of clips: float ``[N, 1 + P, 1280]``, the mean of the grid first.

        Of a clip, the frames that ImageBind would look at are seen one by one, and averaged place by place.
        """
        return torch.stack([self._tokens(self._frames(medium)).mean(0) for medium in media])

    @torch.no_grad()
    def scores(self, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Logits float ``[N, 1000]`` of ImageNet's classes for pictures uint8 ``[H, W, 3]``."""
        seen = torch.stack([preprocess(pixels, self.size) for pixels in pictures])
        scores: Tensor = self.network(seen.to(self._weight.device, self._weight.dtype))
        return scores

    def _frames(self, medium: Medium) -> Tensor:
        """Float ``[F, 3, size, size]``."""
        if isinstance(medium, Video):
            chosen = sorted({k for piece in moments(len(medium.frames), medium.fps) for k in piece})
            return torch.stack([preprocess(medium.frames[k], self.size) for k in chosen])
        if medium.modality == "audio":
            raise ValueError("an EfficientNet hears nothing; name an audio_encoder")
        return preprocess(medium.pixels, self.size).unsqueeze(0)

    def _tokens(self, pixels: Tensor) -> Tensor:
        grid = self.network.extract_features(pixels.to(self._weight.device, self._weight.dtype))
        tokens = grid.flatten(2).mT
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)

    @property
    def _weight(self) -> Tensor:
        weight: Tensor = self.network._fc.weight
        return weight


def weights_of(folder: Path) -> Path | None:
    """The file of weights in a folder; None where there is none.

    Example:
        >>> weights_of(Path("nowhere")) is None
        True
    """
    return next(iter(sorted(folder.glob(FILES))), None)


def preprocess(pixels: NDArray[np.uint8], size: int) -> Tensor:
    """A picture as EfficientNet-Lite takes it: centre cropped, resized (bicubic), from -1 to 1.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        size: height and width of the result.

    Returns:
        float32 ``[3, size, size]``.

    Example:
        >>> preprocess(np.zeros((48, 64, 3), np.uint8), 32).shape
        torch.Size([3, 32, 32])
    """
    from PIL import Image

    height, width = pixels.shape[:2]
    side = _CROP * min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    seen = Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC, box=box)
    return (torch.from_numpy(np.array(seen)).movedim(-1, 0).float() - 127.0) / 128.0
