"""The world's own network for CLIPSIM and FVD's distance over clips: independent of all that it judges.

An ImageBind of vision and text with its own sizes, seed and weights, which no system contains. It sees all
nine frames at once, so that clips which differ in time alone are told apart: every second clip of a batch is
an edit of the one before.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch

    from toyworld.splits import Split

RECIPE = Recipe("clip_extractor", steps=3000, batch=48, learning_rate=1e-3, seed=17, average=0.998)


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train by contrast alone, save in half precision, and measure held-out retrieval."""
    import torch
    from safetensors.torch import save_file

    from nextgpt.encoding.imagebind import ImageBind, TrunkConfig
    from toyworld.clips.clip import Clip
    from toyworld.clips.language import captions
    from toyworld.pretrain.media_encoder import configuration, prepared
    from toyworld.pretrain.pairs import contrast, near_values
    from toyworld.pretrain.tokenizer import build_for_media

    torch.manual_seed(recipe.seed)
    tokenizer = build_for_media(ends=True)
    tokenizer.save_pretrained(folder)
    config = dataclasses.replace(
        configuration(len(tokenizer), int(tokenizer.eos_token_id)),
        out_dim=96,
        modalities={"vision": TrunkConfig(96, 3, 4), "text": TrunkConfig(96, 3, 4)},
    )
    network = ImageBind(config)

    def logits(split: Split, seed: int, count: int) -> torch.Tensor:
        clips: list[Clip] = list(itertools.islice(near_values(Clip, split, seed), count))
        rng = random.Random(seed)
        texts = [rng.choice(captions(clip, rng)) for clip in clips]
        ids = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")["input_ids"]
        found: torch.Tensor = network("text", ids) @ network("vision", prepared(clips)).T
        return found

    def loss(step: int) -> torch.Tensor:
        return contrast(logits("train", 1 + hash_seed(recipe, step), recipe.batch))

    fit(recipe, network, loss, work)
    network.eval()
    with torch.no_grad():
        found = logits("validation", 0, 200).argmax(1)
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n")
    save_file(
        {n: t.half().contiguous() for n, t in network.state_dict().items()}, folder / "model.safetensors"
    )
    return {"held_out_retrieval_at_1_of_200": float((found == torch.arange(200)).float().mean())}
