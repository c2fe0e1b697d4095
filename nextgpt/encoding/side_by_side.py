"""Two encoders as one: one sees, the other hears, and the tokens of each stand in columns of their own.

So what reads the tokens has rows of weights for each of them, as if it were two layers, and needs to know
of neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt.media import Medium
from nextgpt.messages import Modality


class SideBySide(nn.Module):
    """Encoders for different media.

    Args:
        encoders: each with `reads`, `out_dim` and `encode`; of a medium that two read, the first counts.

    Example:
        >>> class Ones(nn.Module):
        ...     def __init__(self, reads, out_dim):
        ...         super().__init__()
        ...         self.reads, self.out_dim = frozenset({reads}), out_dim
        ...     def encode(self, media):
        ...         return torch.ones(len(media), 1, self.out_dim)
        >>> import numpy as np
        >>> from nextgpt.media import Audio
        >>> both = SideBySide([Ones("image", 2), Ones("audio", 1)])
        >>> both.encode([Audio(np.zeros(4, np.float32), rate=8000)]).tolist()
        [[[0.0, 0.0, 1.0]]]
    """

    def __init__(self, encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    @property
    def reads(self) -> frozenset[Modality]:
        """What any of them reads."""
        return frozenset(kind for encoder in self.encoders for kind in _reads(encoder))

    @property
    def out_dim(self) -> int:
        """Columns of all of them."""
        return sum(map(_width, self.encoders))

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """Tokens of media, all of one kind: float ``[N, 1 + P, out_dim]``, zero outside their own columns."""
        before = 0
        for encoder in self.encoders:
            if media[0].modality in _reads(encoder):
                with torch.no_grad():
                    tokens: Tensor = encoder.encode(media)  # type: ignore[operator]
                return functional.pad(tokens, (before, self.out_dim - before - tokens.shape[-1]))
            before += _width(encoder)
        raise ValueError(f"none of the encoders reads {media[0].modality}")


def _reads(encoder: nn.Module) -> frozenset[Modality]:
    return cast("frozenset[Modality]", encoder.reads)


def _width(encoder: nn.Module) -> int:
    return cast(int, encoder.out_dim)
