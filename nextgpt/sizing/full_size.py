"""The shapes of the published models that presets name, so that no download is needed to count them.

They are written as the configurations that transformers and diffusers read, and found by the place that a
preset names: the id on the hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nextgpt.encoding.imagebind import ImageBindConfig
from nextgpt.sizing.parameters import Decoder

if TYPE_CHECKING:
    from torch import nn

_WHOLE = ImageBindConfig()
# What NExT-GPT reads of ImageBind-huge; text is not used.
IMAGEBIND_HUGE = replace(_WHOLE, modalities={name: _WHOLE.modalities[name] for name in ("vision", "audio")})

ENCODERS: Mapping[str, ImageBindConfig] = {"nielsr/imagebind-huge": IMAGEBIND_HUGE}

# transformers' defaults for Llama are those of the first 7B model, Vicuna's base.
_LLAMA_1 = {"model_type": "llama", "hidden_size": 4096, "vocab_size": 32_000}
LANGUAGE_MODELS: Mapping[str, Mapping[str, Any]] = {
    "vicuna-7b-v0": _LLAMA_1,
    "lmsys/vicuna-7b-v1.5": {**_LLAMA_1, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5},
}

# What others say of a part's size, beside Vicuna-7B.
SOURCES: Mapping[str, str] = {
    "encoder": "ImageBind-huge; 1,200,781,057 together with the four modalities that are left out here",
    "grouping": "after the paper, which says 28M; released code, more in a block: 53,144,912",
    "linear": "released weights: 4,198,400",
    "language model": "Vicuna-7B",
    "LoRA": "paper: 33M",
}


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


DECODERS: Mapping[str, Decoder] = {
    "stable-diffusion-v1-5/stable-diffusion-v1-5": Decoder(
        "Stable Diffusion 1.5", 77, 768, _stable_diffusion_1_5, side=64, published="paper: 1.3B in all"
    ),
    "stabilityai/stable-diffusion-2": Decoder(
        "Stable Diffusion 2", 77, 1024, _stable_diffusion_2, side=96, published="the newer code's choice"
    ),
    "cerspense/zeroscope_v2_576w": Decoder(
        "Zeroscope v2 576w", 77, 1024, _zeroscope, side=32, published="paper: 1.8B in all"
    ),
    "cvssp/audioldm-l-full": Decoder(
        "AudioLDM-l-full", 1, 512, _audioldm_large, channels=8, side=128, published="paper: 975M in all"
    ),
}
