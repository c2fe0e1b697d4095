"""The CLAP that tells the AudioLDM what to play: a text and an audio tower in one space.

Contrast alone leaves it open which of near sounds are told apart; so every second sound of a batch is an
edit of the one before, and a linear read-out of both embeddings, thrown away afterwards, says what each third
holds.
"""

from __future__ import annotations

import itertools
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import ClapModel, PreTrainedTokenizerFast

    from toyworld.sounds.sound import Sound
    from toyworld.splits import Split

RECIPE = Recipe("clap", steps=3000, batch=48, learning_rate=1e-3, warmup=100, average=0.998)
WIDTH = 128  # of the space
FRAMES = 256  # to which two seconds, 201 frames, are stretched
POOL = 8_000  # sounds that are played once
# What it tells the AudioLDM must hold every attribute: the read-out weighs more than contrast, and the text
# tower is wider. At a half and 96, of 200 held-out sounds 0.50 were read out of their texts.
TEXT_WIDTH, READOUT = 160, 2.0
_CLASSES = (5, 3, 3, 4)  # of each third: timbre, pitch, loudness and repeats, the first for none


def model(vocabulary: int, length: int, width: int = TEXT_WIDTH) -> ClapModel:
    """A CLAP of transformers' own class with random weights: a RoBERTa and a small Swin over 64 mel bins.

    Args:
        vocabulary: Token ids.
        length: Longest text in tokens.
        width: Of the text tower; the audio tower's two stages are 48 and 96 wide.
    """
    from transformers import ClapAudioConfig, ClapConfig, ClapModel, ClapTextConfig

    text = ClapTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=length + 1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        projection_dim=WIDTH,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=3,
    )
    audio = ClapAudioConfig(
        window_size=8,
        num_mel_bins=64,
        spec_size=FRAMES // 2,
        patch_size=8,
        patch_stride=[8, 8],
        patch_embeds_hidden_size=48,
        depths=[2, 2],
        num_attention_heads=[2, 4],
        hidden_size=96,
        projection_dim=WIDTH,
        drop_path_rate=0.0,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        flatten_patch_embeds=True,
        enable_fusion=False,
    )
    return ClapModel(
        ClapConfig(
            text_config=text.to_dict(), audio_config=audio.to_dict(), projection_dim=WIDTH, hidden_size=WIDTH
        )
    )


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train, save in half precision with tokenizer and front end, and measure on held-out sounds."""
    import torch

    from toyworld.pretrain.pairs import contrast
    from toyworld.pretrain.tokenizer import MEDIA_LENGTH, build_for_media

    torch.manual_seed(recipe.seed)
    tokenizer = build_for_media(ends=True)
    clap = model(len(tokenizer), MEDIA_LENGTH)
    readout = torch.nn.Linear(WIDTH, 3 * sum(_CLASSES))
    module = torch.nn.ModuleDict({"clap": clap, "readout": readout})

    def loss(step: int) -> torch.Tensor:
        rng = random.Random(hash_seed(recipe, step))
        sounds, heard = _pool(recipe.seed)
        # Neighbours in the pool are a sound and its edit.
        rows = [
            row for k in rng.sample(range(len(sounds) // 2), recipe.batch // 2) for row in (2 * k, 2 * k + 1)
        ]
        batch = [sounds[row] for row in rows]
        told = caption_ids(tokenizer, batch, rng)
        words, tones = embed(clap, told, torch.from_numpy(heard[rows]).float())
        logits = words @ tones.T * clap.logit_scale_a.exp().clamp(max=100)
        read = readout_loss(readout(words * WIDTH**0.5), batch) + readout_loss(
            readout(tones * WIDTH**0.5), batch
        )
        return contrast(logits) + READOUT * read

    fit(recipe, module, loss, work)
    module.eval()
    with torch.no_grad():
        sounds, heard = _drawn("validation", 1, 200)
        told = caption_ids(tokenizer, sounds, random.Random(0))
        words, tones = embed(clap, told, torch.from_numpy(heard).float())
        found = (words @ tones.T).argmax(1)
        figures = {
            "held_out_retrieval_at_1_of_200": float((found == torch.arange(200)).float().mean()),
            "held_out_readout_of_texts": _right(readout(words * WIDTH**0.5), sounds),
            "held_out_readout_of_sounds": _right(readout(tones * WIDTH**0.5), sounds),
        }
    save(clap, tokenizer, folder)
    return figures


def save(clap: ClapModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write model, tokenizer and front end, as `metrics.extractors.ClapExtractor` and pipelines read them."""
    from transformers import ClapFeatureExtractor

    from toyworld.sounds.mel import BINS, FFT, HOP
    from toyworld.sounds.render import RATE

    tokenizer.save_pretrained(folder)
    clap.half().save_pretrained(folder)
    ClapFeatureExtractor(
        feature_size=BINS,
        sampling_rate=RATE,
        hop_length=HOP,
        max_length_s=2,
        fft_window_size=FFT,
        frequency_min=0,
        frequency_max=RATE // 2,
        truncation="rand_trunc",
        padding="repeatpad",
    ).save_pretrained(folder)


def embed(clap: ClapModel, ids: torch.Tensor, heard: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit embeddings of texts and sounds, float [B, 128] each."""
    from torch.nn.functional import normalize

    words = clap.text_model(input_ids=ids, attention_mask=(ids != 0).long()).pooler_output
    longer = heard.new_zeros(len(heard), 1).bool()
    tones = clap.audio_model(input_features=heard, is_longer=longer).pooler_output
    return normalize(clap.text_projection(words), dim=-1), normalize(clap.audio_projection(tones), dim=-1)


def caption_ids(tokenizer: PreTrainedTokenizerFast, sounds: list[Sound], rng: random.Random) -> torch.Tensor:
    """One wording of each sound, int64 [B, L], padded to the longest."""
    from toyworld.sounds.language import paraphrase

    texts = [paraphrase(sound, rng) for sound in sounds]
    ids: torch.Tensor = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")["input_ids"]
    return ids


def front_end(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """What transformers' front end makes of two seconds at 16 kHz, quicker: decibels, [1, 201, 64]."""
    import numpy as np

    from toyworld.sounds.mel import spectrum, triangles

    power = np.abs(spectrum(samples.astype(np.float64))) ** 2 @ triangles()
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)), dtype=np.float32)[None]


@cache
def _pool(seed: int) -> tuple[list[Sound], NDArray[np.float16]]:
    return _drawn("train", 1 + seed, POOL)


def _drawn(split: Split, seed: int, count: int) -> tuple[list[Sound], NDArray[np.float16]]:
    """Sounds, every second an edit of the one before, and how they are heard: float16 [count, 1, 201, 64]."""
    import numpy as np

    from toyworld.pretrain.pairs import near_values
    from toyworld.sounds.render import samples
    from toyworld.sounds.sound import Sound

    sounds = list(itertools.islice(near_values(Sound, split, seed), count))
    heard = np.empty((count, 1, 201, 64), dtype=np.float16)
    for k, sound in enumerate(sounds):
        heard[k] = front_end(samples(sound, k))
    return sounds, heard


def labels(sounds: list[Sound]) -> torch.Tensor:
    """Timbre, pitch, loudness and repeats of each third, 0 for none: int64 [B, 3, 4]."""
    import torch

    from toyworld.sounds.sound import LOUDNESSES, PITCHES, TIMBRES

    found = torch.zeros(len(sounds), 3, 4, dtype=torch.long)
    for k, sound in enumerate(sounds):
        for place, event in enumerate(sound.events):
            row = (TIMBRES.index(event.timbre), PITCHES.index(event.pitch), LOUDNESSES.index(event.loudness))
            found[k, place] = torch.tensor([*(value + 1 for value in row), event.repeats])
    return found


def readout_loss(read: torch.Tensor, sounds: list[Sound]) -> torch.Tensor:
    """Mean cross-entropy of what each third holds; `read` is float [B, 45]."""
    import torch
    from torch.nn.functional import cross_entropy

    parts = torch.split(read.view(len(read), 3, -1), list(_CLASSES), dim=-1)
    each = [
        cross_entropy(part.flatten(0, 1), true.flatten())
        for part, true in zip(parts, labels(sounds).unbind(-1), strict=True)
    ]
    return torch.stack(each).mean()


def _right(read: torch.Tensor, sounds: list[Sound]) -> float:
    """Share of sounds of which every attribute is read right."""
    import torch

    parts = torch.split(read.view(len(read), 3, -1), list(_CLASSES), dim=-1)
    found = torch.stack([part.argmax(-1) for part in parts], dim=-1)
    return float((found == labels(sounds)).flatten(1).all(1).float().mean())
