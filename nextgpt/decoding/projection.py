"""The output projection: a span of signal tokens to the condition of a diffusion model.

The language model's hidden states at the signal tokens, plus the tokens' own embeddings, are read by a
small transformer whose learnable queries become what the diffusion model's text encoder would have
answered. Submodule names are those of the released checkpoint (`fc`, `tfm`, `model`, `query_embs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nextgpt.errors import ConfigError


@dataclass(frozen=True)
class OutputProjectionConfig:
    """The shape of an output projection; the defaults are the released ones for images.

    Attributes:
        in_dim: width of the language model.
        queries: tokens of the condition: 77 for Stable Diffusion and Zeroscope, 1 for AudioLDM.
        out_dim: width of the condition: 768 for Stable Diffusion 1.5, 1024 for Stable Diffusion 2 and
            Zeroscope, 512 for AudioLDM.
        width: width inside.
        heads: attention heads.
        encoder_layers: layers over the signal tokens.
        decoder_layers: layers over the queries.
        feedforward: width of the MLPs.
        dropout: in training; the paper says 0.1, the released code has 0.
        query_std: standard deviation of the queries before training; the released weights began
            with 1, the newer code with 0, which leaves every query the same for ever.
    """

    in_dim: int = 4096
    queries: int = 77
    out_dim: int = 768
    width: int = 512
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 4
    feedforward: int = 2048
    dropout: float = 0.0
    query_std: float = 0.02

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(
                f"OutputProjectionConfig.width {self.width} is no multiple of its {self.heads} heads"
            )


TINY = OutputProjectionConfig(
    in_dim=192, queries=48, out_dim=128, width=128, encoder_layers=2, decoder_layers=2, feedforward=256
)


class OutputProjection(nn.Module):
    """Hidden states of a signal span in, the condition of the diffusion model out.

    >>> projection = OutputProjection(TINY)
    >>> projection(torch.randn(2, 4, 192)).shape
    torch.Size([2, 48, 128])
    """

    def __init__(self, config: OutputProjectionConfig) -> None:
        super().__init__()
        self.config = config
        self.fc = nn.Linear(config.in_dim, config.width)
        self.tfm = nn.Transformer(
            config.width,
            config.heads,
            num_decoder_layers=config.decoder_layers,
            dim_feedforward=config.feedforward,
            dropout=config.dropout,
            custom_encoder=_encoder(config),
            batch_first=True,
            norm_first=True,
        )
        self.model = nn.Linear(config.width, config.out_dim)
        self.query_embs = nn.Parameter(torch.randn(1, config.queries, config.width) * config.query_std)

    def forward(self, signals: Tensor) -> Tensor:
        """Read spans of one modality.

        The order of the signal tokens is told by their vectors alone; no positions are added.

        Args:
            signals: float `[B, n, in_dim]`, the last layer's hidden states at the signal tokens plus the
                input embeddings of the same tokens.

        Returns:
            float `[B, queries, out_dim]`, not normalised.
        """
        read = self.fc(signals)
        condition: Tensor = self.model(self.tfm(read, self.query_embs.expand(len(read), -1, -1)))
        return condition


def _encoder(config: OutputProjectionConfig) -> nn.TransformerEncoder:
    """What `nn.Transformer` would make itself, without its warning about nested tensors."""
    layer = nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        config.feedforward,
        config.dropout,
        batch_first=True,
        norm_first=True,
    )
    return nn.TransformerEncoder(
        layer, config.encoder_layers, norm=nn.LayerNorm(config.width), enable_nested_tensor=False
    )


def output_projection(
    kind: str, *, in_dim: int, out_dim: int, queries: int, **options: Any
) -> OutputProjection:
    """Build an output projection.

    Args:
        kind: "transformer".
        in_dim: width of the language model.
        out_dim: width of the diffusion model's condition.
        queries: tokens of the diffusion model's condition.
        options: further fields of `OutputProjectionConfig`.

    Raises:
        ConfigError: there is no such kind, no such option, or no network of such numbers.

    >>> output_projection("transformer", in_dim=192, out_dim=128, queries=48, width=128).config.heads
    4
    """
    try:
        if kind != "transformer":
            raise ValueError("there is only transformer")
        return OutputProjection(
            OutputProjectionConfig(in_dim=in_dim, out_dim=out_dim, queries=queries, **options)
        )
    except (ValueError, TypeError, RuntimeError, ArithmeticError, AssertionError) as error:
        raise ConfigError(f"output projection {kind!r}: {error}") from error
