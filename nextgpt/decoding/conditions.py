"""What diffusion pipelines are told: the shape of their text condition, read from their own files.

A pipeline may want several things at once: Stable Diffusion XL a sequence and a pooled vector, AudioLDM 2
what a T5 and what a small language model say. Here they are one tensor ``[length, width]``, the parts below
each other and filled up with zeros to the widest, so that one output projection makes, and one loss
compares, them all. `Condition.unpack` gives each part back under the pipeline's own name for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nextgpt.documents import DocumentError, read_json
from nextgpt.errors import ConfigError
from nextgpt.messages import Modality

_NO_LIMIT = 10**6  # tokenizers without a limit say 1e30


@dataclass(frozen=True)
class Slot:
    """One part of a condition.

    Attributes:
        name: of the pipeline's argument.
        tokens: how many vectors.
        width: of each.
        pooled: a single vector without a token axis.
    """

    name: str
    tokens: int
    width: int
    pooled: bool = False


@dataclass(frozen=True)
class Condition:
    """Everything that a pipeline is told.

    Example:
        >>> sdxl = Condition((Slot("prompt_embeds", 77, 2048), Slot("pooled_prompt_embeds", 1, 1280, True)))
        >>> sdxl.length, sdxl.width
        (78, 2048)
        >>> parts = sdxl.unpack(torch.zeros(2, 78, 2048))
        >>> [(name, list(part.shape)) for name, part in parts.items()]
        [('prompt_embeds', [2, 77, 2048]), ('pooled_prompt_embeds', [2, 1280])]
        >>> sdxl.pack(parts).shape
        torch.Size([2, 78, 2048])
    """

    slots: tuple[Slot, ...]

    @property
    def length(self) -> int:
        """Vectors of all parts."""
        return sum(slot.tokens for slot in self.slots)

    @property
    def width(self) -> int:
        """Width of the widest part."""
        return max(slot.width for slot in self.slots)

    def pack(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Parts by name to float ``[B, length, width]``; a part with fewer tokens is filled up with zeros."""
        rows = []
        for slot in self.slots:
            part = parts[slot.name].unsqueeze(1) if slot.pooled else parts[slot.name]
            if part.shape[1] > slot.tokens or part.shape[2] != slot.width:
                raise ValueError(f"{slot.name} has shape {list(part.shape)}, but its place is {slot}")
            rows.append(functional.pad(part, (0, self.width - slot.width, 0, slot.tokens - part.shape[1])))
        return torch.cat(rows, dim=1)

    def unpack(self, packed: Tensor) -> dict[str, Tensor]:
        """The inverse of `pack`; what stands in the filling is not looked at."""
        parts, start = {}, 0
        for slot in self.slots:
            part = packed[:, start : start + slot.tokens, : slot.width]
            parts[slot.name] = part[:, 0] if slot.pooled else part
            start += slot.tokens
        return parts


class Folder:
    """The configuration files of a pipeline in a folder, as diffusers saves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kind: str = self.read("model_index.json")["_class_name"]

    def read(self, name: str) -> dict[str, Any]:
        """One file."""
        return read_json(self.folder / name, dict)

    def config(self, part: str) -> dict[str, Any]:
        """The configuration of a part."""
        return self.read(f"{part}/config.json")

    def longest(self, tokenizer: str = "tokenizer", encoder: str = "text_encoder") -> int:
        """How many tokens a prompt is brought to: the tokenizer's limit, or else its encoder's."""
        limit = self.read(f"{tokenizer}/tokenizer_config.json").get("model_max_length", _NO_LIMIT)
        if limit < _NO_LIMIT:
            return int(limit)
        return int(self.config(encoder)["max_position_embeddings"])

    def default(self, argument: str) -> int:
        """What the pipeline's own class takes for an argument of its call, unless told otherwise."""
        import diffusers

        signature = inspect.signature(getattr(diffusers, self.kind).__call__)
        return int(signature.parameters[argument].default)


def _stable_diffusion(folder: Folder) -> tuple[Slot, ...]:
    return (Slot("prompt_embeds", folder.longest(), int(folder.config("unet")["cross_attention_dim"])),)


def _stable_diffusion_xl(folder: Folder) -> tuple[Slot, ...]:
    pooled = int(folder.config("text_encoder_2")["projection_dim"])
    return (*_stable_diffusion(folder), Slot("pooled_prompt_embeds", 1, pooled, pooled=True))


def _audioldm(folder: Folder) -> tuple[Slot, ...]:
    width = folder.config("unet")["projection_class_embeddings_input_dim"]
    return (Slot("prompt_embeds", 1, int(width), pooled=True),)


def _audioldm2(folder: Folder) -> tuple[Slot, ...]:
    speaker, encoder = folder.config("language_model"), folder.config("text_encoder_2")
    if "d_model" not in encoder:
        raise ConfigError(
            f"{folder.folder}: an AudioLDM 2 for speech reads phonemes, not a T5's text; take one for sounds"
        )
    return (
        Slot("prompt_embeds", folder.longest("tokenizer_2", "text_encoder_2"), int(encoder["d_model"])),
        Slot("generated_prompt_embeds", int(speaker["max_new_tokens"]), int(speaker["n_embd"])),
    )


def _stable_audio(folder: Folder) -> tuple[Slot, ...]:
    return (Slot("prompt_embeds", folder.longest(), int(folder.config("text_encoder")["d_model"])),)


def _wan(folder: Folder) -> tuple[Slot, ...]:
    tokens = folder.default("max_sequence_length")
    return (Slot("prompt_embeds", tokens, int(folder.config("transformer")["text_dim"])),)


def _cogvideox(folder: Folder) -> tuple[Slot, ...]:
    transformer = folder.config("transformer")
    tokens = int(transformer["max_text_seq_length"])
    return (Slot("prompt_embeds", tokens, int(transformer["text_embed_dim"])),)


# A family of pipelines is one line here and one method that encodes text in `pipelines.py`.
FAMILIES: Mapping[str, tuple[Modality, Callable[[Folder], tuple[Slot, ...]]]] = MappingProxyType(
    {
        "StableDiffusionPipeline": ("image", _stable_diffusion),
        "StableDiffusionXLPipeline": ("image", _stable_diffusion_xl),
        "TextToVideoSDPipeline": ("video", _stable_diffusion),
        "WanPipeline": ("video", _wan),
        "CogVideoXPipeline": ("video", _cogvideox),
        "AudioLDMPipeline": ("audio", _audioldm),
        "AudioLDM2Pipeline": ("audio", _audioldm2),
        "StableAudioPipeline": ("audio", _stable_audio),
    }
)


def read_condition(folder: Path, modality: Modality | None = None) -> Condition:
    """The condition of a pipeline, from its own files, without loading it.

    Args:
        folder: as diffusers saves it.
        modality: what it is to make, where that matters.

    Raises:
        ConfigError: no pipeline, one of an unknown family, or one that makes something else.
    """
    try:
        files = Folder(folder)
        if files.kind not in FAMILIES:
            raise ConfigError(
                f"{folder}: a {files.kind}; of diffusion pipelines, {', '.join(FAMILIES)} are known: add a "
                "line to nextgpt/decoding/conditions.py"
            )
        makes, read = FAMILIES[files.kind]
        if modality not in (None, makes):
            raise ConfigError(f"{folder}: a {files.kind} makes {makes}, but the preset has it for {modality}")
        return Condition(read(files))
    except DocumentError as error:
        raise ConfigError(f"{folder}: no diffusion pipeline that is whole: {error}") from error
    except ConfigError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ConfigError(f"{folder}: no diffusion pipeline that is whole: {error!r}") from error
