"""Pictures from conditions: Stable Diffusion and its like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from nextgpt.decoding.decoder import Decoder
from nextgpt.media import Image
from nextgpt.messages import Modality


class ImageDecoder(Decoder[Image]):
    """A frozen text-to-image pipeline.

    Attributes:
        size: height and width of its pictures, in pixels.
    """

    modality: ClassVar[Modality] = "image"
    at_once: ClassVar[int] = 32

    @property
    def size(self) -> int:
        """Height and width of its pictures, in pixels, unless the options say otherwise."""
        own: int = self.pipeline.unet.config.sample_size * self.pipeline.vae_scale_factor
        return own

    def _empty(self) -> Tensor | None:
        empty = self.encode_text([""])
        # Stable Diffusion XL was trained with zeros in the empty text's place, and says so.
        return empty * 0 if self.pipeline.config.get("force_zeros_for_empty_prompt") else empty

    def _media(self, out: Any) -> list[Image]:
        return [Image(np.rint(pixels * 255).astype(np.uint8)) for pixels in out.images]

    @torch.no_grad()
    def encode_latents(self, media: Sequence[Image]) -> Tensor:
        """Latents float ``[B, C, h, w]`` of pictures, scaled as the UNet knows them; the posterior's mode."""
        pixels = torch.from_numpy(np.stack([image.resized(self.size, self.size).pixels for image in media]))
        return self._latents(pixels.to(self.device, self.pipeline.vae.dtype).permute(0, 3, 1, 2) / 127.5 - 1)

    def predict(self, noisy: Tensor, step: Tensor, condition: Tensor) -> Tensor:
        """What the UNet sees in noisy latents."""
        unet = self.pipeline.unet
        told = self.shape.unpack(condition.to(unet.dtype))
        besides: dict[str, Any] = {}
        if "pooled_prompt_embeds" in told:
            # Original size, crop and target size, as the pipeline tells them of a whole picture.
            sizes = torch.tensor([[self.size, self.size, 0, 0, self.size, self.size]], device=noisy.device)
            besides["added_cond_kwargs"] = {
                "text_embeds": told["pooled_prompt_embeds"],
                "time_ids": sizes.to(unet.dtype).expand(len(noisy), -1),
            }
        predicted: Tensor = unet(
            noisy, step, encoder_hidden_states=told["prompt_embeds"], return_dict=False, **besides
        )[0]
        return predicted
