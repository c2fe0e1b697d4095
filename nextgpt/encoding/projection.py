"""Input projections: from an encoder's tokens to the language model's embeddings, chosen by name."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from nextgpt.encoding.grouping import GroupingConfig, GroupingProjection
from nextgpt.errors import ConfigError

INPUT_PROJECTIONS = ("grouping", "linear", "patches", "mlp")


class LinearProjection(nn.Module):
    """One vector of the whole item to one token: the released weights, and the paper's ablation.

    >>> import torch
    >>> LinearProjection(8, 16)(torch.zeros(2, 5, 8), torch.zeros(2, 8)).shape
    torch.Size([2, 1, 16])
    """

    tokens = 1

    def __init__(self, in_dim: int = 1024, out_dim: int = 4096) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim)

    def forward(self, patch_tokens: Tensor | None, cls: Tensor) -> Tensor:
        """Project the CLS vector.

        Args:
            patch_tokens: not used; every input projection is called alike.
            cls: float `[B, in_dim]`.

        Returns:
            float `[B, 1, out_dim]`.
        """
        del patch_tokens
        token: Tensor = self.linear(cls).unsqueeze(1)
        return token


class PatchProjection(nn.Module):
    """Each patch's vector to a token of its own: what the newer released code calls linear, or mlp.

    Sounds have another number of patches than pictures and clips, and are not read.

    Args:
        in_dim: width of the encoder's embeddings.
        out_dim: width of the language model.
        tokens: patches of a picture.
        hidden: whether a second layer follows, after GELU: LLaVA's projector.

    >>> import torch
    >>> PatchProjection(8, 16, tokens=5)(torch.zeros(2, 5, 8)).shape
    torch.Size([2, 5, 16])
    """

    reads = frozenset({"image", "video"})

    def __init__(
        self, in_dim: int = 1024, out_dim: int = 4096, *, tokens: int = 256, hidden: bool = False
    ) -> None:
        super().__init__()
        self.tokens = tokens
        linear = nn.Linear(in_dim, out_dim)
        self.linear = nn.Sequential(linear, nn.GELU(), nn.Linear(out_dim, out_dim)) if hidden else linear

    def forward(self, patch_tokens: Tensor, cls: Tensor | None = None) -> Tensor:
        """Project the patch tokens.

        Args:
            patch_tokens: float `[B, tokens, in_dim]`.
            cls: not used; every input projection is called alike.

        Returns:
            float `[B, tokens, out_dim]`.

        Raises:
            ValueError: the encoder gives another number of patches than the preset says.
        """
        del cls
        if patch_tokens.shape[1] != self.tokens:
            raise ValueError(
                f"the encoder gives {patch_tokens.shape[1]} patches, the preset's input projection takes "
                f"{self.tokens}; set its option tokens"
            )
        projected: Tensor = self.linear(patch_tokens)
        return projected


def input_projection(
    kind: str, *, in_dim: int, out_dim: int, **options: Any
) -> GroupingProjection | LinearProjection | PatchProjection:
    """Build an input projection.

    All kinds are called with patch tokens `[B, N, in_dim]` and the CLS vector `[B, in_dim]`, answer
    with `[B, tokens, out_dim]`, and say how many in `tokens`.

    Args:
        kind: "grouping", "linear", "patches" or "mlp".
        in_dim: width of the encoder's embeddings.
        out_dim: width of the language model.
        options: further fields of `GroupingConfig`; `tokens` for "patches" and "mlp"; "linear" takes none.

    Raises:
        ConfigError: there is no such kind, no such option, or no network of such numbers.

    >>> input_projection("linear", in_dim=128, out_dim=192).tokens
    1
    >>> input_projection("grouping", in_dim=128, out_dim=192, stages=[{"depth": 1, "groups": 12}]).tokens
    12
    """
    try:
        if kind == "grouping":
            sizes = {"in_dim": in_dim, "out_dim": out_dim, **options}
            return GroupingProjection(GroupingConfig.from_dict(sizes))
        if kind == "linear":
            return LinearProjection(in_dim, out_dim, **options)
        if kind in ("patches", "mlp"):
            return PatchProjection(in_dim, out_dim, hidden=kind == "mlp", **options)
        raise ValueError(f"there is none of this kind; choose one of {', '.join(INPUT_PROJECTIONS)}")
    except (ValueError, TypeError, RuntimeError, ArithmeticError, AssertionError) as error:
        raise ConfigError(f"input projection {kind!r}: {error}") from error
