"""The layers of ImageBind, with the published names of their parts."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST_LOGIT_SCALE = 100.0


class PatchPositions(nn.Module):
    """Position embeddings, under the published name."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, width) * 0.02)


class RepeatFrames(nn.Module):
    """`[B, 3, H, W]` to `[B, 3, T, H, W]` by repetition; clips of T frames pass through."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames

    def forward(self, x: Tensor) -> Tensor:
        """Images or clips to clips."""
        return x if x.ndim == 5 else x.unsqueeze(2).expand(-1, -1, self.frames, -1, -1)


class PatchStem(nn.Module):
    """A convolution that makes one token of each patch."""

    def __init__(self, proj: nn.Module, norm_width: int | None) -> None:
        super().__init__()
        self.proj = proj
        self.norm_layer = nn.LayerNorm(norm_width) if norm_width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Float `[B, channels, ...]` to tokens float `[B, N, width]`."""
        tokens: Tensor = self.norm_layer(self.proj(x).flatten(2).transpose(1, 2))
        return tokens


class PatchPreprocessor(nn.Module):
    """Vision and audio: patches, a CLS token before them, positions added."""

    def __init__(self, stem: PatchStem, patches: int, width: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * width**-0.5)
        self.rgbt_stem = stem
        self.pos_embedding_helper = PatchPositions(patches + 1, width)

    def forward(self, x: Tensor) -> Tensor:
        """Images, clips or spectrograms to tokens float `[B, 1 + N, width]`."""
        patches = self.rgbt_stem(x)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], dim=1)
        return tokens + self.pos_embedding_helper.pos_embed


class TextPreprocessor(nn.Module):
    """Token embeddings plus positions; the causal mask for the trunk lives here, as published."""

    def __init__(self, vocabulary: int, context: int, width: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, context, width) * 0.01)
        self.mask: Tensor
        self.register_buffer("mask", torch.full((context, context), -math.inf).triu(1))

    def forward(self, x: Tensor) -> Tensor:
        """Token ids int64 `[B, L]` to tokens float `[B, L, width]`."""
        embedded: Tensor = self.token_embedding(x)
        return embedded + self.pos_embed[:, : x.shape[1]]


class Block(nn.Module):
    """Pre-norm self-attention and MLP."""

    def __init__(self, width: int, heads: int, *, bias_kv: bool) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, add_bias_kv=bias_kv, batch_first=True)
        self.norm_1 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.norm_2 = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Tokens float `[B, L, width]`; the mask, float `[L, L]`, is added to the attention logits."""
        normed = self.norm_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        hidden: Tensor = x + self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm_2(x))))
        return hidden


class Trunk(nn.Module):
    """One modality's transformer: vision has a norm before it, audio a learnt key and value in each block."""

    def __init__(self, width: int, blocks: int, heads: int, *, pre_norm: bool, bias_kv: bool) -> None:
        super().__init__()
        norm = [nn.LayerNorm(width, eps=1e-6)] if pre_norm else []
        self.pre_transformer_layer = nn.Sequential(*norm)
        self.blocks = nn.ModuleList(Block(width, heads, bias_kv=bias_kv) for _ in range(blocks))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Tokens float `[B, L, width]` to the same, seen through all blocks."""
        x = self.pre_transformer_layer(x)
        for block in self.blocks:
            x = block(x, mask)
        return x


class LogitScale(nn.Module):
    """Multiplies by e to the power of `log_logit_scale`, at most 100."""

    def __init__(self, scale: float, *, learnable: bool) -> None:
        super().__init__()
        self.log_logit_scale: Tensor
        log_scale = torch.tensor(math.log(scale))
        if learnable:
            self.log_logit_scale = nn.Parameter(log_scale)
        else:
            self.register_buffer("log_logit_scale", log_scale)

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings float `[B, out_dim]`, scaled."""
        return self.log_logit_scale.exp().clamp(max=LARGEST_LOGIT_SCALE) * x


class TextHead(nn.Module):
    """Text's way into the shared space; the published checkpoint calls it `proj`."""

    def __init__(self, width: int, out_dim: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.LayerNorm(width, eps=1e-6), nn.Linear(width, out_dim, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Tokens float `[..., width]` to float `[..., out_dim]`."""
        projected: Tensor = self.proj(x)
        return projected
