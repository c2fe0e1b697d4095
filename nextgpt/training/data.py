"""Training examples, and everything frozen about them computed once.

Encoder tokens, text conditions and latents never change while the projections train, so they are
computed before the first step, once per picture and caption, and kept in half precision.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextgpt.config import ConfigError, Stage
from nextgpt.errors import UserError
from nextgpt.media import Image
from nextgpt.messages import Message
from nextgpt.reasoning.prompts import Written

if TYPE_CHECKING:
    from nextgpt.model import NextGPT

T = TypeVar("T")
_AT_ONCE = 128


class TrainingError(UserError):
    """Training cannot go on; the message says where it stopped, why, and what is kept."""


@dataclass(frozen=True)
class Example:
    """One conversation to learn from.

    Args:
        conversation: an assistant's picture is a target: what the model is to make there.
        captions: describe the assistant's pictures, in order; their frozen text conditions are what
            the output projection is drawn to.

    Raises:
        TrainingError: captions and the assistant's pictures differ in number.
    """

    conversation: tuple[Message, ...]
    captions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pictures = sum(len(message.images) for message in self.conversation if message.role == "assistant")
        if pictures != len(self.captions):
            raise TrainingError(
                f"an example has {pictures} pictures by the assistant but {len(self.captions)} captions; "
                "give one caption for each"
            )


Source = Callable[[Stage, int, int], Iterable[Example]]


def source(name: str) -> Source:
    """Find a function ``examples(stage, count, seed)`` named as ``module:function``.

    Raises:
        ConfigError: there is no such module or function.
    """
    module, _, function = name.partition(":")
    try:
        found: Source = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"training source {name!r}: {error}; name it as module:function") from error
    return found


@dataclass(frozen=True)
class Batch:
    """What one step computes on; B conversations with N pictures seen and K pictures to make.

    Attributes:
        rows: which examples these are.
        ids: int64 ``[B, L]``, padded on the right.
        learn: bool ``[B, L]``: ids to be predicted.
        tokens: float32 ``[N, 1 + P, D]``: encoder tokens, or None.
        conditions: float32 ``[K, length, width]``: the captions' text conditions, or None.
        latents: float32 ``[K, C, h, w]``: the target pictures' latents, or None.
    """

    rows: tuple[int, ...]
    ids: Tensor
    learn: Tensor
    tokens: Tensor | None
    conditions: Tensor | None
    latents: Tensor | None


@dataclass
class _Table:
    """Rows computed once per key, in half precision."""

    places: dict[str, int] = field(default_factory=dict)
    blocks: list[Tensor] = field(default_factory=list)

    def add(
        self, keyed: Sequence[tuple[str, object]], compute: Callable[[list[object]], Tensor]
    ) -> list[int]:
        new: dict[str, object] = {}
        for key, item in keyed:
            if key not in self.places:
                self.places[key] = len(self.places)
                new[key] = item
        if new:
            self.blocks.append(compute(list(new.values())).to("cpu", torch.float16))
        return [self.places[key] for key, _ in keyed]

    def join(self) -> Tensor | None:
        return torch.cat(self.blocks) if self.blocks else None


class Prepared:
    """Examples written in ids, with all that is frozen about them.

    Args:
        model: the stage's model; its frozen parts do the computing.
        examples: read once, in pieces, so that pictures need not all be in memory.
        seen: called with the number of examples done.

    Raises:
        TrainingError: an example is too long or has no reply; says which.
    """

    def __init__(
        self, model: NextGPT, examples: Iterable[Example], seen: Callable[[int], None] = lambda count: None
    ) -> None:
        self.ids: list[NDArray[np.int32]] = []
        self.learn: list[NDArray[np.bool_]] = []
        self.media: list[list[int]] = []
        self.targets: list[list[tuple[int, int]]] = []
        tokens, conditions, latents = _Table(), _Table(), _Table()
        for piece in _pieces(examples):
            written = [model.writer.write(example.conversation) for example in piece]
            for row, text in enumerate(written):
                self._check(model, text, len(self.ids) + row)
            self.media += _regroup(
                written, "media", tokens.add(_pictures(written, "media"), _encoding(model))
            )
            texts = [(caption, caption) for example in piece for caption in example.captions]
            told = conditions.add(
                texts, lambda items: model.decoder.encode_text([str(item) for item in items])
            )
            shown = latents.add(_pictures(written, "targets"), _latents(model))
            self.targets += _regroup(written, "targets", list(zip(told, shown, strict=True)))
            self.ids += [np.array(text.ids, np.int32) for text in written]
            self.learn += [np.array(text.learn, np.bool_) for text in written]
            seen(len(piece))
        self.tokens, self.conditions, self.latents = tokens.join(), conditions.join(), latents.join()

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def _check(model: NextGPT, text: Written, row: int) -> None:
        if len(text.ids) > model.language_model.longest:
            raise TrainingError(
                f"training example {row} has {len(text.ids)} tokens, more than the "
                f"{model.language_model.longest} that the language model can read; shorten it"
            )
        if not any(text.learn):
            raise TrainingError(
                f"training example {row} has no reply to learn; add a message of the assistant"
            )

    def batch(self, rows: Sequence[int], device: torch.device) -> Batch:
        """Put examples together, padded to the longest of them."""
        longest = max(len(self.ids[row]) for row in rows)
        ids = np.zeros((len(rows), longest), np.int64)
        learn = np.zeros((len(rows), longest), np.bool_)
        for place, row in enumerate(rows):
            ids[place, : len(self.ids[row])] = self.ids[row]
            learn[place, : len(self.learn[row])] = self.learn[row]
        targets = [pair for row in rows for pair in self.targets[row]]
        return Batch(
            tuple(rows),
            torch.from_numpy(ids).to(device),
            torch.from_numpy(learn).to(device),
            _gather(self.tokens, [place for row in rows for place in self.media[row]], device),
            _gather(self.conditions, [told for told, _ in targets], device),
            _gather(self.latents, [shown for _, shown in targets], device),
        )


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

    def rows(self, step: int) -> list[int]:
        """The examples of a step, counted from 0."""
        epoch, place = divmod(step, len(self._lengths) // self._size)
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


def _pieces(examples: Iterable[Example]) -> Iterator[list[Example]]:
    piece: list[Example] = []
    for example in examples:
        piece.append(example)
        if len(piece) == _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece


def _pictures(written: Sequence[Written], kind: str) -> list[tuple[str, object]]:
    return [(image.content_hash, image) for text in written for image in getattr(text, kind)]


def _regroup(written: Sequence[Written], kind: str, flat: list[T]) -> list[list[T]]:
    """Deal a flat list out again, to each conversation as many as it has pictures."""
    dealt, start = [], 0
    for text in written:
        count = len(getattr(text, kind))
        dealt.append(flat[start : start + count])
        start += count
    return dealt


def _encoding(model: NextGPT) -> Callable[[list[object]], Tensor]:
    return lambda images: model.encode([cast(Image, image) for image in images])


def _latents(model: NextGPT) -> Callable[[list[object]], Tensor]:
    return lambda images: model.decoder.encode_latents([cast(Image, image) for image in images])


def _gather(table: Tensor | None, places: Sequence[int], device: torch.device) -> Tensor | None:
    if table is None or not places:
        return None
    return table[torch.tensor(places)].to(device).float()
