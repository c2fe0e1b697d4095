"""A model's networks without its weights: built from shapes alone, on any device.

On torch's meta device nothing is allocated, so that full-size networks can be counted and rehearsed anywhere
(`nextgpt.sizing.rehearsal`); on a GPU their weights are random, and their speed is that of the real ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from nextgpt.config import Config, Lora
from nextgpt.decoding.conditions import read_condition
from nextgpt.decoding.projection import output_projection
from nextgpt.decoding.reading import offered
from nextgpt.documents import read_json
from nextgpt.encoding.efficientnet import EfficientNetLite, weights_of
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from nextgpt.encoding.projection import input_projection
from nextgpt.encoding.yamnet import FILE as YAMNET
from nextgpt.encoding.yamnet import Yamnet
from nextgpt.errors import ConfigError
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.sizing.full_size import DECODERS, ENCODERS, IMAGEBIND_HUGE, LANGUAGE_MODELS, SOURCES
from nextgpt.sizing.parameters import Counted, Decoder, Parts, described, made_on
from nextgpt.weights import gguf
from nextgpt.weights.files import CENSORS, shapes
from nextgpt.weights.places import locate

if TYPE_CHECKING:
    from torch import nn
    from transformers import CLIPVisionConfig

    from nextgpt.messages import Modality

# What a diffusion pipeline calls its networks, and what they are called in tables.
NETWORKS = {"unet": "UNet", "vae": "VAE", "text_encoder": "text encoder", "vocoder": "vocoder"}
_REHEARSED = ("UNet2DConditionModel", "UNet3DConditionModel")


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

    Raises:
        ConfigError: a part of a kind that `nextgpt.sizing.rehearsal` cannot rehearse.

    Example:
        >>> from nextgpt.config import load_config
        >>> tiny = build(parts_of(load_config("tiny")))
        >>> tiny.language_model.width, tiny.encoder.out_dim
        (192, 128)
    """
    from transformers import AutoModelForCausalLM

    if not isinstance(parts.encoder, ImageBindConfig):
        raise ConfigError("of encoders only an ImageBind can be rehearsed")
    language = described(parts.language_model)
    width = int(language.hidden_size)
    with _building(device, dtype):
        encoder = ImageBind(parts.encoder).requires_grad_(False).eval()
        projection = input_projection(
            parts.projection, in_dim=parts.encoder.out_dim, out_dim=width, **parts.projection_options
        )
        causal = AutoModelForCausalLM.from_config(language)
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
    for modality, made in networks.items():
        unet: Any = made.get("UNet")
        kind = type(unet).__name__
        if kind not in _REHEARSED or unet.config.get("addition_embed_type"):
            raise ConfigError(
                f"{parts.decoders[modality].name}: of diffusion models only those with a UNet that is told "
                "one text can be rehearsed"
            )
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

    Of the published models that the full-size presets name the shapes are known, and none of their files need
    be there.

    Raises:
        ConfigError: a part is not there, or its configuration cannot be read.
    """
    language_model = config.weights.language_model
    known = {"encoder": SOURCES["encoder"]} if config.weights.encoder in ENCODERS else {}
    if language_model in LANGUAGE_MODELS:
        known |= {name: SOURCES[name] for name in ("language model", "LoRA")}
        known["input projection"] = SOURCES.get(config.projection, "")
    return Parts(
        encoder=encoders_of(config),
        projection=config.projection,
        projection_options=config.input_projection[config.projection],
        language_model=language_model_of(language_model),
        decoders={modality: _decoder(config, modality) for modality in config.signals},
        counts={str(modality): count for modality, count in config.signals.items()},
        tags=len(config.prompt.tags),
        vocabulary=config.vocabulary == "trained",
        output_options=config.output_projection.options,
        sources=known,
        lora_rank=config.lora.rank,
        lora_targets=config.lora.targets,
    )


def encoders_of(config: Config) -> ImageBindConfig | CLIPVisionConfig | Counted:
    """The shape of a preset's encoder, or of the two that stand side by side."""
    encoder = encoder_of(config.weights.encoder)
    if not config.weights.audio_encoder:
        return encoder
    ears = encoder_of(config.weights.audio_encoder)
    if not isinstance(encoder, Counted) or not isinstance(ears, Counted):
        raise ConfigError("of encoders side by side only those that packages carry can be counted")
    return Counted(encoder.out_dim + ears.out_dim, {**encoder.numbers, **ears.numbers})


def encoder_of(place: str) -> ImageBindConfig | CLIPVisionConfig | Counted:
    """The shape of an encoder, from its folder or, of a published one, by heart."""
    folder = _folder(place, ENCODERS)
    if folder is None:
        return ENCODERS[place]
    if (path := weights_of(folder)) is not None:
        return Counted(EfficientNetLite.out_dim, {"vision": sum(map(math.prod, shapes(path).values()))})
    if (folder / YAMNET).exists():  # a number a byte: it is quantised
        return Counted(Yamnet.out_dim, {"audio": (folder / YAMNET).stat().st_size})
    if not (folder / "config.json").exists():
        return IMAGEBIND_HUGE  # as published, without a configuration
    values = read_json(folder / "config.json", dict)
    if str(values.get("model_type", "")).startswith("clip"):
        from transformers import CLIPVisionConfig

        return CLIPVisionConfig.from_pretrained(folder, local_files_only=True)
    return ImageBindConfig.from_dict(values) if "modalities" in values else IMAGEBIND_HUGE


def language_model_of(place: str) -> Mapping[str, Any]:
    """The configuration of a language model as transformers has it, from its folder or by heart."""
    folder = _folder(place, LANGUAGE_MODELS)
    if folder is None:
        return LANGUAGE_MODELS[place]
    if packed := gguf.told(folder):
        from transformers import AutoConfig

        found: dict[str, Any] = AutoConfig.from_pretrained(folder, local_files_only=True, **packed).to_dict()
        found.pop("quantization_config", None)  # its numbers are made whole
        return found
    return read_json(folder / "config.json", dict)


def condition_of(place: str, modality: Modality) -> tuple[int, int]:
    """Length and width of what a diffusion model is told, from its folder or by heart."""
    folder = _folder(place, DECODERS)
    if folder is None:
        return DECODERS[place].queries, DECODERS[place].width
    condition = read_condition(folder, modality)
    return condition.length, condition.width


def _folder(place: str, known: Mapping[str, object]) -> Path | None:
    """The folder of a part; None where it is not at hand but its shape is known."""
    try:
        return locate(place)
    except ConfigError:
        if place not in known:
            raise
        return None


def _decoder(config: Config, modality: Modality) -> Decoder:
    """A diffusion model as its own files describe it, or by heart, and the latents that the preset makes."""
    place = getattr(config.weights, modality)
    folder = _folder(place, DECODERS)
    made = DECODERS[place] if folder is None else _read(folder, modality)
    try:
        return replace(made, latents=_latents(config, modality, made))
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"{config.name}: generation: options: {modality}: {error}") from error


def _latents(config: Config, modality: Modality, made: Decoder) -> tuple[int, ...]:
    """The shape of what is denoised for one medium."""
    options, side = config.generation.options.get(modality, {}), made.side
    # Every VAE here but Wan's and CogVideoX's keeps one pixel in eight either way.
    size = [int(options[name]) // 8 if name in options else side for name in ("height", "width")]
    if modality == "audio":
        # A hundred frames a second of 64 mel bins, of which the VAE keeps one in four either way.
        seconds = options.get("audio_length_in_s")
        size = [side if seconds is None else round(float(seconds) * 25), 16]
    frames = [int(options.get("num_frames", 16))] if modality == "video" else []
    return (made.channels, *frames, *size)


def _read(folder: Path, modality: Modality) -> Decoder:
    condition, index = read_condition(folder, modality), read_json(folder / "model_index.json", dict)
    denoiser = read_json(folder / ("unet" if "unet" in index else "transformer") / "config.json", dict)
    return Decoder(
        name=folder.name,
        queries=condition.length,
        width=condition.width,
        networks=partial(_networks, folder, index),
        channels=int(denoiser.get("in_channels", 4)),
        side=int(denoiser.get("sample_size") or 64),
    )


def _networks(folder: Path, index: Mapping[str, Any]) -> dict[str, nn.Module]:
    """The networks of a pipeline, with random weights; schedulers and tokenizers are none."""
    import diffusers
    import transformers

    libraries: dict[str, Any] = {"diffusers": diffusers, "transformers": transformers, **offered(index)}
    made: dict[str, nn.Module] = {}
    for part, listed in index.items():
        if part in CENSORS or not isinstance(listed, list) or listed[0] is None:
            continue
        # A network that only one pipeline has lies in that pipeline's own package.
        library = libraries.get(listed[0]) or getattr(diffusers.pipelines, listed[0])
        cls: Any = getattr(library, listed[1])
        bases = getattr(cls, "__mro__", ())
        name = NETWORKS.get(part, part.replace("_", " "))
        if diffusers.ModelMixin in bases:
            made[name] = cls.from_config(read_json(folder / part / "config.json", dict))
        elif transformers.PreTrainedModel in bases:
            # Its own class of configuration: model_type in older files is a name that is no longer known.
            made[name] = cls(cls.config_class.from_pretrained(folder / part, local_files_only=True))
    return made


def reduced(parts: Parts, layers: int) -> Parts:
    """The same model with fewer layers in its language model: what a smaller GPU can hold."""
    return replace(parts, language_model={**parts.language_model, "num_hidden_layers": layers})
