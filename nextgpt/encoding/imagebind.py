"""ImageBind (vision, text, audio) in plain torch, with the key layout of `imagebind_huge.pth`.

One transformer trunk per modality, all ending in one embedding space. Besides the embedding of a
whole item, `ImageBind.tokens` gives the head's answer for every patch, which the grouping
projection reads.

Where this differs from the published code:

- An input of the wrong size is refused instead of being met with interpolated positions.
- Clips are told from frames by the number of axes alone (see `ImageBind.forward`); a single clip is
  written `[B, 1, 3, T, H, W]`, and `[B, S, 3, H, W]` is an error.
- The end-of-text token is looked up by its id, not as the largest id of the row, and a text
  without one is refused; the answers are the same wherever the published code has a right one.
- Stochastic depth, used only in ImageBind's own training, is left out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt.encoding.imagebind_layers import (
    LogitScale,
    PatchPreprocessor,
    PatchStem,
    RepeatFrames,
    TextHead,
    TextPreprocessor,
    Trunk,
)
from nextgpt.encoding.preprocessing import (
    AUDIO_RATE,
    IMAGE_MEAN,
    IMAGE_STD,
    preprocess_audio,
    preprocess_image,
    preprocess_video,
)
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Modality

__all__ = [
    "IMAGE_MEAN",
    "IMAGE_STD",
    "TINY",
    "ImageBind",
    "ImageBindConfig",
    "TrunkConfig",
    "preprocess_image",
]

# e to the power of `log_logit_scale` multiplies the normalised embedding; vision has none.
LOGIT_SCALES = {"text": 1 / 0.07, "audio": 20.0}


@dataclass(frozen=True)
class TrunkConfig:
    """The size of one modality's transformer; its MLPs are four times as wide as its tokens."""

    width: int
    blocks: int
    heads: int


@dataclass(frozen=True)
class ImageBindConfig:
    """The shape of an ImageBind; the defaults are ImageBind-huge's vision, text and audio.

    Attributes:
        out_dim: width of the shared embedding space.
        modalities: the trunks present, among "vision", "text" and "audio".
        kernel: frames, height and width of one vision patch; an image is repeated over the frames.
        image_size: height and width of vision inputs in pixels.
        vocabulary: number of text token ids.
        context: longest text in tokens.
        end_token: id of the token at which a text's embedding is read.
        mel_bins: height of audio inputs.
        mel_frames: width of audio inputs.
        audio_kernel: height and width of one audio patch.
        audio_stride: step from one audio patch to the next; patches overlap.

    >>> ImageBindConfig().patches("vision"), ImageBindConfig().patches("audio")
    (256, 228)
    """

    out_dim: int = 1024
    modalities: Mapping[str, TrunkConfig] = field(
        default_factory=lambda: {
            "vision": TrunkConfig(1280, 32, 16),
            "text": TrunkConfig(1024, 24, 16),
            "audio": TrunkConfig(768, 12, 12),
        }
    )
    kernel: tuple[int, int, int] = (2, 14, 14)
    image_size: int = 224
    vocabulary: int = 49408
    context: int = 77
    end_token: int = 49407
    mel_bins: int = 128
    mel_frames: int = 204
    audio_kernel: int = 16
    audio_stride: int = 10

    def __post_init__(self) -> None:
        unknown = set(self.modalities) - {"vision", "text", "audio"}
        if unknown or not self.modalities:
            raise ValueError(
                f"ImageBindConfig.modalities holds {sorted(self.modalities)}; "
                "give at least one of vision, text, audio and nothing else"
            )
        if self.image_size % self.kernel[1] or self.image_size % self.kernel[2]:
            raise ValueError(
                f"ImageBindConfig.image_size {self.image_size} is no multiple of the kernel {self.kernel[1:]}"
            )

    def reads(self, key: str) -> bool:
        """Whether a tensor of the published file is wanted: of its six modalities four may go unread.

        Example:
            >>> ImageBindConfig().reads("modality_trunks.imu.blocks.0.norm_1.weight")
            False
        """
        others = {"text", "depth", "thermal", "imu"} - set(self.modalities)
        return not (key.startswith("modality_") and key.split(".")[1] in others)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`, as read from YAML or JSON.

        Raises:
            TypeError: a field is unknown.

        >>> vision = {"width": 8, "blocks": 1, "heads": 2}
        >>> ImageBindConfig.from_dict({"modalities": {"vision": vision}}).modalities
        {'vision': TrunkConfig(width=8, blocks=1, heads=2)}
        """
        values = dict(values)
        if "modalities" in values:
            values["modalities"] = {
                name: TrunkConfig(**trunk) for name, trunk in values["modalities"].items()
            }
        if "kernel" in values:
            values["kernel"] = tuple(values["kernel"])
        return cls(**values)

    def patches(self, modality: str) -> int:
        """Tokens of one item besides its CLS token; for text, the longest text."""
        if modality == "vision":
            return (self.image_size // self.kernel[1]) * (self.image_size // self.kernel[2])
        if modality == "audio":
            sides = (self.mel_bins, self.mel_frames)
            return math.prod((side - self.audio_kernel) // self.audio_stride + 1 for side in sides)
        return self.context


TINY = ImageBindConfig(
    out_dim=128,
    modalities={"vision": TrunkConfig(128, 4, 4), "text": TrunkConfig(128, 3, 4)},
    kernel=(2, 8, 8),
    image_size=64,
    vocabulary=800,
    context=48,
    end_token=2,
)


class ImageBind(nn.Module):
    """The encoder: embeddings of whole items, and tokens of their patches.

    The submodule names are those of the published checkpoint; to load part of it, keep the keys of
    the modalities at hand and load them strictly.

    >>> model = ImageBind(TINY).eval()
    >>> model("vision", torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 128])
    >>> model.tokens("vision", torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 64, 128])
    """

    def __init__(self, config: ImageBindConfig) -> None:
        super().__init__()
        self.config = config
        trunks = config.modalities
        self.modality_preprocessors = nn.ModuleDict({name: _preprocessor(name, config) for name in trunks})
        self.modality_trunks = nn.ModuleDict(
            {
                name: Trunk(
                    trunk.width, trunk.blocks, trunk.heads, pre_norm=name == "vision", bias_kv=name == "audio"
                )
                for name, trunk in trunks.items()
            }
        )
        self.modality_heads = nn.ModuleDict(
            {name: _head(name, trunk.width, config.out_dim) for name, trunk in trunks.items()}
        )
        self.modality_postprocessors = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Identity(), LogitScale(LOGIT_SCALES[name], learnable=name == "text"))
                for name in trunks
                if name in LOGIT_SCALES
            }
        )

    def forward(self, modality: str, x: Tensor, *, scaled: bool = True) -> Tensor:
        """One embedding per item: L2-normalised, scaled, then averaged over clips.

        Args:
            modality: "vision", "text" or "audio".
            x: vision: float `[B, 3, H, W]` images or `[B, S, 3, T, H, W]` videos of S clips of
                T = `kernel[0]` frames; audio: float `[B, 1, mel, frames]` or `[B, S, 1, mel, frames]`;
                text: int64 `[B, L]` with L at most `context`, holding `end_token` in every row.
            scaled: multiply text and audio by their logit scale, as ImageBind does. NExT-GPT's
                released weights were trained on audio without it.

        Returns:
            float `[B, out_dim]`. The mean of several clips is not normalised again, so its norm is
            at most the scale.

        Raises:
            ValueError: the modality is absent, or the shape or a text does not fit.

        >>> ImageBind(TINY)("text", torch.tensor([[5, 6, 2, 0]])).norm(dim=-1).round().item()
        14.0
        """
        x, clips = self._clips(modality, x)
        hidden = self._encode(modality, x)
        if modality == "text":
            selected = hidden[torch.arange(len(x), device=x.device), self._ends(x)]
        else:
            selected = hidden[:, 0]
        embedding: Tensor = functional.normalize(self.modality_heads[modality](selected), dim=-1)
        if scaled and modality in self.modality_postprocessors:
            embedding = self.modality_postprocessors[modality](embedding)
        return _average(embedding, clips)

    def tokens(self, modality: str, x: Tensor, *, with_cls: bool = False, normalised: bool = True) -> Tensor:
        """One vector per patch: the head's LayerNorm and Linear applied to each token of the trunk.

        Args:
            modality: "vision", "text" or "audio".
            x: as in `forward`.
            with_cls: keep the CLS token, as the first; text has none.
            normalised: L2-normalise each token, as NExT-GPT does before it averages clips.

        Returns:
            float `[B, N, out_dim]`, averaged over clips position by position; patches in row-major order.

        Raises:
            ValueError: as in `forward`.
        """
        x, clips = self._clips(modality, x)
        tokens: Tensor = self.modality_heads[modality](self._encode(modality, x))
        if modality != "text" and not with_cls:
            tokens = tokens[:, 1:]
        if normalised:
            tokens = functional.normalize(tokens, dim=-1)
        return _average(tokens, clips)

    @property
    def out_dim(self) -> int:
        """Width of the tokens."""
        return self.config.out_dim

    @property
    def reads(self) -> frozenset[Modality]:
        """The media that `encode` takes: those whose trunk is there."""
        seen: frozenset[Modality] = frozenset(
            {"image", "video"} if "vision" in self.config.modalities else ()
        )
        heard: frozenset[Modality] = frozenset({"audio"} if "audio" in self.config.modalities else ())
        return seen | heard

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """Tokens of media, all of one kind: float ``[N, 1 + P, out_dim]``, the CLS token first.

        Clips and sounds are seen and heard in pieces, whose tokens are averaged place by place.
        """
        prepared = torch.stack([self._prepared(medium) for medium in media])
        weight = next(self.parameters())
        trunk = "audio" if isinstance(media[0], Audio) else "vision"
        pieces = 1 if isinstance(media[0], Image) else prepared.shape[1]
        if pieces == 1:
            return self.tokens(trunk, prepared.to(weight.device, weight.dtype), with_cls=True)
        different, places = _distinct(prepared.flatten(0, 1))
        tokens = self.tokens(trunk, different.unsqueeze(1).to(weight.device, weight.dtype), with_cls=True)
        return _average(tokens[places.to(tokens.device)], pieces)

    def _prepared(self, medium: Medium) -> Tensor:
        config = self.config
        if isinstance(medium, Image):
            return preprocess_image(medium.pixels, config.image_size)
        if isinstance(medium, Video):
            return preprocess_video(medium.frames, medium.fps, config.image_size, config.kernel[0])
        samples = medium.resampled(AUDIO_RATE).samples
        return preprocess_audio(samples, config.mel_bins, config.mel_frames)

    def _encode(self, modality: str, x: Tensor) -> Tensor:
        """All tokens of the modality's trunk, float `[B, tokens, width]`."""
        preprocessor = self.modality_preprocessors[modality]
        mask = None
        if isinstance(preprocessor, TextPreprocessor):
            mask = preprocessor.mask[: x.shape[1], : x.shape[1]]
        hidden: Tensor = self.modality_trunks[modality](preprocessor(x), mask)
        return hidden

    def _clips(self, modality: str, x: Tensor) -> tuple[Tensor, int]:
        """Fold the clips into the batch: `[B * S, ...]` and S; refuse what does not fit."""
        config = self.config
        if modality not in config.modalities:
            raise ValueError(f"this ImageBind has no {modality!r} trunk, only {', '.join(config.modalities)}")
        size = config.image_size
        if modality == "text":
            clipped, fits = False, x.ndim == 2 and 0 < x.shape[1] <= config.context
            expected = f"[B, L] with L at most {config.context}"
        else:
            frame = (3, size, size) if modality == "vision" else (1, config.mel_bins, config.mel_frames)
            clip = (3, config.kernel[0], size, size) if modality == "vision" else frame
            clipped = x.shape[2:] == clip
            fits = clipped or x.shape[1:] == frame
            expected = f"[B, {', '.join(map(str, frame))}] or [B, clips, {', '.join(map(str, clip))}]"
        if not fits:
            raise ValueError(f"ImageBind {modality} input has shape {list(x.shape)}; it must be {expected}")
        return (x.flatten(0, 1), x.shape[1]) if clipped else (x, 1)

    def _ends(self, text: Tensor) -> Tensor:
        """Where each row's first end token stands, int64 `[B]`."""
        is_end = text == self.config.end_token
        missing = (~is_end.any(1)).nonzero().flatten().tolist()
        if missing:
            raise ValueError(
                f"ImageBind text rows {missing[:8]} hold no end token (id {self.config.end_token}); "
                "end each text with it, truncated ones included"
            )
        return is_end.int().argmax(1)


def _distinct(pieces: Tensor) -> tuple[Tensor, Tensor]:
    """The pieces that differ, and for each piece its place among them: int64 ``[len(pieces)]``.

    Of what is short, all pieces are the same, and of what is square, all crops.
    """
    found: dict[bytes, int] = {}
    first: list[int] = []
    places = []
    for number, piece in enumerate(pieces):
        key = hashlib.blake2b(piece.contiguous().numpy()).digest()
        if key not in found:
            found[key] = len(first)
            first.append(number)
        places.append(found[key])
    return pieces[first], torch.tensor(places)


def _average(x: Tensor, clips: int) -> Tensor:
    """`[B * clips, ...]` to `[B, ...]`."""
    return x.view(len(x) // clips, clips, *x.shape[1:]).mean(1)


def _head(modality: str, width: int, out_dim: int) -> nn.Module:
    if modality == "text":
        return TextHead(width, out_dim)
    # The identity stands where the published head selects the CLS token, so that the Linear keeps its number.
    return nn.Sequential(nn.LayerNorm(width, eps=1e-6), nn.Identity(), nn.Linear(width, out_dim, bias=False))


def _preprocessor(modality: str, config: ImageBindConfig) -> nn.Module:
    width = config.modalities[modality].width
    if modality == "text":
        return TextPreprocessor(config.vocabulary, config.context, width)
    if modality == "vision":
        convolution = nn.Conv3d(3, width, config.kernel, stride=config.kernel, bias=False)
        stem = PatchStem(nn.Sequential(RepeatFrames(config.kernel[0]), convolution), norm_width=None)
    else:
        audio_convolution = nn.Conv2d(1, width, config.audio_kernel, stride=config.audio_stride, bias=False)
        stem = PatchStem(audio_convolution, norm_width=width)
    return PatchPreprocessor(stem, config.patches(modality), width)
