"""The world's own CLIP for FID and CLIPScore: independent of every model that it judges.

Its own seed, its own class (a CLIP, patches of 8 pixels), trained by contrast alone, and used by no system.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from transformers import CLIPModel

    from toyworld.splits import Split

RECIPE = Recipe("extractor", steps=1000, batch=64, learning_rate=1e-3, seed=17, average=0.995)
# Plain halves, so that any preprocessing that knows CLIP's constants by heart would be noticed.
MEAN = STD = (0.5, 0.5, 0.5)


def model(vocabulary: int, length: int) -> CLIPModel:
    """A CLIP with two towers 96 wide and random weights."""
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    text = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=length,
        projection_dim=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=3,
    )
    vision = CLIPVisionConfig(
        image_size=64,
        patch_size=8,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        projection_dim=64,
    )
    return CLIPModel(
        CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=64)
    )


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train, save in half precision with tokenizer and image processor, and measure held-out retrieval."""
    import torch
    from transformers import CLIPImageProcessor

    from toyworld.pretrain.encoder import stack
    from toyworld.pretrain.pairs import caption_ids, contrast, near_pairs
    from toyworld.pretrain.tokenizer import LENGTH, save

    torch.manual_seed(recipe.seed)
    tokenizer = save(folder, ends=True)
    clip = model(len(tokenizer), LENGTH)

    def logits(split: Split, seed: int, count: int) -> torch.Tensor:
        scenes = near_pairs(split, seed, count)
        pictures = torch.from_numpy(stack(scenes)).permute(0, 3, 1, 2).float() / 127.5 - 1
        ids = caption_ids(tokenizer, scenes, seed)
        out: torch.Tensor = clip(input_ids=ids, attention_mask=(ids != 0).long(), pixel_values=pictures)
        return out.logits_per_text  # type: ignore[attr-defined,no-any-return]

    def loss(step: int) -> torch.Tensor:
        return contrast(logits("train", 1 + hash_seed(recipe, step), recipe.batch))

    fit(recipe, clip, loss, work)
    clip.eval()
    with torch.no_grad():
        found = logits("validation", 0, 200).argmax(1)
    clip.half().save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}, image_mean=MEAN, image_std=STD
    ).save_pretrained(folder)
    return {"held_out_retrieval_at_1_of_200": float((found == torch.arange(200)).float().mean())}
