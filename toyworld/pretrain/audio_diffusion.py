"""The AudioLDM: a UNet over the mel autoencoder's latents, told by the CLAP's text tower what to play.

As in AudioLDM, it learns from what the CLAP hears and is used with what it reads: a vector of unit length.
Half of the steps show it the vector of a text instead, and at last all of them: in a CLAP this small the two
do not quite meet. The vocoder is Griffin and Lim's method.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import ClapModel, PreTrainedTokenizerFast

    from toyworld.sounds.sound import Sound

RECIPE = Recipe(
    "audio_diffusion",
    steps=4000,
    batch=16,
    learning_rate=1e-3,
    warmup=200,
    average=0.999,
    precision="bfloat16",
)
# Afterwards once more over the same sounds, from the weights in which the first piece ended.
REVISION = replace(RECIPE, name="audio_diffusion_revision", steps=700, learning_rate=6e-4, warmup=50, seed=1)
# At last by texts alone, which is what it will be told.
TOLD = replace(RECIPE, name="audio_diffusion_told", steps=2400, learning_rate=8e-4, seed=2)
NEEDS = ("clap", "mel_autoencoder")
POOL = 8_000  # sounds whose latents are computed once
HELD_OUT, STEPS, GUIDANCE = 40, 20, 2.0  # of the measurement
_NO_TEXT, _HEARD = 0.1, 0.5  # shares of steps without text, and with the sound's own vector


def unet(width: int) -> UNet2DConditionModel:
    """AudioLDM's UNet with random weights: the condition goes beside the time into every block."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=50,
        in_channels=8,
        out_channels=8,
        layers_per_block=1,
        block_out_channels=(64, 112),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=(64, 112),
        attention_head_dim=8,
        norm_num_groups=16,
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=width,
        class_embeddings_concat=True,
    )


def pretrain(
    work: Path, folder: Path, recipe: Recipe = RECIPE, revision: Recipe = REVISION, told: Recipe = TOLD
) -> dict[str, float]:
    """Train on the parts that `work` holds, save the whole pipeline in half precision, and measure."""
    import torch
    from diffusers import AudioLDMPipeline, AutoencoderKL
    from transformers import AutoTokenizer, ClapModel, ClapTextModelWithProjection

    from toyworld.pretrain.clap import WIDTH
    from toyworld.pretrain.diffusion import scheduler
    from toyworld.sounds.vocoder import GriffinLim

    clap = ClapModel.from_pretrained(work / "clap", dtype=torch.float32).eval().requires_grad_(False)
    vae = AutoencoderKL.from_pretrained(work / "mel_autoencoder", torch_dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(work / "clap")
    torch.manual_seed(recipe.seed)
    model = unet(WIDTH)
    noise = scheduler()
    sounds, latents, tones = _latents(clap, vae)

    def loss(piece: Recipe, heard: float, step: int) -> torch.Tensor:
        rng = random.Random(hash_seed(piece, step))
        rows = rng.sample(range(len(sounds)), piece.batch)
        if rng.random() < heard:
            vectors = tones[rows]
        else:
            vectors = words(clap, tokenizer, [sounds[row] for row in rows], rng)
        without = torch.tensor([rng.random() < _NO_TEXT for _ in rows])
        empty = texts(clap, tokenizer, [""])
        return _denoising_loss(model, noise, latents[rows], torch.where(without[:, None], empty, vectors))

    for piece, heard in ((recipe, _HEARD), (revision, _HEARD), (told, 0.0)):
        fit(piece, model, partial(loss, piece, heard), work)
    pipeline = AudioLDMPipeline(
        vae=vae,
        text_encoder=_text_tower(clap, ClapTextModelWithProjection),
        tokenizer=tokenizer,
        unet=model.eval(),
        scheduler=noise,
        vocoder=GriffinLim(),
    )
    figures = _measured(pipeline)
    pipeline.to(torch.float16).save_pretrained(folder)
    return figures


def texts(clap: ClapModel, tokenizer: PreTrainedTokenizerFast, prompts: list[str]) -> torch.Tensor:
    """What the pipeline will be told: unit vectors of texts at full length, float [B, D]."""
    import torch
    from torch.nn.functional import normalize

    inputs = tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")
    with torch.no_grad():
        read = clap.text_model(inputs["input_ids"], attention_mask=inputs["attention_mask"]).pooler_output
        return normalize(clap.text_projection(read), dim=-1)


def words(
    clap: ClapModel, tokenizer: PreTrainedTokenizerFast, sounds: list[Sound], rng: random.Random
) -> torch.Tensor:
    """Unit vectors of one wording of each sound, float [B, D]."""
    from toyworld.sounds.language import captions

    return texts(clap, tokenizer, [rng.choice(captions(sound, rng)) for sound in sounds])


def _text_tower(clap: ClapModel, tower: Any) -> Any:
    """The text half of a CLAP as the class that AudioLDM holds."""
    model = tower(clap.config.text_config)
    model.load_state_dict(
        {n: t for n, t in clap.state_dict().items() if n.startswith(("text_model.", "text_projection."))}
    )
    return model


def _denoising_loss(
    model: UNet2DConditionModel, noise: Any, latents: torch.Tensor, told: torch.Tensor
) -> torch.Tensor:
    """Mean squared error of the predicted velocity at random times."""
    import torch
    from torch.nn import functional

    epsilon = torch.randn_like(latents)
    times = torch.randint(0, noise.config.num_train_timesteps, (len(latents),))
    noisy = noise.add_noise(latents, epsilon, times)
    predicted = model(noisy, times, encoder_hidden_states=None, class_labels=told).sample
    return functional.mse_loss(predicted, noise.get_velocity(latents, epsilon, times))


def _measured(pipeline: Any) -> dict[str, float]:
    """The share of held-out prompts whose sound the oracle hears right, by number of events."""
    import torch

    from nextgpt.media import Audio
    from toyworld.sounds.language import describe
    from toyworld.sounds.oracle import hear
    from toyworld.sounds.render import RATE
    from toyworld.sounds.sound import sound_f1
    from toyworld.splits import sounds

    held_out = sounds("validation", HELD_OUT)
    waves = pipeline(
        [describe(sound) for sound in held_out],
        audio_length_in_s=2.0,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(0),
    ).audios
    heard = [hear(Audio(wave.clip(-1, 1), RATE)) for wave in waves]
    one = [h.sound == s for h, s in zip(heard, held_out, strict=True) if len(s.events) == 1]
    f1 = [sound_f1(h.events, s) for h, s in zip(heard, held_out, strict=True)]
    right = [h.sound == s for h, s in zip(heard, held_out, strict=True)]
    return {
        "held_out_heard_right": sum(right) / HELD_OUT,
        "held_out_heard_right_of_one_event": sum(one) / max(1, len(one)),
        "held_out_attribute_f1": sum(f1) / HELD_OUT,
    }


def _latents(clap: ClapModel, vae: AutoencoderKL) -> tuple[list[Sound], torch.Tensor, torch.Tensor]:
    """Sounds, their scaled latents [count, 8, 50, 16] and what the CLAP hears in them [count, D]."""
    import torch
    from torch.nn.functional import normalize

    from toyworld.pretrain.clap import front_end
    from toyworld.pretrain.mel_autoencoder import heard
    from toyworld.sounds.render import samples

    sounds, mels = heard("train", 2, POOL)
    latents, tones = [], []
    with torch.no_grad():
        for start in range(0, POOL, 32):
            part = mels[start : start + 32].float()
            latents.append(vae.encode(part).latent_dist.mode() * vae.config.scaling_factor)
            waves = [front_end(samples(sounds[start + k], start + k)) for k in range(len(part))]
            tone = clap.audio_model(
                input_features=torch.stack([torch.from_numpy(wave) for wave in waves]),
                is_longer=torch.zeros(len(part), 1, dtype=torch.bool),
            ).pooler_output
            tones.append(normalize(clap.audio_projection(tone), dim=-1))
    return sounds, torch.cat(latents), torch.cat(tones)
