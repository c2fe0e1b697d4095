"""The Stable Diffusion: text encoder and UNet trained together on the autoencoder's latents."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, PreTrainedTokenizerFast

    from toyworld.scene import Scene
    from toyworld.splits import Split

RECIPE = Recipe("diffusion", steps=2300, batch=48, learning_rate=1e-3, warmup=200, average=0.999)
POOL = 16_000  # scenes whose latents are computed once
_NO_TEXT = 0.1  # share of steps without text, for classifier-free guidance


def text_encoder(vocabulary: int, length: int) -> CLIPTextModel:
    """A CLIP text encoder 128 wide with random weights."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=length,
            projection_dim=64,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=3,
        )
    )


def unet() -> UNet2DConditionModel:
    """A conditional UNet over 8 by 8 latents with random weights."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        in_channels=8,
        out_channels=8,
        layers_per_block=1,
        block_out_channels=(96, 128),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=128,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def scheduler() -> DDIMScheduler:
    """DDIM over Stable Diffusion's noise levels, brought to zero signal at the end."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
        clip_sample=False,
        set_alpha_to_one=True,
    )


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train on the autoencoder that `work` holds, save the whole pipeline in half precision, and measure."""
    import torch
    from diffusers import StableDiffusionPipeline

    from toyworld.pretrain import autoencoder
    from toyworld.pretrain.tokenizer import LENGTH, build

    vae, figures = autoencoder.pretrain(work)
    tokenizer = build(ends=True)
    torch.manual_seed(recipe.seed)
    model = torch.nn.ModuleDict({"text": text_encoder(len(tokenizer), LENGTH), "unet": unet()})
    noise = scheduler()
    scenes, latents = encoded_scenes(vae, "train", POOL)

    def loss(step: int) -> torch.Tensor:
        from toyworld.language import captions

        rng = random.Random(hash_seed(recipe, step))
        rows = rng.sample(range(len(scenes)), recipe.batch)
        texts = ["" if rng.random() < _NO_TEXT else rng.choice(captions(scenes[row], rng)) for row in rows]
        return denoising_loss(model, tokenizer, noise, latents[rows], texts)

    fit(recipe, model, loss, work)
    model.eval()
    with torch.no_grad():
        held_out, held_latents = encoded_scenes(vae, "validation", 400)
        from toyworld.language import describe

        torch.manual_seed(0)
        texts = [describe(scene) for scene in held_out]
        figures["held_out_loss"] = float(denoising_loss(model, tokenizer, noise, held_latents, texts))
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=model["text"],
        tokenizer=tokenizer,
        unet=model["unet"],
        scheduler=noise,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(torch.float16).save_pretrained(folder)
    return figures


def denoising_loss(
    model: torch.nn.ModuleDict,
    tokenizer: PreTrainedTokenizerFast,
    noise: DDIMScheduler,
    latents: torch.Tensor,
    texts: list[str],
    weight: torch.Tensor | float = 1.0,
) -> torch.Tensor:
    """Mean squared error of the predicted velocity at random times (Salimans and Ho 2022).

    `weight`, which broadcasts to the latents, says how much each place counts.
    """
    import torch

    ids = tokenizer(
        texts,
        padding="max_length",
        truncation=True,
        max_length=tokenizer.model_max_length,
        return_tensors="pt",
    )["input_ids"]
    condition = model["text"](ids).last_hidden_state
    epsilon = torch.randn_like(latents)
    times = torch.randint(0, noise.config.num_train_timesteps, (len(latents),))
    noisy = noise.add_noise(latents, epsilon, times)
    predicted = model["unet"](noisy, times, condition).sample
    error = predicted - noise.get_velocity(latents, epsilon, times)
    loss: torch.Tensor = (weight * error.square()).mean()
    return loss


def encoded_scenes(vae: AutoencoderKL, split: Split, count: int) -> tuple[list[Scene], torch.Tensor]:
    """Scenes and their scaled latents, float32 [count, 8, 8, 8]."""
    import numpy as np
    import torch

    from toyworld.render import pixels
    from toyworld.splits import stream

    scenes = list(itertools.islice(stream(split, 7), count))
    parts = []
    with torch.no_grad():
        for start in range(0, count, 64):
            stack = np.stack([pixels(scene) for scene in scenes[start : start + 64]])
            batch = torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 127.5 - 1
            parts.append(vae.encode(batch).latent_dist.mode() * vae.config.scaling_factor)
    return scenes, torch.cat(parts)
