"""What a preset needs of a checkpoint: names and shapes, found without weights.

The frozen parts' own configuration files are read where they are at hand; of the full-size presets the
published shapes are known, so that a checkpoint can be converted before anything else is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextgpt.checkpoints import OUTPUT, PARTS
from nextgpt.config import Config, ConfigError, Stage, locate
from nextgpt.decoding.conditions import read_condition
from nextgpt.decoding.projection import output_projection
from nextgpt.encoding.imagebind import ImageBindConfig
from nextgpt.encoding.projection import input_projection
from nextgpt.messages import Modality
from nextgpt.parameters import FULL_SIZE, Parts, made_on
from nextgpt.reasoning.language_model import adapt, adapters


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
    known = FULL_SIZE.get(config.name)
    folder, described = _language_model(config, known)
    width = int(described.hidden_size)
    modules: dict[str, Any] = {}
    with made_on("meta"):
        if "input_projection" in PARTS[stage]:
            modules["input_projection"] = input_projection(
                config.projection,
                in_dim=_encoder_width(config, known),
                out_dim=width,
                **config.input_projection[config.projection],
            )
        if OUTPUT in PARTS[stage]:
            kind, options = config.output_projection.kind, config.output_projection.options
            for modality in config.signals:
                queries, out = _condition(config, modality, known)
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

            causal = AutoModelForCausalLM.from_config(described)
            adapt(causal, config.lora)
            shapes |= {f"lora.{name}": tuple(value.shape) for name, value in adapters(causal).items()}
    return Needs(shapes, int(described.vocab_size), width, folder)


def _found(place: str, known: Parts | None) -> Path | None:
    """The folder of weights; None where they are not at hand but their shapes are known."""
    try:
        return locate(place)
    except ConfigError:
        if known is None:
            raise
        return None


def _language_model(config: Config, known: Parts | None) -> tuple[Path | None, Any]:
    from transformers import AutoConfig, LlamaConfig

    folder = _found(config.weights.language_model, known)
    if folder is None:
        assert known is not None
        return None, LlamaConfig(**known.language_model)
    try:
        return folder, AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder}: no language model that transformers knows: {error}") from error


def _encoder_width(config: Config, known: Parts | None) -> int:
    folder = _found(config.weights.encoder, known)
    if folder is None:
        assert known is not None
        return known.encoder.out_dim
    if not (folder / "config.json").exists():
        return ImageBindConfig().out_dim  # as published, without a configuration
    try:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder}: config.json cannot be read: {error}") from error
    # An ImageBind says the one, a CLIP the other; the published ImageBind neither.
    return int(values.get("out_dim", values.get("projection_dim", ImageBindConfig().out_dim)))


def _condition(config: Config, modality: Modality, known: Parts | None) -> tuple[int, int]:
    """Length and width of what a modality's diffusion model is told."""
    folder = _found(getattr(config.weights, modality), known)
    if folder is None:
        assert known is not None
        return known.decoders[modality].queries, known.decoders[modality].width
    condition = read_condition(folder, modality)
    return condition.length, condition.width
