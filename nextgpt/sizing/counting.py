"""Counting what computations do while they run: bytes that are alive, floating-point operations.

Both see every operation of torch, on any device, the meta device included.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Peak(TorchDispatchMode):
    """Counts the bytes of all tensors that computations make, from birth to death.

    Attributes:
        now: bytes alive.
        most: bytes alive at the worst moment.

    Example:
        >>> import torch
        >>> with Peak() as peak:
        ...     x = torch.zeros(1000, device="meta") + 1
        >>> peak.most, peak.now  # while the sum was made, both were there
        (8000, 4000)
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._known: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        for tensor in _tensors((args, kwargs)):
            # What was there before is not ours to count, nor are views of it.
            self._known.setdefault(tensor.untyped_storage(), 0)
        out = func(*args, **kwargs)
        for tensor in _tensors(out):
            storage = tensor.untyped_storage()
            if storage not in self._known:
                size = storage.nbytes()
                self._known[storage] = size
                self.now += size
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self._gone, size)
        return out

    def _gone(self, size: int) -> None:
        self.now -= size


def _tensors(tree: Any) -> Iterator[Tensor]:
    from torch.utils._pytree import tree_leaves

    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def operations(computation: Callable[[], object]) -> int:
    """Floating-point operations of a computation, a multiplication and an addition as two.

    Example:
        >>> import torch
        >>> operations(lambda: torch.zeros(2, 3, device="meta") @ torch.zeros(3, 4, device="meta"))
        48
    """
    with _Operations() as counted:
        computation()
    total: int = counted.total
    return total


class _Operations(TorchDispatchMode):
    """Adds up torch's formulas; its `FlopCounterMode` follows modules too, and fails without gradients."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        from torch.utils.flop_counter import flop_registry

        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += int(formula(*args, **kwargs, out_val=out))
        return out
