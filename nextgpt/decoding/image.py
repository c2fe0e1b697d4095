"""Pictures from conditions: a frozen Stable Diffusion of diffusers, told what to draw by embeddings.

Shapes are read from the pipeline. The noise of each picture comes from its own seed, so what else is in
the batch, and where, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt.config import ConfigError
from nextgpt.media import Image

_AT_ONCE = 32


class ImageDecoder:
    """A frozen text-to-image pipeline.

    Args:
        pipeline: a `StableDiffusionPipeline`; its parameters are frozen here.
    """

    def __init__(self, pipeline: Any) -> None:
        from diffusers import DDPMScheduler

        self.pipeline = pipeline
        self.pipeline.set_progress_bar_config(disable=True)
        for part in self.parts().values():
            part.requires_grad_(False)
            part.eval()
        # The inference scheduler may skip steps; training noise is always that of the full schedule.
        self.noising = DDPMScheduler.from_config(pipeline.scheduler.config)
        self.length: int = pipeline.tokenizer.model_max_length
        self.width: int = pipeline.unet.config.cross_attention_dim
        self.size: int = pipeline.unet.config.sample_size * pipeline.vae_scale_factor

    @classmethod
    def load(cls, folder: Path, dtype: torch.dtype, device: torch.device) -> ImageDecoder:
        """Read a pipeline from a folder as diffusers saves it.

        Raises:
            ConfigError: the folder holds no such pipeline.
        """
        try:
            with _hushed():
                from diffusers import StableDiffusionPipeline

                pipeline = StableDiffusionPipeline.from_pretrained(
                    folder,
                    local_files_only=True,
                    use_safetensors=True,
                    safety_checker=None,
                    feature_extractor=None,
                    requires_safety_checker=False,
                )
                # Some parts come in the type of their files, others do not: the cast makes them one.
                return cls(pipeline.to(device, dtype))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{folder}: no Stable Diffusion that diffusers can load: {error}") from error

    def parts(self) -> dict[str, nn.Module]:
        """The frozen networks by name."""
        return {name: getattr(self.pipeline, name) for name in ("unet", "vae", "text_encoder")}

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self.pipeline.unet.device
        return device

    @torch.no_grad()
    def generate(
        self, condition: Tensor, seeds: Sequence[int], *, steps: int, guidance: float
    ) -> list[Image]:
        """Draw a picture for each condition.

        Args:
            condition: float ``[B, length, width]``, what the text encoder would give.
            seeds: one for each; a picture depends on its condition and its seed alone.
            steps: denoising steps.
            guidance: classifier-free guidance scale against the empty text; 1 turns it off.

        Returns:
            Pictures of `size` by `size` pixels.
        """
        pictures: list[Image] = []
        empty = self.encode_text([""])
        for start in range(0, len(seeds), _AT_ONCE):
            part = condition[start : start + _AT_ONCE].to(self.device, empty.dtype)
            # Noise is drawn on the CPU: a GPU would draw another for the same seed.
            generators = [torch.Generator().manual_seed(seed) for seed in seeds[start : start + _AT_ONCE]]
            out = self.pipeline(
                prompt_embeds=part,
                negative_prompt_embeds=empty.expand(len(part), -1, -1),
                generator=generators,
                num_inference_steps=steps,
                guidance_scale=guidance,
                output_type="np",
            )
            pictures += [Image(np.rint(pixels * 255).astype(np.uint8)) for pixels in out.images]
        return pictures

    def generate_from_text(
        self, prompts: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float
    ) -> list[Image]:
        """Draw a picture for each prompt, by the pipeline's own text encoder."""
        if not prompts:
            return []
        return self.generate(self.encode_text(prompts), seeds, steps=steps, guidance=guidance)

    @torch.no_grad()
    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """The pipeline's own condition float ``[B, length, width]`` of prompts; long ones are cut off."""
        embeds: Tensor = self.pipeline.encode_prompt(
            list(prompts), self.device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )[0]
        return embeds

    @torch.no_grad()
    def encode_latents(self, images: Sequence[Image]) -> Tensor:
        """Latents float ``[B, C, h, w]`` of pictures, scaled as the UNet knows them; the posterior's mode."""
        vae = self.pipeline.vae
        pixels = np.stack([image.resized(self.size, self.size).pixels for image in images])
        tensor = torch.from_numpy(pixels).to(self.device, vae.dtype).permute(0, 3, 1, 2) / 127.5 - 1
        latents: Tensor = vae.encode(tensor).latent_dist.mode() * vae.config.scaling_factor
        return latents

    def denoising_loss(
        self, condition: Tensor, latents: Tensor, generator: torch.Generator, *, min_snr: float = 0.0
    ) -> Tensor:
        """How badly the frozen UNet, told `condition`, removes noise from `latents`.

        The target follows the scheduler's prediction type. With ``min_snr`` the weight of a step with
        signal-to-noise ratio s is min(s, gamma) / s for noise, over s + 1 for velocity (Hang et al. 2023).

        Args:
            condition: float ``[B, length, width]``; gradients flow into it.
            latents: float ``[B, C, h, w]`` from `encode_latents`.
            generator: draws steps and noise, on the CPU.
            min_snr: gamma; 0 weighs all steps alike.

        Returns:
            float scalar.
        """
        steps = self.noising.config.num_train_timesteps
        step = torch.randint(steps, (len(latents),), generator=generator).to(latents.device)
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        noisy = self.noising.add_noise(latents, noise, step)
        kind = self.noising.config.prediction_type
        if kind == "epsilon":
            target = noise
        elif kind == "v_prediction":
            target = self.noising.get_velocity(latents, noise, step)
        else:
            target = latents
        unet = self.pipeline.unet
        predicted = unet(noisy, step, encoder_hidden_states=condition.to(unet.dtype), return_dict=False)[0]
        each = functional.mse_loss(predicted.float(), target.float(), reduction="none").mean((1, 2, 3))
        if min_snr:
            each = each * self._snr_weight(step, kind, min_snr)
        return each.mean()

    def _snr_weight(self, step: Tensor, kind: str, gamma: float) -> Tensor:
        alpha: Tensor = self.noising.alphas_cumprod.to(step.device)[step]
        snr = alpha / (1 - alpha)
        capped = snr.clamp(max=gamma)
        if kind == "epsilon":
            # Schedules rescaled to zero terminal SNR have a last step at which noise cannot be predicted.
            return capped / snr.clamp(min=1e-8)
        return capped / (snr + 1) if kind == "v_prediction" else capped


@contextmanager
def _hushed() -> Iterator[None]:
    """No bars, and no warnings of image processors that no one asked for."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    both = (diffusers_logging, transformers_logging)
    before = [library.get_verbosity() for library in both]
    for library in both:
        library.set_verbosity_error()
    try:
        yield
    finally:
        for library, verbosity in zip(both, before, strict=True):
            library.set_verbosity(verbosity)
