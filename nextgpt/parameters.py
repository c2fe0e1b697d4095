"""How many parameters each part of a model has, counted on torch's meta device: no weights, no memory.

The full-size shapes below are those of the published models, written as the configurations that
transformers and diffusers read, so that counting needs no download. Beside each count stands what the
paper or the released code states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from nextgpt.decoding.projection import output_projection
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from nextgpt.encoding.projection import input_projection

if TYPE_CHECKING:
    from torch import nn


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
        published: what others say of its size.
        latents: shape of what it denoises for one medium.
    """

    name: str
    queries: int
    width: int
    networks: Callable[[], dict[str, nn.Module]]
    published: str
    latents: tuple[int, ...] = ()


@dataclass(frozen=True)
class Parts:
    """What a model is made of.

    Attributes:
        encoder: the frozen encoder's shape.
        projection: kind of the input projection, "grouping" or "linear".
        language_model: its configuration as transformers has it; a Llama unless model_type says otherwise.
        decoders: diffusion model by modality.
        counts: signal tokens by modality, each with an input row and an output row of its own.
        tags: tokens of the prompt's template that are added to the vocabulary as well.
        vocabulary: whether the last stage trains all token rows.
        projection_options: further fields of the input projection's configuration.
        output_options: likewise of the output projections'.
        sources: which published model the encoder, the input projection and the language model are of.
        lora_rank: rank of the adapters.
        lora_targets: linear layers that have adapters, by the last part of their name.
    """

    encoder: ImageBindConfig
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


def count(parts: Parts | str) -> list[PartCount]:
    """Count every part.

    Args:
        parts: a model's parts, or "7b", "7b-sd2" or "7b-v0".

    Returns:
        In the order in which information flows.

    Raises:
        ValueError: there is no such preset.

    >>> from nextgpt.encoding.imagebind import TINY
    >>> tiny = Parts(
    ...     encoder=TINY, projection="linear", counts={"image": 4}, decoders={}, lora_rank=2,
    ...     language_model=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                         num_attention_heads=1, vocab_size=10))
    >>> [(row.part, row.parameters) for row in count(tiny) if row.trainable]
    [('input projection, linear', 1032), ('signal tokens', 64), ('LoRA', 128)]
    """
    if isinstance(parts, str):
        if parts not in FULL_SIZE:
            raise ValueError(f"there are no counts for the preset {parts!r}, only for {', '.join(FULL_SIZE)}")
        parts = FULL_SIZE[parts]
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


def _encoder(parts: Parts) -> Iterator[PartCount]:
    encoder = ImageBind(parts.encoder)
    for modality in parts.encoder.modalities:
        size = sum(
            value.numel() for name, value in encoder.named_parameters() if name.split(".")[1] == modality
        )
        yield PartCount(f"encoder, {modality}", size, False, parts.sources.get("encoder", ""))
    projection = input_projection(
        parts.projection,
        in_dim=parts.encoder.out_dim,
        out_dim=parts.language_model["hidden_size"],
        **parts.projection_options,
    )
    yield PartCount(
        f"input projection, {parts.projection}",
        _size(projection),
        True,
        parts.sources.get("input projection", ""),
    )


def _language_model(parts: Parts) -> Iterator[PartCount]:
    from transformers import AutoConfig, AutoModelForCausalLM

    values = {"model_type": "llama", **parts.language_model}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**values))
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
    adapted = [m for name, m in model.named_modules() if name.rpartition(".")[2] in parts.lora_targets]
    lora = sum(parts.lora_rank * (linear.in_features + linear.out_features) for linear in adapted)
    yield PartCount(
        "LoRA", lora, True, f"rank {parts.lora_rank} on {', '.join(parts.lora_targets)}; paper: 33M"
    )


def _decoders(parts: Parts) -> Iterator[PartCount]:
    for modality, decoder in parts.decoders.items():
        projection = output_projection(
            "transformer",
            in_dim=parts.language_model["hidden_size"],
            out_dim=decoder.width,
            queries=decoder.queries,
            **parts.output_options,
        )
        source = f"{decoder.queries} x {decoder.width}, the condition of {decoder.name}; paper: 31M to 32M"
        yield PartCount(f"output projection, {modality}", _size(projection), True, source)
    for modality, decoder in parts.decoders.items():
        for name, network in decoder.networks().items():
            yield PartCount(
                f"{modality} decoder, {name}",
                _size(network),
                False,
                f"{decoder.name}; {decoder.published}",
            )


# The published diffusion models ------------------------------------------------------------------


def _clip_text(**values: Any) -> nn.Module:
    from transformers import CLIPTextConfig, CLIPTextModel

    model: nn.Module = CLIPTextModel(CLIPTextConfig(**values))
    return model


def _vae(blocks: int = 4, **values: Any) -> nn.Module:
    from diffusers import AutoencoderKL

    model: nn.Module = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512)[:blocks],
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        layers_per_block=2,
        **values,
    )
    return model


def _open_clip_text() -> nn.Module:
    """The text encoder that Stable Diffusion 2 and Zeroscope share."""
    return _clip_text(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16)


def _stable_diffusion_1_5() -> dict[str, nn.Module]:
    from diffusers import UNet2DConditionModel

    text = _clip_text(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    return {"text encoder": text, "UNet": UNet2DConditionModel(cross_attention_dim=768), "VAE": _vae()}


def _stable_diffusion_2() -> dict[str, nn.Module]:
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(
        cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
    )
    return {"text encoder": _open_clip_text(), "UNet": unet, "VAE": _vae()}


def _zeroscope() -> dict[str, nn.Module]:
    from diffusers import UNet3DConditionModel

    unet = UNet3DConditionModel(cross_attention_dim=1024, attention_head_dim=64)
    return {"text encoder": _open_clip_text(), "UNet": unet, "VAE": _vae()}


def _audioldm_large() -> dict[str, nn.Module]:
    from diffusers import UNet2DConditionModel
    from transformers import (
        ClapTextConfig,
        ClapTextModelWithProjection,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
    )

    channels = (256, 512, 768, 1280)
    unet = UNet2DConditionModel(
        in_channels=8,
        out_channels=8,
        block_out_channels=channels,
        # No text in the cross-attention: it looks at the sound itself, and the text enters as a class.
        cross_attention_dim=channels,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * 3),
        up_block_types=(*("CrossAttnUpBlock2D",) * 3, "UpBlock2D"),
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=512,
        class_embeddings_concat=True,
    )
    vocoder = SpeechT5HifiGanConfig(
        model_in_dim=64,
        upsample_initial_channel=1024,
        upsample_rates=[5, 4, 2, 2, 2],
        upsample_kernel_sizes=[16, 16, 8, 4, 4],
        normalize_before=False,
    )
    return {
        "text encoder": ClapTextModelWithProjection(ClapTextConfig()),
        "UNet": unet,
        "VAE": _vae(blocks=3, in_channels=1, out_channels=1, latent_channels=8),
        "vocoder": SpeechT5HifiGan(vocoder),
    }


STABLE_DIFFUSION_1_5 = Decoder(
    "Stable Diffusion 1.5", 77, 768, _stable_diffusion_1_5, "paper: 1.3B in all", (4, 64, 64)
)
STABLE_DIFFUSION_2 = Decoder(
    "Stable Diffusion 2", 77, 1024, _stable_diffusion_2, "the newer code's choice", (4, 96, 96)
)
# 16 frames of 320 x 576, and 5 seconds: 500 frames of 64 mel bins, of which the VAE keeps one in four either
# way. So says the newer code; the older makes 24 frames and 9 seconds. The presets' options say the same.
ZEROSCOPE = Decoder("Zeroscope v2 576w", 77, 1024, _zeroscope, "paper: 1.8B in all", (4, 16, 40, 72))
AUDIOLDM_LARGE = Decoder("AudioLDM-l-full", 1, 512, _audioldm_large, "paper: 975M in all", (8, 125, 16))
_OLDER = {
    "video": replace(ZEROSCOPE, latents=(4, 24, 40, 72)),
    "audio": replace(AUDIOLDM_LARGE, latents=(8, 225, 16)),
}

# What NExT-GPT reads of ImageBind-huge; text is not used.
_HUGE = ImageBindConfig()
_VISION_AND_AUDIO = replace(_HUGE, modalities={name: _HUGE.modalities[name] for name in ("vision", "audio")})

SEVEN_B = Parts(
    encoder=_VISION_AND_AUDIO,
    projection="grouping",
    sources={
        "encoder": "ImageBind-huge; 1,200,781,057 together with the four modalities that are left out here",
        "input projection": "after the paper, which says 28M; released code, more in a block: 53,144,912",
        "language model": "Vicuna-7B",
    },
    # transformers' defaults for Llama are those of the first 7B model, Vicuna's base.
    language_model={"hidden_size": 4096, "vocab_size": 32_000},
    counts={"image": 4, "video": 24, "audio": 8},
    decoders={"image": STABLE_DIFFUSION_1_5, "video": ZEROSCOPE, "audio": AUDIOLDM_LARGE},
)
FULL_SIZE = {
    "7b": SEVEN_B,
    "7b-sd2": replace(SEVEN_B, decoders={**SEVEN_B.decoders, "image": STABLE_DIFFUSION_2}),
    "7b-v0": replace(
        SEVEN_B,
        projection="linear",
        decoders={**SEVEN_B.decoders, **_OLDER},
        sources={**SEVEN_B.sources, "input projection": "released weights: 4,198,400"},
        # The two tokens around a picture were added to the vocabulary as well, and all of it trained.
        tags=2,
        vocabulary=True,
    ),
}
