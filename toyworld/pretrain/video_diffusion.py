"""The text-to-video diffusion model of Zeroscope's class: frames side by side, with layers over time between.

Text encoder and UNet are trained together, as those of the picture's diffusion model, whose autoencoder it
shares: that has seen no thing between two cells, and still draws it (`held_out_frame_psnr_db`).
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL, UNet3DConditionModel

    from toyworld.clips.clip import Clip
    from toyworld.splits import Split

RECIPE = Recipe(
    "video_diffusion",
    steps=3000,
    batch=12,
    learning_rate=1e-3,
    warmup=200,
    average=0.999,
    precision="bfloat16",
)
# Afterwards once more over the same clips, from the weights in which the first piece ended.
REVISION = replace(RECIPE, name="video_diffusion_revision", learning_rate=8e-4, seed=1)
NEEDS = ("diffusion",)
POOL = 12_000  # clips whose latents are computed once
HELD_OUT, STEPS, GUIDANCE = 40, 20, 2.0  # of the measurement
_NO_TEXT = 0.1  # share of clips without text


def unet() -> UNet3DConditionModel:
    """A conditional UNet over 9 frames of 8 by 8 latents with random weights."""
    from diffusers import UNet3DConditionModel

    return UNet3DConditionModel(
        sample_size=8,
        in_channels=8,
        out_channels=8,
        layers_per_block=1,
        block_out_channels=(48, 112),
        down_block_types=("CrossAttnDownBlock3D", "CrossAttnDownBlock3D"),
        up_block_types=("CrossAttnUpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=128,
        attention_head_dim=16,
        norm_num_groups=16,
    )


def pretrain(
    work: Path, folder: Path, recipe: Recipe = RECIPE, revision: Recipe = REVISION
) -> dict[str, float]:
    """Train on the autoencoder beside `folder`, save the whole pipeline in half precision, and measure.

    Both pieces end in weights: of the first, the state stays in `work`, and the second begins with it.
    """
    import torch
    from diffusers import AutoencoderKL, TextToVideoSDPipeline

    from toyworld.clips.language import captions
    from toyworld.pretrain.diffusion import denoising_loss, scheduler, text_encoder
    from toyworld.pretrain.tokenizer import MEDIA_LENGTH, build_for_media

    vae = AutoencoderKL.from_pretrained(folder.parent / "diffusion" / "vae", torch_dtype=torch.float32).eval()
    tokenizer = build_for_media(ends=True)
    torch.manual_seed(recipe.seed)
    model = torch.nn.ModuleDict({"text": text_encoder(len(tokenizer), MEDIA_LENGTH), "unet": unet()})
    noise = scheduler()
    clips, latents = _latents(vae)

    def loss(piece: Recipe, step: int) -> torch.Tensor:
        rng = random.Random(hash_seed(piece, step))
        rows = rng.sample(range(len(clips)), piece.batch)
        texts = ["" if rng.random() < _NO_TEXT else rng.choice(captions(clips[row], rng)) for row in rows]
        return denoising_loss(model, tokenizer, noise, latents[rows].float(), texts)

    for piece in (recipe, revision):
        fit(piece, model, partial(loss, piece), work)
    model.eval()
    pipeline = TextToVideoSDPipeline(
        vae=vae, text_encoder=model["text"], tokenizer=tokenizer, unet=model["unet"], scheduler=noise
    )
    figures = _measured(pipeline)
    pipeline.to(torch.float16).save_pretrained(folder)
    return figures


def _measured(pipeline: Any) -> dict[str, float]:
    """The share of held-out prompts whose clip the oracle sees right, and how well frames are encoded."""
    import numpy as np
    import torch

    from nextgpt.media import Video
    from toyworld.clips.clip import clip_f1
    from toyworld.clips.language import describe
    from toyworld.clips.oracle import watch
    from toyworld.clips.render import FPS, FRAMES, frames
    from toyworld.splits import clips

    held_out = clips("validation", HELD_OUT)
    made = pipeline(
        [describe(clip) for clip in held_out],
        num_frames=FRAMES,
        height=64,
        width=64,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).frames
    seen = [watch(Video(np.rint(clip * 255).astype(np.uint8), FPS)) for clip in np.asarray(made)]
    f1 = [clip_f1(w.actors, clip) for w, clip in zip(seen, held_out, strict=True)]
    right = [w.clip == clip for w, clip in zip(seen, held_out, strict=True)]
    one = [found for found, clip in zip(right, held_out, strict=True) if len(clip.actors) == 1]
    with torch.no_grad():
        drawn = _tensor(np.concatenate([frames(clip) for clip in held_out[:10]]))
        again = pipeline.vae.decode(pipeline.vae.encode(drawn).latent_dist.mode()).sample.clamp(-1, 1)
    return {
        "held_out_frame_psnr_db": float(-10 * torch.log10(((again - drawn) / 2).pow(2).mean())),
        "held_out_seen_right": sum(right) / HELD_OUT,
        "held_out_seen_right_of_one_thing": sum(one) / max(1, len(one)),
        "held_out_attribute_f1": sum(f1) / HELD_OUT,
    }


def _tensor(frames: Any) -> torch.Tensor:
    """Frames uint8 [N, 64, 64, 3] as float32 [N, 3, 64, 64] in [-1, 1]."""
    import torch

    pixels: torch.Tensor = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels


def _latents(vae: AutoencoderKL, split: Split = "train") -> tuple[list[Clip], torch.Tensor]:
    """Clips and their scaled latents, float16 [count, 8, 9, 8, 8]; frames that are alike are encoded once."""
    import numpy as np
    import torch

    from toyworld.clips.render import frames
    from toyworld.splits import clip_stream

    clips = list(itertools.islice(clip_stream(split, 7), POOL))
    latents = torch.empty(POOL, 8, 9, 8, 8, dtype=torch.float16)
    with torch.no_grad():
        for k, clip in enumerate(clips):
            shown = frames(clip)
            first: dict[bytes, int] = {}
            places = [first.setdefault(frame.tobytes(), len(first)) for frame in shown]
            different = np.stack([shown[places.index(place)] for place in first.values()])
            encoded = vae.encode(_tensor(different)).latent_dist.mode() * vae.config.scaling_factor
            latents[k] = encoded[places].transpose(0, 1)
    return clips, latents
