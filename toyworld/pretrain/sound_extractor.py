"""The world's own CLAP for FAD, KAD and CLAPScore: independent of every model that it judges.

Its own seed and its own weights, which no system contains; `metrics.extractors.ClapExtractor` reads it.
"""

from __future__ import annotations

from pathlib import Path

from toyworld.pretrain.loop import Recipe

RECIPE = Recipe("sound_extractor", steps=3000, batch=48, learning_rate=1e-3, seed=17, average=0.998)


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """As `toyworld.pretrain.clap`, with another recipe."""
    from toyworld.pretrain import clap

    return clap.pretrain(work, folder, recipe)
