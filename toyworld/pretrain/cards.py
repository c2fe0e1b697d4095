"""A card beside each part's weights: what it is, the recipe, and what it scores on held-out scenes."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from pathlib import Path

from toyworld.pretrain.loop import Recipe

_MODULES = {"diffusion": ("autoencoder", "diffusion")}


def recipes(part: str) -> list[Recipe]:
    """The recipes of a part in their order; the diffusion model has its autoencoder's before its own."""
    modules = [importlib.import_module(f"toyworld.pretrain.{name}") for name in _MODULES.get(part, (part,))]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Recipe)]


def parameters(folder: Path) -> int:
    """Number of weights in a folder's safetensors files, from their headers alone."""
    from safetensors import safe_open

    total = 0
    for path in sorted(folder.rglob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 (a safetensors handle is no mapping)
                size = 1
                for side in file.get_slice(name).get_shape():
                    size *= side
                total += size
    return total


def write_card(part: str, folder: Path, figures: Mapping[str, float]) -> Path:
    """Write `CARD.md` into the part's folder and return its path."""
    module = importlib.import_module(f"toyworld.pretrain.{part}")
    lines = [
        f"# toyworld {part.replace('_', ' ')}",
        "",
        (module.__doc__ or "").strip(),
        "",
        f"- Made by: `python -m toyworld.pretrain {part}` (CPU; stored in half precision)",
        "- Data: `toyworld.splits.stream('train')`, seeded by step, without the held-out pairs",
        f"- Weights: {parameters(folder):,}",
        "- Licence: Apache-2.0",
    ]
    for recipe in recipes(part):
        lines += ["", f"## Recipe of the {recipe.name.replace('_', ' ')}", ""]
        lines += [
            f"- {name.replace('_', ' ')}: {value}" for name, value in dataclasses.asdict(recipe).items()
        ]
    lines += ["", "## Measured on held-out scenes", ""]
    lines += [f"- {name.replace('_', ' ')}: {value:.4f}" for name, value in figures.items()]
    card = folder / "CARD.md"
    card.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return card
