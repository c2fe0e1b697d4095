"""The Stable Diffusion's VAE: 64 by 64 pixels to 8 by 8 latents of 8 channels, and back."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL

    from toyworld.splits import Split

RECIPE = Recipe("autoencoder", steps=1600, batch=16, learning_rate=2e-3, average=0.995)
_KL_WEIGHT = 1e-5


def model() -> AutoencoderKL:
    """An autoencoder of diffusers' own class with random weights."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 96),
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=8,
        sample_size=64,
        mid_block_add_attention=False,
    )


def pictures(split: Split, seed: int, count: int) -> torch.Tensor:
    """Pictures of a split's scenes, float32 [count, 3, 64, 64] in [-1, 1]."""
    import numpy as np
    import torch

    from toyworld.render import pixels
    from toyworld.splits import stream

    stack = np.stack([pixels(s) for s in itertools.islice(stream(split, seed), count)])
    batch: torch.Tensor = torch.from_numpy(stack).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return batch


def pretrain(work: Path, recipe: Recipe = RECIPE) -> tuple[AutoencoderKL, dict[str, float]]:
    """Train the autoencoder and fix its scaling factor (one over the latents' standard deviation)."""
    import torch

    torch.manual_seed(recipe.seed)
    vae = model()

    def loss(step: int) -> torch.Tensor:
        batch = pictures("train", 1 + hash_seed(recipe, step), recipe.batch)
        posterior = vae.encode(batch).latent_dist
        error = vae.decode(posterior.sample()).sample - batch
        total: torch.Tensor = (
            error.abs().mean() + 4 * error.pow(2).mean() + _KL_WEIGHT * posterior.kl().mean()
        )
        return total

    fit(recipe, vae, loss, work)
    vae.eval()
    with torch.no_grad():
        batch = pictures("validation", 0, 256)
        latents = vae.encode(batch).latent_dist.mode()
        vae.register_to_config(scaling_factor=float(1 / latents.std()))
        error = (vae.decode(latents).sample.clamp(-1, 1) - batch) / 2
    return vae, {"held_out_psnr_db": float(-10 * torch.log10(error.pow(2).mean()))}
