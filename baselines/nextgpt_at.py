"""NExT-GPT of any preset, weights wherever a person has them: ``nextgpt:7b?weights=DIR&checkpoint=DIR``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.options import parse
from nextgpt.config import Config, load_config
from nextgpt.weights.places import with_weights

if TYPE_CHECKING:
    from nextgpt.model import NextGPT


@dataclass(frozen=True)
class Options:
    """Where a preset's parts lie.

    Attributes:
        weights: a folder that holds them, or some of them; empty for where the preset says.
        checkpoint: what `nextgpt train` or `nextgpt convert` wrote; empty for the preset's own.
        projection: kind of the input projection; empty for the preset's.
    """

    weights: str = ""
    checkpoint: str = ""
    projection: str = ""


def load(place: str) -> NextGPT:
    """NExT-GPT of a preset, or of a YAML file that describes one, with `Options` behind it.

    Raises:
        ConfigError: the preset or an option is wrong, or weights are missing.
        CheckpointError: the checkpoint does not fit.
    """
    import nextgpt

    preset, options = parse(place, Options)
    return nextgpt.load(configured(preset, options), checkpoint=options.checkpoint or None)


def configured(preset: str, options: Options) -> Config:
    """The preset with its frozen parts where the options say.

    Raises:
        ConfigError: there is no such preset or folder.

    >>> configured("tiny", Options(projection="linear")).projection
    'linear'
    """
    config = load_config(preset, projection=options.projection or None)
    if options.weights:
        config = with_weights(config, Path(options.weights).expanduser())
    return config
