"""CLIP from any folder that transformers can read: embeddings of pictures and texts.

The same class reads OpenAI's published models (by hub id from the local cache, or from a folder) and
small ones of one's own: a folder with `config.json`, `tokenizer.json` and `model.safetensors`, or instead of
that `pytorch_model.bin`, read without unpickling code.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metrics.extractors.pictures import checked_pixels, short_side_crop
from metrics.extractors.weights import (
    MissingWeightsError,
    file_hash,
    local_folder,
    read_settings,
    read_state,
    refuse_misfits,
)
from metrics.metric import MetricInputError

if TYPE_CHECKING:
    import torch

FILES = ("config.json", "tokenizer.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
DISABLES = ("clip_score", "ref_clip_score", "clipsim", "clip_t", "clip_i", "cmmd", "fid over CLIP features")
MEAN = (0.48145466, 0.4578275, 0.40821073)  # of OpenAI's training pictures
STD = (0.26862954, 0.26130258, 0.27577711)
Embeddings = NDArray[np.float32]


class ClipExtractor:
    """A CLIP model as an extractor; nothing is loaded before the first picture or text.

    Args:
        source: a folder, or a hub id whose files are in the local cache.
        resize: ``short-side`` as CLIP itself, the short side and then a centre crop; ``cmmd`` as the
            published CMMD (Jayasumana et al. 2024; sayakpaul/cmmd-pytorch), the whole picture to a square,
            bicubic without antialiasing.
        device: where the network runs.
        batch_size: pictures or texts at a time.

    Raises:
        MissingWeightsError: no such folder, or a file missing in it.
        ValueError: an unknown way to resize.
    """

    def __init__(
        self, source: str | Path, *, resize: str = "short-side", device: str = "cpu", batch_size: int = 32
    ) -> None:
        if resize not in ("short-side", "cmmd"):
            raise ValueError(f"resize {resize!r} is unknown; choose short-side or cmmd")
        self.resize = resize
        name = str(source) if not Path(source).is_dir() else Path(source).resolve().name
        folder = local_folder(source)
        if folder is None:
            raise MissingWeightsError(f"CLIP {name}", "neither a folder nor in the local hub cache", DISABLES)
        for file in FILES:
            if not (folder / file).is_file():
                raise MissingWeightsError(f"CLIP {name}", f"{file} is missing", DISABLES)
        there = [folder / file for file in WEIGHTS if (folder / file).is_file()]
        if not there:
            raise MissingWeightsError(f"CLIP {name}", f"{' or '.join(WEIGHTS)} is missing", DISABLES)
        self.name, self.folder, self.device, self.batch_size = name, folder, device, batch_size
        self.file = there[0]

    @cached_property
    def signature(self) -> str:
        """For example `clip:ViT-B-32@1a2b3c4d,short-side-224-bicubic,crop-224,fp32`."""
        weights, (size, crop) = file_hash(self.file), self._preprocessing[:2]
        if self.resize == "cmmd":
            return f"clip:{self.name}@{weights},square-{crop}-bicubic-no-antialias,fp32"
        return f"clip:{self.name}@{weights},short-side-{size}-bicubic,crop-{crop},fp32"

    def features(self, items: Sequence[Any]) -> Embeddings:
        """What distances between sets of pictures take: the same as `images`."""
        return self.images(items)

    def images(self, pictures: Sequence[Any]) -> Embeddings:
        """Embeddings of pictures, not scaled to unit length.

        Args:
            pictures: uint8 arrays [H, W, 3].

        Returns:
            float32 [N, D].

        Raises:
            MetricInputError: something that is no such array.
        """
        import torch

        arrays, (size, crop, mean, std) = checked_pixels(pictures), self._preprocessing

        def embed(part: slice) -> torch.Tensor:
            batch: NDArray[np.float32]
            if self.resize == "cmmd":
                batch = np.stack([_square(array, crop) for array in arrays[part]])
            else:
                pixels = np.stack([short_side_crop(array, size, crop) for array in arrays[part]])
                batch = pixels.astype(np.float32) / np.float32(255)
            seen = torch.from_numpy((batch - mean) / std).permute(0, 3, 1, 2)
            return _pooled(self._model.get_image_features(pixel_values=seen.to(self.device)))

        return self._in_batches(len(arrays), embed)

    def texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of texts, not scaled to unit length; long texts are cut but keep their end token.

        Returns:
            float32 [N, D].
        """
        import torch

        encodings = self._tokenizer.encode_batch(list(texts)) if texts else []

        def embed(part: slice) -> torch.Tensor:
            ids = torch.tensor([encoding.ids for encoding in encodings[part]], device=self.device)
            mask = torch.tensor([encoding.attention_mask for encoding in encodings[part]], device=self.device)
            return _pooled(self._model.get_text_features(input_ids=ids, attention_mask=mask))

        return self._in_batches(len(encodings), embed)

    def _in_batches(self, count: int, embed: Any) -> Embeddings:
        import torch

        if count == 0:
            return np.zeros((0, int(self._config.get("projection_dim", 512))), np.float32)
        with torch.inference_mode():
            parts = [
                embed(slice(start, start + self.batch_size)) for start in range(0, count, self.batch_size)
            ]
        return torch.cat(parts).float().cpu().numpy()

    @cached_property
    def _config(self) -> dict[str, Any]:
        return read_settings(self.folder / "config.json", DISABLES)

    @cached_property
    def _preprocessing(self) -> tuple[int, int, NDArray[np.float32], NDArray[np.float32]]:
        """Short side and crop in pixels, mean and standard deviation of each channel."""
        file = self.folder / "preprocessor_config.json"
        stated = read_settings(file, DISABLES) if file.is_file() else {}
        default = self._config.get("vision_config", {}).get("image_size", 224)
        size, crop = stated.get("size", default), stated.get("crop_size", default)
        size = size.get("shortest_edge", default) if isinstance(size, dict) else size
        crop = crop.get("height", default) if isinstance(crop, dict) else crop
        mean, std = stated.get("image_mean", MEAN), stated.get("image_std", STD)
        return int(size), int(crop), np.asarray(mean, np.float32), np.asarray(std, np.float32)

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import CLIPConfig, CLIPModel

        model, report = CLIPModel.from_pretrained(
            None,
            config=CLIPConfig.from_pretrained(self.folder, local_files_only=True),
            state_dict=read_state(self.file, DISABLES),
            dtype=torch.float32,
            output_loading_info=True,
        )
        refuse_misfits(report, "position_ids", f"CLIP {self.name}", self.file.name, DISABLES)
        return model.eval().requires_grad_(False).to(self.device)

    @cached_property
    def _tokenizer(self) -> Any:
        # Read directly: transformers' tokenizer classes rebuild CLIP's own pipeline around the vocabulary,
        # and return an empty tokenizer without a word when files are missing.
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        text = self._config.get("text_config", {})
        end, pad = text.get("eos_token_id", 49407), text.get("pad_token_id", 1)
        tokenizer.enable_truncation(int(text.get("max_position_embeddings", 77)))
        tokenizer.no_padding()
        if end != 2 and end not in tokenizer.encode("a").ids:  # 2 is an old default that transformers ignores
            raise MetricInputError(
                f"CLIP {self.name}: tokenizer.json does not end a text with token {end}, the end token of "
                "config.json, where a text's embedding is read; save the tokenizer with its post-processor"
            )
        tokenizer.enable_padding(pad_id=int(pad), pad_token=tokenizer.id_to_token(int(pad)) or "[PAD]")
        return tokenizer


def cmmd_clip(source: str | Path) -> ClipExtractor:
    """CLIP for CMMD, pictures resized as published; the published network is ViT-L/14 at 336 pixels."""
    return ClipExtractor(source, resize="cmmd")


def _square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """The whole picture as a square, bicubic without antialiasing; float32 [size, size, 3] in about 0..1."""
    import torch
    from torch.nn.functional import interpolate

    picture = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).permute(2, 0, 1)[None]
    return interpolate(picture, size=(size, size), mode="bicubic")[0].permute(1, 2, 0).numpy()


def _pooled(output: Any) -> torch.Tensor:
    """The embedding itself: transformers 5 wraps it, transformers 4 does not."""
    pooled: torch.Tensor = getattr(output, "pooler_output", output)
    return pooled
