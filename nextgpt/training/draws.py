"""Random draws that do not depend on how a batch is shared out.

Dropout, the grouping's Gumbel noise and the noise of denoising are drawn for a whole batch at once. Where
the batch is shared by several processes, or taken in several turns, each part draws for the whole and
keeps its own rows: the sum of the parts is then what one process would have computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Places:
    """Where the rows of a part stand in the whole batch.

    Attributes:
        rows: their places.
        whole: rows of the whole batch.
    """

    rows: tuple[int, ...]
    whole: int


class Draws(TorchFunctionMode):
    """While it is active, what is drawn for a part's rows is drawn for the whole batch.

    Noise of `torch.randn`, `torch.randint` and `Tensor.exponential_` and the masks of dropout layers are
    covered. The dropout inside torch's attention is not: it differs from part to part.

    Example:
        >>> whole = torch.randn((4, 2), generator=torch.Generator().manual_seed(0))
        >>> with Draws() as draws:
        ...     draws.rows_are(Places((1, 3), 4))
        ...     part = torch.randn((2, 2), generator=torch.Generator().manual_seed(0))
        >>> torch.equal(part, whole[[1, 3]])
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: Places | None = None

    def rows_are(self, places: Places) -> None:
        """Say what the rows of all that is drawn from here on are."""
        self._places = places

    def again(self) -> Draws:
        """The same, for what checkpointing computes once more in the backward pass, where this is off."""
        other = Draws()
        other._places = self._places
        return other

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """See `torch.overrides.TorchFunctionMode`."""
        places, kwargs = self._places, kwargs or {}
        if places is not None:
            if func is torch.Tensor.exponential_:
                return _own(args[0], places, lambda whole: func(whole, *args[1:], **kwargs))
            if func is functional.dropout:
                return _dropout(places, *args, **kwargs)
            if func in {torch.randn, torch.randint}:
                return _noise(func, places, args, kwargs)
        return func(*args, **kwargs)


def _own(tensor: Tensor, places: Places, fill: Callable[[Tensor], Tensor]) -> Tensor:
    """Fill a tensor of the part's rows with its rows of a whole one."""
    whole = fill(tensor.new_empty(places.whole, *tensor.shape[1:]))
    return tensor.copy_(whole[list(places.rows)])


def _dropout(
    places: Places, values: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    if not training or p == 0:
        return values
    kept = functional.dropout(values.new_ones(places.whole, *values.shape[1:]), p)[list(places.rows)]
    return values.mul_(kept) if inplace else values * kept


def _noise(func: Callable[..., Tensor], places: Places, args: Sequence[Any], kwargs: Any) -> Tensor:
    """Noise of a shape that is given as a tuple, whose first number is that of the part's rows."""
    shape = next((item for item in args if isinstance(item, tuple)), None)
    if shape is None or shape[0] != len(places.rows):
        raise ValueError(f"{func.__name__} of {shape} is not drawn for {len(places.rows)} rows")
    whole = func(*((places.whole, *shape[1:]) if item is shape else item for item in args), **kwargs)
    return whole[list(places.rows)]
