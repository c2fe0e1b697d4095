"""The grouping projection: patch tokens gathered into a few concept tokens for the language model.

Written from section 4.1 and appendix C.1 of the paper, which takes the idea from GroupViT: learnable
group tokens attend together with the patches, then a grouping block assigns each patch to the one
group that it resembles most, and the groups, with what they were given, are the next stage's patches.

    A = softmax over groups of ((norm(C) . norm(X) + G) / temperature),   C' = C + MLP(one-hot(A), X)

with Gumbel noise G in training only, a learnable temperature, and straight-through gradients.

The patch tokens carry their positions from the encoder, so none are added here: shuffling the patches
changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Stage:
    """One stage: `depth` self-attention blocks over patches and groups, then one grouping block."""

    depth: int
    groups: int


@dataclass(frozen=True)
class GroupingConfig:
    """The shape of a grouping projection; the defaults are those of the released code for 7B.

    The paper counts 28M parameters for it, the released code has 53.1M, and these defaults come to
    46.3M. Widths, depths and group counts are the released ones. Left out, because the paper's
    formula has no place for them, are each released grouping block's cross-attention and token-mixing
    MLPs: groups already read the patches in the self-attention that they share. Half as many blocks
    (depths 3 and 2, refine 1) come to 27.4M, nearest to the paper.

    Attributes:
        in_dim: width of the encoder's patch tokens.
        out_dim: width of the language model.
        width: width inside.
        stages: from patches to concept tokens; the last stage's groups are the concept tokens.
        refine: self-attention blocks over the concept tokens alone.
        heads: attention heads, in all blocks.
        mlp_ratio: how much wider than the tokens the MLPs are.
    """

    in_dim: int = 1024
    out_dim: int = 4096
    width: int = 512
    stages: tuple[Stage, ...] = (Stage(6, 64), Stage(3, 8))
    refine: int = 3
    heads: int = 8
    mlp_ratio: int = 4

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("GroupingConfig.stages is empty; give at least one stage")
        if self.width % self.heads:
            raise ValueError(f"GroupingConfig.width {self.width} is no multiple of its {self.heads} heads")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`, as read from YAML or JSON.

        Raises:
            TypeError: a field is unknown.

        >>> GroupingConfig.from_dict({"stages": [{"depth": 2, "groups": 12}]}).stages
        (Stage(depth=2, groups=12),)
        """
        values = dict(values)
        if "stages" in values:
            values["stages"] = tuple(Stage(**stage) for stage in values["stages"])
        return cls(**values)


TINY = GroupingConfig(
    in_dim=128, out_dim=192, width=128, stages=(Stage(2, 12),), refine=0, heads=4, mlp_ratio=2
)


class GroupingProjection(nn.Module):
    """Patch tokens in, `stages[-1].groups` concept tokens in the language model's width out.

    >>> projection = GroupingProjection(TINY)
    >>> projection(torch.randn(3, 64, 128)).shape
    torch.Size([3, 12, 192])
    """

    def __init__(self, config: GroupingConfig) -> None:
        super().__init__()
        self.config = config
        # Normalised first: encoders' tokens may have unit length, far from the scale of the blocks.
        self.enter = nn.Sequential(nn.LayerNorm(config.in_dim), nn.Linear(config.in_dim, config.width))
        self.stages = nn.ModuleList(_GroupingStage(stage, config) for stage in config.stages)
        self.refine = nn.Sequential(*(_block(config) for _ in range(config.refine)))
        self.leave = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, config.out_dim))

    @property
    def tokens(self) -> int:
        """Tokens given to the language model per item."""
        return self.config.stages[-1].groups

    def forward(self, patch_tokens: Tensor, cls: Tensor | None = None) -> Tensor:
        """Gather patches into concept tokens.

        Args:
            patch_tokens: float `[B, N, in_dim]`, any N.
            cls: not used; every input projection is called alike.

        Returns:
            float `[B, M, out_dim]`.
        """
        del cls
        tokens = self.enter(patch_tokens)
        for stage in self.stages:
            tokens, _ = stage(tokens)
        concepts: Tensor = self.leave(self.refine(tokens))
        return concepts

    def assignments(self, patch_tokens: Tensor) -> Iterator[Tensor]:
        """Which group each token went to, stage by stage.

        Yields:
            One-hot float `[B, groups, tokens of the stage]`: each column holds a single one. The
            product of all stages' matrices, last first, assigns patches to concept tokens.

        >>> (one_hot,) = GroupingProjection(TINY).assignments(torch.randn(1, 64, 128))
        >>> one_hot.shape, one_hot.sum(1).unique().tolist()
        (torch.Size([1, 12, 64]), [1.0])
        """
        tokens = self.enter(patch_tokens)
        for stage in self.stages:
            tokens, assignment = stage(tokens)
            yield assignment


class _GroupingStage(nn.Module):
    def __init__(self, stage: Stage, config: GroupingConfig) -> None:
        super().__init__()
        # Unlike each other from the first step, or all groups would win the same patches.
        self.groups = nn.Parameter(torch.randn(1, stage.groups, config.width))
        self.blocks = nn.Sequential(*(_block(config) for _ in range(stage.depth)))
        self.grouping = _GroupingBlock(config)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """`[B, N, width]` to groups `[B, S, width]` and their assignment `[B, S, N]`."""
        groups = self.groups.expand(len(tokens), -1, -1)
        together = self.blocks(torch.cat([groups, tokens], dim=1))
        grouped: tuple[Tensor, Tensor] = self.grouping(
            *together.split([groups.shape[1], tokens.shape[1]], dim=1)
        )
        return grouped


class _GroupingBlock(nn.Module):
    """Each token goes to one group; each group adds the mean of its tokens to itself."""

    def __init__(self, config: GroupingConfig) -> None:
        super().__init__()
        width = config.width
        self.group_norm, self.key_norm, self.value_norm, self.norm = (nn.LayerNorm(width) for _ in range(4))
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        # Orthogonal at first: similarities and values then have the size of their inputs.
        for linear in (self.query, self.key, self.value):
            nn.init.orthogonal_(linear.weight)
        self.mlp = nn.Sequential(
            nn.Linear(width, config.mlp_ratio * width), nn.GELU(), nn.Linear(config.mlp_ratio * width, width)
        )
        # Kept as a logarithm, so that no step makes it negative. At first it brings the similarities,
        # products of normalised vectors, to the size of one.
        # Not a scalar: FSDP spreads vectors only.
        self.log_temperature = nn.Parameter(torch.full((1,), math.log(width) / 2))

    def forward(self, groups: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        query = self.query(self.group_norm(groups))
        # Patches of one item have much in common, which would send them all to the same group: what
        # decides is how a patch differs from the item's mean.
        key = self.key(self.key_norm(tokens - tokens.mean(1, keepdim=True)))
        assignment = self._assign(query @ key.mT)
        # The mean, not the sum; a group left empty gets nothing and stays what it is.
        members = assignment.sum(-1, keepdim=True).clamp(min=1)
        groups = groups + self.value(assignment @ self.value_norm(tokens) / members)
        return groups + self.mlp(self.norm(groups)), assignment

    def _assign(self, similarity: Tensor) -> Tensor:
        """One-hot over groups (axis 1) going forward, the softmax's gradient going back."""
        if self.training:
            # Gumbel noise is minus the logarithm of exponential noise.
            exponential = (
                torch.empty_like(similarity).exponential_().clamp(min=torch.finfo(similarity.dtype).tiny)
            )
            similarity = similarity - exponential.log()
        soft = (similarity / self.log_temperature.exp()).softmax(dim=1)
        hard = torch.zeros_like(soft).scatter_(1, soft.argmax(1, keepdim=True), 1.0)
        # In this order the forward value is exactly 0 or 1.
        return hard + (soft - soft.detach())


def _block(config: GroupingConfig) -> nn.Module:
    """Pre-norm self-attention and MLP, without dropout."""
    return nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        dim_feedforward=config.mlp_ratio * config.width,
        dropout=0.0,
        activation=functional.gelu,
        batch_first=True,
        norm_first=True,
    )
