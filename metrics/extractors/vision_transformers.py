"""Transformers that look without words: DINOv2 at pictures, VideoMAE at clips, for FD-DINOv2 and FVD.

Both are read from any folder that transformers can read, `config.json` and `model.safetensors`; how pictures
are resized moves the numbers, and stands in the signature.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metrics.extractors.pictures import Pixels, checked_pixels
from metrics.extractors.weights import (
    MissingWeightsError,
    file_hash,
    local_folder,
    read_state,
    refuse_misfits,
)
from metrics.metric import MetricInputError

if TYPE_CHECKING:
    import torch

FILES = ("config.json", "model.safetensors")
DINO_DISABLES = ("fd_dinov2",)
MAE_DISABLES = ("fvd over VideoMAE features",)
DINO_SIZE = 224  # pixels, whatever the network was trained at, as published
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
Features = NDArray[np.float32]


def torch_bicubic(pixels: Pixels, size: int) -> torch.Tensor:
    """EDM2's default: bicubic with antialiasing, in float; [3, size, size] in about 0..1."""
    import torch
    from torch.nn.functional import interpolate

    picture = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
    return interpolate(picture, size=(size, size), mode="bicubic", antialias=True)[0] / 255


def pil_bicubic(pixels: Pixels, size: int) -> torch.Tensor:
    """dgm-eval's (`pil` in EDM2): PIL's bicubic filter, in eight bits; [3, size, size] in 0..1."""
    import torch
    from PIL import Image

    resized = Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized).transpose(2, 0, 1)).float() / 255


DINO_RESIZES: Mapping[str, Callable[[Pixels, int], torch.Tensor]] = {
    "torch-bicubic": torch_bicubic,
    "pil-bicubic": pil_bicubic,
}
"""How a picture becomes DINOv2's input, by the name that a signature gives."""


class _FromFolder:
    """A network of transformers in a folder; nothing is loaded before it is used."""

    kind: str
    model_class: str
    disables: tuple[str, ...]
    counting: tuple[str, ...] = ()

    def __init__(self, source: str | Path, *, device: str = "cpu", batch_size: int = 16) -> None:
        name = str(source) if not Path(source).is_dir() else Path(source).resolve().name
        folder = local_folder(source)
        if folder is None:
            raise MissingWeightsError(
                f"{self.kind} {name}", "no folder, and not in the hub's cache", self.disables
            )
        for file in FILES:
            if not (folder / file).is_file():
                raise MissingWeightsError(f"{self.kind} {name}", f"{file} is missing", self.disables)
        self.name, self.folder, self.device, self.batch_size = name, folder, device, batch_size

    @cached_property
    def _hash(self) -> str:
        return file_hash(self.folder / FILES[1])

    @cached_property
    def config(self) -> dict[str, Any]:
        """What `config.json` says."""
        return dict(json.loads((self.folder / FILES[0]).read_text(encoding="utf-8")))

    @cached_property
    def model(self) -> Any:
        """The network, in single precision."""
        import torch
        import transformers

        kind = getattr(transformers, self.model_class)
        model, report = kind.from_pretrained(
            None,
            config=kind.config_class.from_pretrained(self.folder, local_files_only=True),
            state_dict=read_state(self.folder / FILES[1], self.disables),
            dtype=torch.float32,
            output_loading_info=True,
        )
        refuse_misfits(report, self.counting, f"{self.kind} {self.name}", FILES[1], self.disables)
        return model.eval().requires_grad_(False).to(self.device)


class Dinov2Extractor(_FromFolder):
    """DINOv2's CLS token, for FD-DINOv2 (Stein et al. 2023; Karras et al., EDM2): ViT-L/14, 1,024 numbers.

    Args:
        source: a folder, or a hub id whose files are in the local cache.
        resize: a key of `DINO_RESIZES`; ``torch-bicubic`` is EDM2's default, ``pil-bicubic`` dgm-eval's.
        device: where the network runs.
        batch_size: pictures at a time.

    Raises:
        MissingWeightsError: no such folder, or a file missing in it.
        ValueError: an unknown way to resize.
    """

    kind, model_class, disables = "DINOv2", "Dinov2Model", DINO_DISABLES
    counting = ("mask_token",)
    distances = ("fd_dinov2",)  # what a Fréchet distance over these features is called

    def __init__(
        self, source: str | Path, *, resize: str = "torch-bicubic", device: str = "cpu", batch_size: int = 16
    ) -> None:
        super().__init__(source, device=device, batch_size=batch_size)
        if resize not in DINO_RESIZES:
            raise ValueError(f"resize {resize!r} is unknown; choose {' or '.join(DINO_RESIZES)}")
        self.resize = resize

    @property
    def signature(self) -> str:
        """For example `dinov2:dinov2-large@1a2b3c4d,cls,resize:torch-bicubic-224,imagenet,fp32`."""
        return f"dinov2:{self.name}@{self._hash},cls,resize:{self.resize}-{DINO_SIZE},imagenet,fp32"

    def features(self, items: Sequence[Any]) -> Features:
        """The CLS token, after the last layer's normalisation, of pictures uint8 [H, W, 3]: float32 [N, D].

        Raises:
            MetricInputError: something that is no such array.
        """
        import torch

        arrays, width = checked_pixels(items), int(self.config["hidden_size"])
        rows = np.zeros((len(arrays), width), np.float32)
        mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (MEAN, STD))
        for start in range(0, len(arrays), self.batch_size):
            part = arrays[start : start + self.batch_size]
            pixels = torch.stack([(DINO_RESIZES[self.resize](each, DINO_SIZE) - mean) / std for each in part])
            with torch.inference_mode():
                found = self.model(pixel_values=pixels.to(self.device)).last_hidden_state[:, 0]
            rows[start : start + len(part)] = found.float().cpu().numpy()
        return rows


class VideoMaeExtractor(_FromFolder):
    """VideoMAE's mean token of a clip, for an FVD that sees motion (Ge et al., CVPR 2024).

    A clip is `num_frames` frames, evenly spread over it; each is resized to the network's size, bilinear and
    without antialiasing, values from 0 to 1, as the published code does.

    Args:
        source: a folder, or a hub id whose files are in the local cache.
        device: where the network runs.
        batch_size: clips at a time.

    Raises:
        MissingWeightsError: no such folder, or a file missing in it.
    """

    kind, model_class, disables = "VideoMAE", "VideoMAEModel", MAE_DISABLES
    distances = ("fvd",)

    @property
    def signature(self) -> str:
        """For example `videomae:videomae-base@1a2b3c4d,mean-of-tokens,16-frames-spread,...`."""
        frames, size = int(self.config["num_frames"]), int(self.config["image_size"])
        how = f"mean-of-tokens,{frames}-frames-spread,resize:bilinear-{size},0..1,fp32"
        return f"videomae:{self.name}@{self._hash},{how}"

    def features(self, items: Sequence[Any]) -> Features:
        """The mean of the last layer's tokens of each clip, uint8 [T, H, W, 3]: float32 [N, D].

        Raises:
            MetricInputError: something that is no such array.
        """
        import torch
        from torch.nn.functional import interpolate

        frames, size = int(self.config["num_frames"]), int(self.config["image_size"])
        rows = np.zeros((len(items), int(self.config["hidden_size"])), np.float32)
        for start in range(0, len(items), self.batch_size):
            part = []
            for number, item in enumerate(items[start : start + self.batch_size], start):
                clip = np.asarray(item)
                if clip.dtype != np.uint8 or clip.ndim != 4 or clip.shape[3] != 3 or 0 in clip.shape:
                    raise MetricInputError(
                        f"clip {number} is {clip.dtype} of shape {clip.shape}; "
                        "give uint8 RGB pixels [T, H, W, 3]"
                    )
                chosen = clip[np.linspace(0, len(clip) - 1, frames).round().astype(int)]
                pixels = torch.from_numpy(np.ascontiguousarray(chosen.transpose(0, 3, 1, 2))).float() / 255
                part.append(interpolate(pixels, size=(size, size), mode="bilinear", align_corners=False))
            with torch.inference_mode():
                found = self.model(pixel_values=torch.stack(part).to(self.device)).last_hidden_state.mean(1)
            rows[start : start + len(part)] = found.float().cpu().numpy()
        return rows
