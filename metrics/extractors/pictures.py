"""Pictures on their way into a network: checked, and resized in exactly the published ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metrics.metric import MetricInputError

if TYPE_CHECKING:
    import torch

Pixels = NDArray[np.uint8]


def checked_pixels(pictures: Sequence[Any]) -> list[Pixels]:
    """Pictures as uint8 arrays [H, W, 3].

    Raises:
        MetricInputError: anything else; the message names the picture by its index.
    """
    arrays = [np.asarray(picture) for picture in pictures]
    for number, array in enumerate(arrays):
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
            raise MetricInputError(
                f"picture {number} is {array.dtype} of shape {array.shape}; give uint8 RGB pixels [H, W, 3]"
            )
    return arrays


def clean(pixels: Pixels, size: int) -> torch.Tensor:
    """clean-fid's: PIL bicubic with antialiasing, channels in float, clipped to 0..255; [3, size, size]."""
    import torch
    from PIL import Image

    channels = [
        np.asarray(
            Image.fromarray(pixels[:, :, channel].astype(np.float32)).resize(
                (size, size), Image.Resampling.BICUBIC
            )
        )
        for channel in range(3)
    ]
    return (torch.from_numpy(np.stack(channels).clip(0, 255)) - 128) / 128


def pytorch_fid(pixels: Pixels, size: int) -> torch.Tensor:
    """pytorch-fid's: bilinear without antialiasing, on values from 0 to 1, then scaled to -1..1."""
    from torch.nn.functional import interpolate

    picture = _channels_first(pixels)[None] / 255
    return 2 * interpolate(picture, size=(size, size), mode="bilinear", align_corners=False)[0] - 1


def tf1(pixels: Pixels, size: int) -> torch.Tensor:
    """The original TensorFlow graph's: bilinear on a grid that starts at the corner, without antialiasing."""
    picture = _channels_first(pixels)
    for axis in (1, 2):
        picture = _tf1_axis(picture, axis, size)
    return (picture - 128) / 128


def torchmetrics(pixels: Pixels, size: int) -> torch.Tensor:
    """The default of torchmetrics: bilinear with antialiasing, in float."""
    from torch.nn.functional import interpolate

    picture = _channels_first(pixels)[None]
    resized = interpolate(picture, size=(size, size), mode="bilinear", align_corners=False, antialias=True)
    return (resized[0] - 128) / 128


RESIZES: dict[str, Callable[[Pixels, int], torch.Tensor]] = {
    "clean": clean,
    "pytorch-fid": pytorch_fid,
    "tf1": tf1,
    "torchmetrics": torchmetrics,
}
"""How a picture becomes the network's input, float32 [3, size, size], by the name that a signature gives."""


def short_side_crop(pixels: Pixels, size: int, crop: int) -> Pixels:
    """CLIP's: the short side to `size` by PIL's bicubic filter, then a centre crop; uint8 [crop, crop, 3]."""
    from PIL import Image

    height, width = pixels.shape[:2]
    if width <= height:
        width, height = size, int(size * height / width)
    else:
        width, height = int(size * width / height), size
    left, top = (width - crop) // 2, (height - crop) // 2
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture.crop((left, top, left + crop, top + crop)))


def _channels_first(pixels: Pixels) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float()


def _tf1_axis(picture: torch.Tensor, axis: int, size: int) -> torch.Tensor:
    """One axis of TensorFlow 1's bilinear resize: output pixel i lies at i * old / new of the input."""
    import torch

    old = picture.shape[axis]
    position = torch.arange(size, dtype=torch.float32) * (old / size)
    low = position.floor().long().clamp(max=old - 1)
    shape = [1, 1, 1]
    shape[axis] = size
    part = (position - low).reshape(shape)
    first = picture.index_select(axis, low)
    second = picture.index_select(axis, (low + 1).clamp(max=old - 1))
    return first + (second - first) * part
