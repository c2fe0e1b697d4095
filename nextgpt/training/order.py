"""Which examples each step sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Order:
    """Which examples each step sees: a function of seed and step, so that resuming needs no memory.

    Examples are shuffled every epoch, and within long windows those of like length go together.

    Args:
        lengths: of each example, in tokens.
        size: examples per step.
        seed: of the shuffle.

    Example:
        >>> order = Order([5, 9, 5, 9], size=2, seed=0)
        >>> sorted(order.rows(0) + order.rows(1))
        [0, 1, 2, 3]
        >>> order.rows(7) == Order([5, 9, 5, 9], size=2, seed=0).rows(7)
        True
    """

    def __init__(self, lengths: Sequence[int], size: int, seed: int) -> None:
        self._lengths = np.asarray(lengths)
        self._size = min(size, len(lengths))
        self._seed = seed
        self._epoch = -1
        self._batches: list[list[int]] = []

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every example is seen once, but for those of a last batch that is not full."""
        return len(self._lengths) // self._size

    def rows(self, step: int) -> list[int]:
        """The examples of a step, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return self._batches[place]

    def _shuffled(self, epoch: int) -> list[list[int]]:
        random = np.random.default_rng((self._seed, epoch))
        rows = random.permutation(len(self._lengths))
        window = self._size * 32
        batches: list[list[int]] = []
        for start in range(0, len(rows), window):
            part = rows[start : start + window]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            cut = [part[k : k + self._size].tolist() for k in range(0, len(part), self._size)]
            batches += [cut[k] for k in random.permutation(len(cut))]
        # The one batch that is not full would have another learning signal; its examples come next time.
        return [batch for batch in batches if len(batch) == self._size]
