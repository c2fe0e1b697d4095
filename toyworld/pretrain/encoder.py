"""The ImageBind-class encoder: contrastive with captions, and each patch tells what lies in its cell.

CLS alone is what contrastive training shapes; at this size the patch tokens, which the grouping
projection reads, would be left to chance. A linear read-out from every patch token, thrown away
afterwards, keeps them informative: shape, colour and size of what lies in the patch's cell, and which cell
that is (nothing later adds positions; without it they could be read from two patches in five only).
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from nextgpt.encoding.imagebind import ImageBindConfig
    from toyworld.scene import Scene
    from toyworld.splits import Split

RECIPE = Recipe("encoder", steps=900, batch=48, learning_rate=1e-3, average=0.995)


def configuration(vocabulary: int, end_token: int) -> ImageBindConfig:
    """Vision and text of ImageBind, 128 wide; 8 by 8 patches of 8 pixels."""
    from nextgpt.encoding.imagebind import ImageBindConfig, TrunkConfig
    from toyworld.pretrain.tokenizer import LENGTH

    return ImageBindConfig(
        out_dim=128,
        modalities={"vision": TrunkConfig(128, 4, 4), "text": TrunkConfig(128, 3, 4)},
        kernel=(2, 8, 8),
        image_size=64,
        vocabulary=vocabulary,
        context=LENGTH,
        end_token=end_token,
    )


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train, save vision and text in half precision, and measure on held-out pairs."""
    import torch
    from safetensors.torch import save_file

    from nextgpt.encoding.imagebind import ImageBind
    from toyworld.pretrain.tokenizer import save

    torch.manual_seed(recipe.seed)
    tokenizer = save(folder, ends=True)
    config = configuration(len(tokenizer), int(tokenizer.eos_token_id))
    encoder, readout = ImageBind(config), torch.nn.Linear(128, sum(_CLASSES))
    model = torch.nn.ModuleDict({"encoder": encoder, "readout": readout})

    def both(split: Split, seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        from nextgpt.encoding.imagebind import preprocess_image
        from toyworld.pretrain.pairs import caption_ids, near_pairs

        scenes = near_pairs(split, seed, count)
        tokens = encoder.tokens("vision", preprocess_image(stack(scenes), 64), with_cls=True)
        logits = encoder("text", caption_ids(tokenizer, scenes, seed)) @ tokens[:, 0].T
        return logits, readout(tokens[:, 1:] * 128**0.5), _patch_labels(scenes)

    def loss(step: int) -> torch.Tensor:
        from toyworld.pretrain.pairs import contrast

        logits, read, labels = both("train", 1 + hash_seed(recipe, step), recipe.batch)
        return contrast(logits) + _readout_loss(read, labels)

    fit(recipe, model, loss, work)
    model.eval()
    with torch.no_grad():
        logits, read, labels = both("validation", 0, 200)
        right = torch.stack([r.argmax(-1) == t for r, t in zip(_split(read), labels.unbind(-1), strict=True)])
        figures = {
            "held_out_retrieval_at_1_of_200": float((logits.argmax(1) == torch.arange(200)).float().mean()),
            "held_out_patch_readout": float(right.all(0).float().mean()),
        }
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n")
    weights = {n: t.half().contiguous() for n, t in encoder.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    return figures


def stack(scenes: list[Scene]) -> NDArray[np.uint8]:
    """Drawn scenes, uint8 [B, 64, 64, 3]."""
    import numpy as np

    from toyworld.render import pixels

    return np.stack([pixels(scene) for scene in scenes])


def _tables() -> tuple[tuple[str, ...], ...]:
    from toyworld.scene import CELLS, COLOURS, SHAPES, SIZES

    return (("", *SHAPES), ("", *COLOURS), ("", *SIZES), CELLS)


_CLASSES = tuple(map(len, _tables()))


def _patch_labels(scenes: list[Scene]) -> torch.Tensor:
    """Shape, colour and size of what is in each patch's cell (0 for none), and the cell: int64 [B, 64, 4]."""
    import torch

    from toyworld.scene import CELLS

    labels = torch.zeros(len(scenes), len(CELLS), 4, dtype=torch.long)
    labels[:, :, 3] = torch.arange(len(CELLS))
    for k, scene in enumerate(scenes):
        for thing in scene.things:
            words = (thing.shape, thing.colour, thing.size, CELLS[thing.cell])
            row = [table.index(word) for table, word in zip(_tables(), words, strict=True)]
            labels[k, thing.cell] = torch.tensor(row)
    third = (torch.arange(8) * 8 + 4) * 3 // 64
    cells = (third[:, None] * 3 + third[None, :]).flatten()
    return labels[:, cells]


def _split(read: torch.Tensor) -> tuple[torch.Tensor, ...]:
    import torch

    return tuple(torch.split(read, list(_CLASSES), dim=-1))


def _readout_loss(read: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    parts = [
        functional.cross_entropy(r.flatten(0, 1), t.flatten())
        for r, t in zip(_split(read), labels.unbind(-1), strict=True)
    ]
    return sum(parts[1:], parts[0])
