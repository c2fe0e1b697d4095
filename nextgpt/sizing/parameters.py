"""How many parameters each part of a model has, counted on torch's meta device: no weights, no memory.

What a model is made of says `nextgpt.sizing.structure.parts_of`. Beside each count stands what the paper or
the released code states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from nextgpt.config import Lora
from nextgpt.decoding.projection import output_projection
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from nextgpt.encoding.projection import input_projection
from nextgpt.errors import ConfigError
from nextgpt.reasoning.adapters import adapt, adapters

if TYPE_CHECKING:
    from torch import nn
    from transformers import CLIPVisionConfig


@dataclass(frozen=True)
class PartCount:
    """One part of a model.

    Attributes:
        part: what it is.
        parameters: how many it has.
        trainable: whether any stage of NExT-GPT's training changes it.
        source: which published model has this shape, and what others say that it counts.
    """

    part: str
    parameters: int
    trainable: bool
    source: str


@dataclass(frozen=True)
class Decoder:
    """A frozen diffusion model.

    Attributes:
        name: of the published model.
        queries: tokens of its text condition.
        width: of each of these tokens.
        networks: builds its networks, by name, on the current device.
        channels: of its latents.
        side: height and width of its latents, or their length in time, where no option says another.
        published: what others say of its size; empty for a model of one's own.
        latents: shape of what it denoises for one medium; `parts_of` says it.
    """

    name: str
    queries: int
    width: int
    networks: Callable[[], dict[str, nn.Module]]
    channels: int = 4
    side: int = 64
    published: str = ""
    latents: tuple[int, ...] = ()


@dataclass(frozen=True)
class Counted:
    """An encoder of which no more is known than is counted in its files.

    Attributes:
        out_dim: width of its tokens.
        numbers: how many it holds, by what it takes.
    """

    out_dim: int
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class Parts:
    """What a model is made of.

    Attributes:
        encoder: the frozen encoder's shape; that of a CLIP as transformers has it; of those that packages
            carry what is counted.
        projection: kind of the input projection, "grouping" or "linear".
        language_model: its configuration as transformers has it; a Llama unless model_type says otherwise.
        decoders: diffusion model by modality.
        counts: signal tokens by modality, each with an input row and an output row of its own.
        tags: tokens of the prompt's template that are added to the vocabulary as well.
        vocabulary: whether the last stage trains all token rows.
        projection_options: further fields of the input projection's configuration.
        output_options: likewise of the output projections'.
        sources: which published model a part is of, or what others say of its size, by part: "encoder",
            "input projection", "language model", "LoRA".
        lora_rank: rank of the adapters.
        lora_targets: linear layers that have adapters, by the last part of their name.
    """

    encoder: ImageBindConfig | CLIPVisionConfig | Counted
    projection: str
    language_model: Mapping[str, Any]
    decoders: Mapping[str, Decoder]
    counts: Mapping[str, int]
    tags: int = 0
    vocabulary: bool = False
    projection_options: Mapping[str, Any] = field(default_factory=dict)
    output_options: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    lora_rank: int = 32
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


def count(parts: Parts) -> list[PartCount]:
    """Count every part.

    Args:
        parts: a model's parts.

    Returns:
        In the order in which information flows.

    >>> from nextgpt.encoding.imagebind import TINY
    >>> tiny = Parts(
    ...     encoder=TINY, projection="linear", counts={"image": 4}, decoders={}, lora_rank=2,
    ...     language_model=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                         num_attention_heads=1, vocab_size=10))
    >>> [(row.part, row.parameters) for row in count(tiny) if row.trainable]
    [('input projection, linear', 1032), ('signal tokens', 64), ('LoRA', 128)]
    """
    with made_on("meta"):
        return [*_encoder(parts), *_language_model(parts), *_decoders(parts)]


@contextmanager
def made_on(device: str) -> Iterator[None]:
    """Networks are made on a device; on "meta" they have shapes and no numbers.

    Example:
        >>> with made_on("meta"):
        ...     torch.nn.Linear(4096, 4096).weight.device.type
        'meta'
    """
    # It imports torch's compiler, which torch 2.6 cannot do while the meta device is current.
    import transformers.modeling_utils  # noqa: F401

    with torch.device(device):
        yield


def trainable_share(counts: Sequence[PartCount]) -> float:
    """The share of all parameters that trains, from 0 to 1.

    >>> trainable_share([PartCount("a", 1, True, ""), PartCount("b", 99, False, "")])
    0.01
    """
    return sum(row.parameters for row in counts if row.trainable) / sum(row.parameters for row in counts)


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def width_of(encoder: ImageBindConfig | CLIPVisionConfig | Counted) -> int:
    """Width of an encoder's tokens."""
    if isinstance(encoder, ImageBindConfig | Counted):
        return encoder.out_dim
    return int(encoder.projection_dim)


def described(values: Mapping[str, Any], place: str = "the language model") -> Any:
    """A language model's configuration as transformers has it: what a file leaves unsaid, whatever its names.

    Args:
        values: of its ``config.json``; a Llama unless model_type says otherwise.
        place: where they come from, for messages.

    Raises:
        ConfigError: transformers knows no such model.

    Example:
        >>> described({"model_type": "gpt2", "n_embd": 64}).hidden_size
        64
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.for_model(**{"model_type": "llama", **values})
    except Exception as error:  # the checks of single fields raise what they like
        raise ConfigError(f"{place}: no language model that transformers knows: {error!r}") from error


def _encoder(parts: Parts) -> Iterator[PartCount]:
    source = parts.sources.get("encoder", "")
    if isinstance(parts.encoder, ImageBindConfig):
        encoder = ImageBind(parts.encoder)
        for modality in parts.encoder.modalities:
            size = sum(
                value.numel() for name, value in encoder.named_parameters() if name.split(".")[1] == modality
            )
            yield PartCount(f"encoder, {modality}", size, False, source)
    elif isinstance(parts.encoder, Counted):
        for kind, numbers in parts.encoder.numbers.items():
            yield PartCount(f"encoder, {kind}", numbers, False, source)
    else:
        from transformers import CLIPVisionModelWithProjection

        yield PartCount("encoder, vision", _size(CLIPVisionModelWithProjection(parts.encoder)), False, source)
    projection = input_projection(
        parts.projection,
        in_dim=width_of(parts.encoder),
        out_dim=described(parts.language_model).hidden_size,
        **parts.projection_options,
    )
    yield PartCount(
        f"input projection, {parts.projection}",
        _size(projection),
        True,
        parts.sources.get("input projection", ""),
    )


def _language_model(parts: Parts) -> Iterator[PartCount]:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(described(parts.language_model))
    source = parts.sources.get("language model", "")
    matrices = (model.get_input_embeddings().weight, model.get_output_embeddings().weight)
    own = sum(matrix.numel() for matrix in {id(matrix): matrix for matrix in matrices}.values())
    tokens, width = matrices[0].shape
    added = parts.tags + sum(parts.counts.values())
    yield PartCount("language model", _size(model) - parts.vocabulary * own, False, source)
    if parts.vocabulary:
        rows = f"input and output rows of {tokens + added:,} tokens; the released file holds them all"
        yield PartCount("token rows", 2 * (tokens + added) * width, True, rows)
    else:
        rows = f"input and output rows of {added} tokens"
        yield PartCount("signal tokens", 2 * added * width, True, rows)
    adapt(model, Lora(parts.lora_rank, parts.lora_rank, targets=parts.lora_targets))
    lora = sum(value.numel() for value in adapters(model).values())
    said = parts.sources.get("LoRA", "")
    rank = f"rank {parts.lora_rank} on {', '.join(parts.lora_targets)}"
    yield PartCount("LoRA", lora, True, f"{rank}; {said}" if said else rank)


def _decoders(parts: Parts) -> Iterator[PartCount]:
    for modality, decoder in parts.decoders.items():
        projection = output_projection(
            "transformer",
            in_dim=described(parts.language_model).hidden_size,
            out_dim=decoder.width,
            queries=decoder.queries,
            **parts.output_options,
        )
        source = f"{decoder.queries} x {decoder.width}, the condition of {decoder.name}"
        source += "; paper: 31M to 32M" if decoder.published else ""
        yield PartCount(f"output projection, {modality}", _size(projection), True, source)
    for modality, decoder in parts.decoders.items():
        for name, network in decoder.networks().items():
            yield PartCount(
                f"{modality} decoder, {name}",
                _size(network),
                False,
                f"{decoder.name}; {decoder.published}" if decoder.published else decoder.name,
            )
