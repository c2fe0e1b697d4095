"""The AudioLDM's VAE: 200 frames by 64 mel bins to 50 by 16 latents of 8 channels, and back."""

from __future__ import annotations

import itertools
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL

    from toyworld.sounds.sound import Sound
    from toyworld.splits import Split

RECIPE = Recipe("mel_autoencoder", steps=2500, batch=8, learning_rate=2e-3, average=0.998)
POOL = 4_000  # sounds that are played once
HELD_OUT = 50
_KL_WEIGHT = 1e-5


def model() -> AutoencoderKL:
    """An autoencoder of diffusers' own class with random weights."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=8,
        sample_size=200,
        mid_block_add_attention=False,
    )


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train, fix the scaling factor, save in half precision, and measure on held-out sounds.

    Returns:
        The mean error in nepers, and the share of held-out sounds that the oracle still hears right after
        Griffin and Lim's method: the most that a diffusion model on these latents can reach.
    """
    import torch

    torch.manual_seed(recipe.seed)
    vae = model()

    def loss(step: int) -> torch.Tensor:
        rng = random.Random(hash_seed(recipe, step))
        batch = _pool()[1][rng.sample(range(POOL), recipe.batch)].float()
        posterior = vae.encode(batch).latent_dist
        error = vae.decode(posterior.sample()).sample - batch
        total: torch.Tensor = error.abs().mean() + error.pow(2).mean() + _KL_WEIGHT * posterior.kl().mean()
        return total

    fit(recipe, vae, loss, work)
    vae.eval()
    with torch.no_grad():
        sounds, mels = heard("validation", 0, HELD_OUT)
        latents = vae.encode(mels.float()).latent_dist.mode()
        vae.register_to_config(scaling_factor=float(1 / latents.std()))
        again = vae.decode(latents).sample
    vae.half().save_pretrained(folder)
    return {
        "held_out_error_nepers": float((again - mels).abs().mean()),
        "held_out_heard_right": share_heard_right(sounds, again[:, 0]),
    }


def share_heard_right(sounds: list[Sound], mels: torch.Tensor) -> float:
    """Share of sounds that the oracle hears right in log mel amplitudes [B, 200, 64]."""
    from nextgpt.media import Audio
    from toyworld.sounds.mel import griffin_lim
    from toyworld.sounds.oracle import hear
    from toyworld.sounds.render import RATE

    waves = (Audio(griffin_lim(mel.numpy()), RATE) for mel in mels)
    right = [hear(wave).sound == sound for sound, wave in zip(sounds, waves, strict=True)]
    return sum(right) / len(right)


@cache
def _pool() -> tuple[list[Sound], torch.Tensor]:
    return heard("train", 1, POOL)


def heard(split: Split, seed: int, count: int) -> tuple[list[Sound], torch.Tensor]:
    """Sounds and their log mel amplitudes, float16 [count, 1, 200, 64]."""
    import numpy as np
    import torch

    from toyworld.sounds.mel import BINS, HOP, log_mel
    from toyworld.sounds.render import SAMPLES, samples
    from toyworld.splits import sound_stream

    sounds = list(itertools.islice(sound_stream(split, seed), count))
    mels = np.empty((count, 1, SAMPLES // HOP, BINS), dtype=np.float16)
    for k, sound in enumerate(sounds):
        mels[k, 0] = log_mel(samples(sound, k))
    return sounds, torch.from_numpy(mels)
