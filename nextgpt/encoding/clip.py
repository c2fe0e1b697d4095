"""CLIP in ImageBind's place: pictures and clips in, patch tokens out; it hears nothing.

The head's LayerNorm and projection are applied to every token, and each is L2-normalised, as NExT-GPT
does with ImageBind's, so that whatever reads the tokens need not know whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt.encoding.preprocessing import moments, preprocess_image
from nextgpt.errors import ConfigError
from nextgpt.media import Medium, Video
from nextgpt.messages import Modality
from nextgpt.weights.files import refuse_made_up, refuse_not_finite, variant_of


class Clip(nn.Module):
    """The vision half of a CLIP.

    Args:
        vision: a `CLIPVisionModelWithProjection` of transformers.
    """

    reads: frozenset[Modality] = frozenset({"image", "video"})

    def __init__(self, vision: Any) -> None:
        super().__init__()
        self.vision = vision
        self.size: int = vision.config.image_size
        self.out_dim: int = vision.config.projection_dim

    @classmethod
    def load(cls, folder: Path) -> Clip:
        """Read a CLIP, whole or its vision half, from a folder as transformers saves it.

        Raises:
            ConfigError: the folder holds none.
        """
        from transformers import CLIPVisionModelWithProjection

        try:
            vision, about = CLIPVisionModelWithProjection.from_pretrained(
                folder,
                local_files_only=True,
                variant=variant_of(folder.glob("*")),
                weights_only=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused by name
            )
        except Exception as error:  # files are read by half a dozen libraries
            raise ConfigError(f"{folder}: no CLIP that transformers can load: {error}") from error
        refuse_made_up(str(folder), about)
        refuse_not_finite(str(folder), vision.named_parameters())
        return cls(vision)

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """Tokens of pictures, or of clips: float ``[N, 1 + P, out_dim]``, the CLS token first.

        Of a clip, the frames that ImageBind would look at are seen one by one, and their tokens averaged
        place by place.
        """
        return torch.stack([self._tokens(self._frames(medium)).mean(0) for medium in media])

    def _frames(self, medium: Medium) -> Tensor:
        """Float ``[F, 3, size, size]``; CLIP resizes, crops and normalises as ImageBind, which copied it."""
        if isinstance(medium, Video):
            chosen = sorted({k for piece in moments(len(medium.frames), medium.fps) for k in piece})
            return torch.stack([preprocess_image(medium.frames[k], self.size) for k in chosen])
        if medium.modality == "audio":
            raise ValueError("CLIP hears nothing; take ImageBind for sounds")
        return preprocess_image(medium.pixels, self.size).unsqueeze(0)

    def _tokens(self, pixels: Tensor) -> Tensor:
        weight = self.vision.visual_projection.weight
        hidden = self.vision(pixel_values=pixels.to(weight.device, weight.dtype)).last_hidden_state
        normed = self.vision.vision_model.post_layernorm(hidden)
        tokens: Tensor = functional.normalize(self.vision.visual_projection(normed), dim=-1)
        return tokens
