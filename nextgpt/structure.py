"""A model's networks without its weights: built from shapes alone, on any device.

On torch's meta device nothing is allocated, so that full-size networks can be counted and rehearsed anywhere
(`nextgpt.rehearsal`); on a GPU their weights are random, and their speed is that of the real ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from nextgpt.config import Config, ConfigError, Lora, locate
from nextgpt.decoding.conditions import read_condition
from nextgpt.decoding.projection import output_projection
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from nextgpt.encoding.projection import input_projection
from nextgpt.parameters import FULL_SIZE, Decoder, Parts, made_on
from nextgpt.reasoning.language_model import LanguageModel

if TYPE_CHECKING:
    from torch import nn

    from nextgpt.messages import Modality

# What a diffusion pipeline calls its networks, and what they are called in tables.
NETWORKS = {"unet": "UNet", "vae": "VAE", "text_encoder": "text encoder", "vocoder": "vocoder"}


@dataclass(frozen=True)
class Structure:
    """All networks of a model, none of whose weights mean anything.

    Attributes:
        parts: what they were built from.
        encoder: frozen.
        input_projection: encoder tokens to concept tokens.
        language_model: frozen, with signal rows and LoRA.
        output_projection: signals to a condition, by modality.
        networks: of the diffusion models, frozen, by modality and name.
    """

    parts: Parts
    encoder: ImageBind
    input_projection: nn.Module
    language_model: LanguageModel
    output_projection: Mapping[str, nn.Module]
    networks: Mapping[str, Mapping[str, nn.Module]]

    def trained(self, stage: str) -> list[nn.Parameter]:
        """What a stage trains; nothing else requires gradients afterwards."""
        language_model = self.language_model
        signals = [language_model.signal_embeddings, language_model.signal_logits]
        causal = language_model.causal
        rows = [causal.get_input_embeddings().weight, causal.get_output_embeddings().weight]
        projected = [value for module in self.output_projection.values() for value in module.parameters()]
        chosen = {
            "encoding": [*self.input_projection.parameters()],
            "decoding": [*projected, *signals],
            "instruct": [
                *self.input_projection.parameters(),
                *projected,
                *signals,
                *language_model.lora().values(),
                *(rows if self.parts.vocabulary else ()),
            ],
        }[stage]
        for module in (self.input_projection, language_model, *self.output_projection.values()):
            module.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        return chosen


class _NoWords:
    """Stands for a tokenizer where only ids are needed."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def decode(self, ids: list[int], **options: bool) -> str:
        """Nothing is ever said."""
        return ""


def build(parts: Parts, *, device: str = "meta", dtype: torch.dtype = torch.float32) -> Structure:
    """Make all networks of a model, with random weights, or with none on the meta device.

    Example:
        >>> from nextgpt.config import load_config
        >>> tiny = build(parts_of(load_config("tiny")))
        >>> tiny.language_model.width, tiny.encoder.out_dim
        (192, 128)
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    width = int(parts.language_model["hidden_size"])
    values = {"model_type": "llama", **parts.language_model}
    with _building(device, dtype):
        encoder = ImageBind(parts.encoder).requires_grad_(False).eval()
        projection = input_projection(
            parts.projection, in_dim=parts.encoder.out_dim, out_dim=width, **parts.projection_options
        )
        causal = AutoModelForCausalLM.from_config(AutoConfig.for_model(**values))
        projected = {
            modality: output_projection(
                "transformer",
                in_dim=width,
                out_dim=decoder.width,
                queries=decoder.queries,
                **parts.output_options,
            )
            for modality, decoder in parts.decoders.items()
        }
        networks = {modality: decoder.networks() for modality, decoder in parts.decoders.items()}
    counts = cast("dict[Modality, int]", dict(parts.counts))
    language_model = LanguageModel(causal, _NoWords(len(causal.get_input_embeddings().weight)), counts)
    with _building(device, dtype):
        language_model.add_lora(Lora(parts.lora_rank, parts.lora_rank, 0.0, parts.lora_targets))
    for network in (network for made in networks.values() for network in made.values()):
        network.requires_grad_(False).eval()
    return Structure(parts, encoder, projection, language_model.to(dtype), projected, networks)


@contextmanager
def _building(device: str, dtype: torch.dtype) -> Iterator[None]:
    """Tensors are made on a device and in a type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with made_on(device):
            yield
    finally:
        torch.set_default_dtype(before)


def parts_of(config: Config) -> Parts:
    """What a preset's model is made of, from the configuration files of its parts; no weights are read.

    Of the full-size presets the published shapes are known, and none of their files need be there.

    Raises:
        ConfigError: a part is not there, or of a kind that cannot be rehearsed.
    """
    if config.name in FULL_SIZE:
        return FULL_SIZE[config.name]
    encoder = _json(locate(config.weights.encoder) / "config.json")
    if "modalities" not in encoder:
        raise ConfigError(f"{config.weights.encoder}: only an ImageBind can be rehearsed")
    return Parts(
        encoder=ImageBindConfig.from_dict(encoder),
        projection=config.projection,
        projection_options=config.input_projection[config.projection],
        language_model=_json(locate(config.weights.language_model) / "config.json"),
        decoders={
            modality: _decoder(locate(getattr(config.weights, modality)), modality)
            for modality in config.signals
        },
        counts={str(modality): count for modality, count in config.signals.items()},
        output_options=config.output_projection.options,
        lora_rank=config.lora.rank,
        lora_targets=config.lora.targets,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: no configuration that can be read: {error}") from error
    return values


def _decoder(folder: Path, modality: Modality) -> Decoder:
    """A diffusion model as its own files describe it."""
    condition, index = read_condition(folder, modality), _json(folder / "model_index.json")
    if "unet" not in index:
        raise ConfigError(f"{folder}: only diffusion models with a UNet can be rehearsed")
    unet = _json(folder / "unet" / "config.json")
    size = int(unet["sample_size"])
    shape = {
        "image": (size, size),
        "video": (16, size, size),
        # Spectrograms of AudioLDM have 64 bins; its VAE keeps one in four, as of its frames.
        "audio": (size, 16),
    }[modality]
    return Decoder(
        name=folder.name,
        queries=condition.length,
        width=condition.width,
        networks=partial(_networks, folder, index),
        published="",
        latents=(int(unet["in_channels"]), *shape),
    )


def _networks(folder: Path, index: Mapping[str, Any]) -> dict[str, nn.Module]:
    import diffusers
    import transformers
    from torch import nn

    made: dict[str, nn.Module] = {}
    for part, name in NETWORKS.items():
        library, kind = index.get(part, (None, None))
        if library == "diffusers":
            kind_of: Callable[..., Any] = getattr(diffusers, kind)
            made[name] = kind_of.from_config(_json(folder / part / "config.json"))  # type: ignore[attr-defined]
        elif library == "transformers":
            config = transformers.AutoConfig.from_pretrained(folder / part, local_files_only=True)
            made[name] = getattr(transformers, kind)(config)
    return {name: network for name, network in made.items() if isinstance(network, nn.Module)}


def reduced(parts: Parts, layers: int) -> Parts:
    """The same model with fewer layers in its language model: what a smaller GPU can hold."""
    return replace(parts, language_model={**parts.language_model, "num_hidden_layers": layers})
