"""The latent denoising loss: how badly a frozen diffusion model, told a condition, removes noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from nextgpt.errors import ConfigError

if TYPE_CHECKING:
    from nextgpt.decoding.conditions import Condition


class Denoising(ABC):
    """What a decoder needs so that the denoising of its latents can be a loss."""

    pipeline: Any
    shape: Condition

    @cached_property
    def noising(self) -> Any:
        """The schedule of training noise.

        The inference scheduler may skip steps; training noise is always that of the full schedule.

        Raises:
            ConfigError: the pipeline learns by flow matching, whose loss is another.
        """
        from diffusers import DDPMScheduler

        if "beta_schedule" not in self.pipeline.scheduler.config:
            raise ConfigError(
                f"{type(self.pipeline).__name__} has no schedule of noise that the denoising loss knows; "
                "set its weight to 0 (losses: {denoising: 0}) and train by alignment alone"
            )
        return DDPMScheduler.from_config(self.pipeline.scheduler.config)

    @abstractmethod
    def predict(self, noisy: Tensor, step: Tensor, condition: Tensor) -> Tensor:
        """What the diffusion model sees in noisy latents.

        Args:
            noisy: float, latents with noise.
            step: int64 ``[B]``.
            condition: float ``[B, length, width]``; gradients flow into it.
        """

    def denoising_loss(
        self, condition: Tensor, latents: Tensor, generator: torch.Generator, *, min_snr: float = 0.0
    ) -> Tensor:
        """How badly the frozen diffusion model, told `condition`, removes noise from `latents`.

        The target follows the scheduler's prediction type. With ``min_snr`` the weight of a step with
        signal-to-noise ratio s is min(s, gamma) / s for noise, over s + 1 for velocity (Hang et al. 2023).

        Args:
            condition: float ``[B, length, width]``; gradients flow into it.
            latents: float ``[B, C, ...]`` from `encode_latents`.
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
        predicted = self.predict(noisy, step, condition)
        each = functional.mse_loss(predicted.float(), target.float(), reduction="none").flatten(1).mean(1)
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
