"""Clips from conditions: Zeroscope and its like, Wan, CogVideoX."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from nextgpt.decoding.conditions import Condition
from nextgpt.decoding.decoder import Decoder
from nextgpt.errors import ConfigError
from nextgpt.media import Image, Video
from nextgpt.messages import Modality

FPS = 8.0  # the released code writes its clips so


class VideoDecoder(Decoder[Video]):
    """A frozen text-to-video pipeline.

    Args:
        pipeline: of diffusers.
        condition: what it is told.
        options: what its call takes besides, and ``fps``, the frames per second of its clips, 8 by default.
    """

    modality: ClassVar[Modality] = "video"
    at_once: ClassVar[int] = 2

    def __init__(self, pipeline: Any, condition: Condition, options: Mapping[str, Any] | None = None) -> None:
        chosen = dict(options or {})
        self.fps = float(chosen.pop("fps", FPS))
        super().__init__(pipeline, condition, chosen)

    def _media(self, out: Any) -> list[Video]:
        return [Video(np.rint(frames * 255).astype(np.uint8), self.fps) for frames in np.asarray(out.frames)]

    @property
    def _call(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(type(self.pipeline).__call__).parameters

    def _unet(self) -> Any:
        if "unet" not in self.pipeline.components:
            raise ConfigError(
                f"{type(self.pipeline).__name__}: its denoising is no loss here; set its weight to 0 "
                "(losses: {denoising: 0}) and train by alignment alone"
            )
        return self.pipeline.unet

    @torch.no_grad()
    def encode_latents(self, media: Sequence[Video]) -> Tensor:
        """Latents float ``[B, C, F, h, w]`` of clips, scaled as the UNet knows them; the posterior's mode.

        A clip gives as many frames, evenly spread, as the pipeline makes; a clip with fewer frames shows some
        of them longer.
        """
        pipeline, vae = self.pipeline, self.pipeline.vae
        own = self._unet().config.sample_size * pipeline.vae_scale_factor
        height, width = self.options.get("height", own), self.options.get("width", own)
        count = self.options.get("num_frames", self._call["num_frames"].default)
        latents = []
        for video in media:
            places = np.linspace(0, len(video.frames) - 1, count).round().astype(int)
            frames = np.stack([Image(video.frames[k]).resized(width, height).pixels for k in places])
            tensor = torch.from_numpy(frames).to(self.device, vae.dtype).permute(0, 3, 1, 2) / 127.5 - 1
            latents.append(self._latents(tensor).transpose(0, 1))
        return torch.stack(latents)

    def predict(self, noisy: Tensor, step: Tensor, condition: Tensor) -> Tensor:
        """What the UNet sees in noisy latents."""
        unet = self._unet()
        told = self.shape.unpack(condition.to(unet.dtype))
        predicted: Tensor = unet(noisy, step, encoder_hidden_states=told["prompt_embeds"], return_dict=False)[
            0
        ]
        return predicted
