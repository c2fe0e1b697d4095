"""What a preset needs of a checkpoint: names and shapes, found without weights.

The frozen parts' own configuration files are read where they are at hand; of the full-size presets the
published shapes are known, so that a checkpoint can be converted before anything else is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextgpt.checkpoints import OUTPUT, PARTS
from nextgpt.config import Config, Stage
from nextgpt.decoding.projection import output_projection
from nextgpt.encoding.projection import input_projection
from nextgpt.errors import ConfigError
from nextgpt.reasoning.adapters import adapt, adapters
from nextgpt.sizing.parameters import described, made_on, width_of
from nextgpt.sizing.structure import condition_of, encoders_of, language_model_of
from nextgpt.weights.places import locate


@dataclass(frozen=True)
class Needs:
    """What has to be in a checkpoint.

    Attributes:
        shapes: of each tensor, by its name here, but for token rows.
        tokens: of the language model, before anything was added.
        width: of the language model.
        language_model: its folder, where it is at hand.
    """

    shapes: Mapping[str, tuple[int, ...]]
    tokens: int
    width: int
    language_model: Path | None


def needs(config: Config, stage: Stage) -> Needs:
    """Say what a preset's checkpoint of a stage holds.

    Raises:
        ConfigError: weights of the preset are not at hand, and their shapes are not known.
    """
    folder, language = _language_model(config.weights.language_model)
    width = int(language.hidden_size)
    modules: dict[str, Any] = {}
    with made_on("meta"):
        if "input_projection" in PARTS[stage]:
            modules["input_projection"] = input_projection(
                config.projection,
                in_dim=width_of(encoders_of(config)),
                out_dim=width,
                **config.input_projection[config.projection],
            )
        if OUTPUT in PARTS[stage]:
            kind, options = config.output_projection.kind, config.output_projection.options
            for modality in config.signals:
                queries, out = condition_of(getattr(config.weights, modality), modality)
                modules[f"{OUTPUT}.{modality}"] = output_projection(
                    kind, in_dim=width, out_dim=out, queries=queries, **options
                )
        shapes = {
            f"{part}.{name}": tuple(value.shape)
            for part, module in modules.items()
            for name, value in module.named_parameters()
        }
        if "lora" in PARTS[stage]:
            from transformers import AutoModelForCausalLM

            causal = AutoModelForCausalLM.from_config(language)
            adapt(causal, config.lora)
            shapes |= {f"lora.{name}": tuple(value.shape) for name, value in adapters(causal).items()}
    return Needs(shapes, int(language.vocab_size), width, folder)


def _language_model(place: str) -> tuple[Path | None, Any]:
    """Its folder, where it is at hand, and its configuration."""
    config = described(language_model_of(place), place)
    try:
        return locate(place), config
    except ConfigError:  # its shape is known all the same
        return None, config
