"""The text-to-video diffusion model of Zeroscope's class: frames side by side, with layers over time between.

It learns still pictures first, as one frame each, and then clips, as the models of its class did: where
things are is learnt from a ninth of the frames, and only what moves is left. It begins with what the
picture's diffusion model has learnt of words, and shares its autoencoder: that has seen no thing between two
cells, and still draws it (`held_out_frame_psnr_db`).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toyworld.pretrain.diffusion import denoising_loss, encoded_scenes, scheduler, text_encoder
from toyworld.pretrain.loop import Recipe, fit, hash_seed
from toyworld.pretrain.tokenizer import MEDIA_LENGTH, build_for_media

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL, UNet3DConditionModel
    from transformers import CLIPTextModel, PreTrainedTokenizerFast

Wordings = Callable[[random.Random], tuple[str, ...]]
Encoded = tuple[list[Wordings], "torch.Tensor"]

STILLS = Recipe(
    "video_diffusion_stills",
    steps=2400,
    batch=48,
    learning_rate=1.5e-3,
    warmup=200,
    precision="bfloat16",
)
RECIPE = Recipe(
    "video_diffusion",
    steps=2000,
    batch=12,
    learning_rate=1e-3,
    warmup=100,
    average=0.998,
    precision="bfloat16",
)
# At last for what happens: places where a clip changes count five times as much, or its few moving things
# would hardly count beside all that stays as it is.
MOTION = replace(RECIPE, name="video_diffusion_motion", steps=5000, average=0.999, seed=1)
NEEDS = ("diffusion",)
PICTURES, POOL = 16_000, 12_000  # pictures and clips whose latents are computed once
HELD_OUT, STEPS, GUIDANCE = 40, 20, 2.0  # of the measurement
_NO_TEXT = 0.1  # share of clips without text
_CHANGES = 0.2  # by how much a latent departs from its mean over time where something happens


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
    work: Path, folder: Path, stills: Recipe = STILLS, recipe: Recipe = RECIPE, motion: Recipe = MOTION
) -> dict[str, float]:
    """Train on the diffusion model beside `folder`, save the whole pipeline in half precision, and measure.

    Each piece ends in weights: its state stays in `work`, and the next begins with it.
    """
    import torch
    from diffusers import AutoencoderKL, TextToVideoSDPipeline

    drawing = folder.parent / "diffusion"
    vae = AutoencoderKL.from_pretrained(drawing / "vae", torch_dtype=torch.float32).eval()
    tokenizer = build_for_media(ends=True)
    torch.manual_seed(recipe.seed)
    model = torch.nn.ModuleDict({"text": _reader(drawing, tokenizer), "unet": unet()})
    noise = scheduler()

    def loss(piece: Recipe, encoded: Callable[[], Encoded], moving: float, step: int) -> torch.Tensor:
        wordings, latents = encoded()
        rng = random.Random(hash_seed(piece, step))
        rows = rng.sample(range(len(wordings)), piece.batch)
        texts = ["" if rng.random() < _NO_TEXT else rng.choice(wordings[row](rng)) for row in rows]
        shown = latents[rows].float()
        weight = 1 + (moving - 1) * _happens(shown) if moving != 1 else 1.0
        return denoising_loss(model, tokenizer, noise, shown, texts, weight)

    # Encoded when a step asks for them: a piece that is done asks no more.
    pictures, clips = cache(partial(_stills, vae)), cache(partial(_clips, vae))
    for piece, encoded, moving in ((stills, pictures, 1.0), (recipe, clips, 1.0), (motion, clips, 5.0)):
        fit(piece, model, partial(loss, piece, encoded, moving), work)
    model.eval()
    pipeline = TextToVideoSDPipeline(
        vae=vae, text_encoder=model["text"], tokenizer=tokenizer, unet=model["unet"], scheduler=noise
    )
    figures = _measured(pipeline)
    pipeline.to(torch.float16).save_pretrained(folder)
    return figures


def _reader(folder: Path, tokenizer: PreTrainedTokenizerFast) -> CLIPTextModel:
    """A text encoder that knows what the picture's has learnt: all layers, and the words that both have."""
    import torch
    from transformers import AutoTokenizer, CLIPTextModel

    known = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    rows = AutoTokenizer.from_pretrained(folder / "tokenizer").get_vocab()
    reader = text_encoder(len(tokenizer), MEDIA_LENGTH)
    theirs, ours = known.state_dict(), reader.state_dict()
    both = [(row, rows[token]) for token, row in tokenizer.get_vocab().items() if token in rows]
    for name, value in theirs.items():
        if name.endswith("token_embedding.weight"):
            ours[name][[row for row, _ in both]] = value[[row for _, row in both]]
        else:  # the same, but for the longer texts' places
            ours[name][: len(value)] = value
    return reader


def _happens(latents: torch.Tensor) -> torch.Tensor:
    """Where clips change, 1, and 0 elsewhere: float32 [B, 1, 9, 8, 8] of latents [B, 8, 9, 8, 8]."""
    departs = (latents - latents.mean(2, keepdim=True)).abs().mean(1, keepdim=True)
    return (departs > _CHANGES).float()


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


def _stills(vae: AutoencoderKL) -> Encoded:
    """Ways to word pictures, and their scaled latents as clips of one frame, float32 [count, 8, 1, 8, 8]."""
    from toyworld.language import captions

    scenes, latents = encoded_scenes(vae, "train", PICTURES)
    return [partial(captions, scene) for scene in scenes], latents.unsqueeze(2)


def _clips(vae: AutoencoderKL) -> Encoded:
    """Ways to word clips, and their scaled latents, float16 [count, 8, 9, 8, 8]."""
    import numpy as np
    import torch

    from toyworld.clips.language import captions
    from toyworld.clips.render import frames
    from toyworld.splits import clip_stream

    clips = list(itertools.islice(clip_stream("train", 7), POOL))
    latents = torch.empty(POOL, 8, 9, 8, 8, dtype=torch.float16)
    with torch.no_grad():
        for k, clip in enumerate(clips):  # frames that are alike are encoded once
            shown = frames(clip)
            first: dict[bytes, int] = {}
            places = [first.setdefault(frame.tobytes(), len(first)) for frame in shown]
            different = np.stack([shown[places.index(place)] for place in first.values()])
            encoded = vae.encode(_tensor(different)).latent_dist.mode() * vae.config.scaling_factor
            latents[k] = encoded[places].transpose(0, 1)
    return [partial(captions, clip) for clip in clips], latents
