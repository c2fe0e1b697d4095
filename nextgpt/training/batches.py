"""Batches: examples written in ids, with everything frozen about them computed once.

Encoder tokens, text conditions and latents never change while the projections train, so they are
computed before the first step, once per medium and caption, or read from disk where
`nextgpt precompute` has put them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextgpt.media import Medium
from nextgpt.messages import Modality
from nextgpt.reasoning.prompts import Written
from nextgpt.signals import MODALITIES
from nextgpt.training.data import UNSEEN, Broken, Example, pieces, refuse, seen, targets
from nextgpt.training.draws import Places
from nextgpt.training.features import Features, Table, text_hash

if TYPE_CHECKING:
    from nextgpt.decoding.shelf import Shelf
    from nextgpt.model import NextGPT


class Frozen(Protocol):
    """What computes features: a `NextGPT`, or its frozen parts alone."""

    @property
    def decoders(self) -> Shelf:
        """The diffusion models."""

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """The encoder's tokens ``[N, 1 + P, D]`` of media of one kind."""


@dataclass(frozen=True)
class Part:
    """Where a batch that is part of a larger one stands in it: the rows of everything in it.

    Attributes:
        conversations: its conversations.
        media: by modality, what they show.
        targets: by modality, what they ask for.
        shown: by modality, those of the targets whose content is known.
        shares: what it holds of the whole batch's "text" and "signals", in tokens, 0 to 1.
    """

    conversations: Places
    media: Mapping[Modality, Places]
    targets: Mapping[Modality, Places]
    shown: Mapping[Modality, Places]
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Batch:
    """What one step computes on; B conversations, and by modality N media seen and K to make.

    Attributes:
        rows: which examples these are.
        ids: int64 ``[B, L]``, padded on the right.
        learn: bool ``[B, L]``: ids to be predicted.
        tokens: float32 ``[N, 1 + P, D]``: encoder tokens; of a part, of all modalities of the whole.
        order: int64: where each of the media seen, one modality after the other, stands among all of them;
            None where there is one modality.
        conditions: float32 ``[K, length, width]``: the captions' text conditions.
        latents: float32 ``[S, C, ...]``: latents of those targets whose content is known.
        shown: which S of the K these are.
        part: None where this is the whole batch.
    """

    rows: tuple[int, ...]
    ids: Tensor
    learn: Tensor
    tokens: Mapping[Modality, Tensor] = field(default_factory=dict)
    order: Tensor | None = None
    conditions: Mapping[Modality, Tensor] = field(default_factory=dict)
    latents: Mapping[Modality, Tensor] = field(default_factory=dict)
    shown: Mapping[Modality, tuple[int, ...]] = field(default_factory=dict)
    part: Part | None = None


@dataclass(frozen=True)
class _Target:
    """A medium to make: the hashes of its caption and, where it is known, of its content."""

    modality: Modality
    caption: str
    content: str | None


class Prepared:
    """Examples written in ids, with all that is frozen about them.

    Args:
        model: the stage's model; its frozen parts do the computing.
        examples: read once, in pieces, so that media need not all be in memory.
        progress: called with the number of examples done.
        features: what was computed earlier; what is missing is added to it.
        denoising: whether latents of the media to make are wanted; without them no loss asks for them.
        count: how many examples are expected, where that is known.
        longest: examples of more tokens are left out; 0 for what the language model can read.
        tolerated: share of the examples that may be unusable, 0 to 1.

    Attributes:
        ids: int32 ``[L]`` of each example.
        names: of each example, for messages.
        left_out: what was wrong with each example that was left out.

    Raises:
        TrainingError: too many examples are broken, too long or without a reply; says which.
    """

    def __init__(
        self,
        model: NextGPT,
        examples: Iterable[Example | Broken],
        progress: Callable[[int], None] = lambda count: None,
        *,
        features: Features | None = None,
        denoising: bool = True,
        count: int = 0,
        longest: int = 0,
        tolerated: float = 0.0,
    ) -> None:
        self.ids: list[NDArray[np.int32]] = []
        self.learn: list[NDArray[np.bool_]] = []
        self.names: list[str] = []
        self.left_out: list[str] = []
        self.features = features if features is not None else Features()
        self._denoising = denoising
        self._first_signal = model.language_model.signals.first
        self._media: list[list[tuple[Modality, str]]] = []
        self._targets: list[list[_Target]] = []
        most = min(longest or model.language_model.longest, model.language_model.longest)
        read = 0
        for piece in pieces(examples):
            good = [text for k, item in enumerate(piece) if (text := self._read(model, item, read + k, most))]
            read += len(piece)
            # Long before the end, where it is clear that too many will be missing.
            refuse(self.left_out, max(read, count), tolerated)
            compute(self.features, [example for example, _ in good], model, denoising=denoising)
            for example, written in good:
                self._add(example, written)
            progress(len(piece))
        refuse(self.left_out, read, tolerated)

    def __len__(self) -> int:
        return len(self.ids)

    def _read(
        self, model: NextGPT, item: Example | Broken, number: int, most: int
    ) -> tuple[Example, Written] | None:
        """Write an example in ids, or put it aside."""
        name = item.name or f"training example {number}"
        if isinstance(item, Broken):
            self.left_out.append(f"{name}: {item.reason}")
            return None
        shown = {medium.modality for medium in seen(item.conversation)} - model.accepts
        wanted = {medium.modality for medium in targets(item.conversation)} - set(model.config.signals)
        if shown or wanted:
            kinds = ", ".join(sorted(shown or wanted))
            problem = f"{'shows' if shown else 'makes'} {kinds}, for which {model.config.name} was not made"
        else:
            text = model.writer.write(item.conversation)
            if len(text.ids) > most:
                problem = f"has {len(text.ids)} tokens, more than {most}; shorten it"
            elif not any(text.learn):
                problem = "has no reply to learn; add a message of the assistant"
            else:
                return item, text
        self.left_out.append(f"{name} {problem}")
        return None

    def _add(self, example: Example, text: Written) -> None:
        self.ids.append(np.array(text.ids, np.int32))
        self.learn.append(np.array(text.learn, np.bool_))
        self.names.append(example.name)
        self._media.append([(medium.modality, medium.content_hash) for medium in text.media])
        self._targets.append(
            [
                _Target(medium.modality, text_hash(caption), self._content(medium))
                for medium, caption in zip(text.targets, example.captions, strict=True)
            ]
        )

    def _content(self, medium: Medium) -> str | None:
        return medium.content_hash if self._denoising and not _unseen(medium) else None

    def denoised(self) -> tuple[Modality, ...]:
        """The modalities whose latents are there, and whose diffusion models a step may need."""
        return tuple(_kinds(target.modality for row in self._targets for target in row if target.content))

    def batch(
        self, rows: Sequence[int], device: torch.device, *, whole: Sequence[int] | None = None
    ) -> Batch:
        """Put examples together, padded to the longest of them.

        Args:
            rows: which.
            device: where to.
            whole: the batch that these are a part of; they are padded to the longest of it.
        """
        longest = max(len(self.ids[row]) for row in (whole or rows))
        ids = np.zeros((len(rows), longest), np.int64)
        learn = np.zeros((len(rows), longest), np.bool_)
        for place, row in enumerate(rows):
            ids[place, : len(self.ids[row])] = self.ids[row]
            learn[place, : len(self.learn[row])] = self.learn[row]
        tables = self.features
        shown = [medium for row in rows for medium in self._media[row]]
        # A part may have none of the media that the whole has: it draws their noise all the same.
        first = {kind: key for row in (whole or rows) for kind, key in self._media[row]}
        made = {
            kind: [target for row in rows for target in self._targets[row] if target.modality == kind]
            for kind in _kinds(target.modality for row in rows for target in self._targets[row])
        }
        places = [k for kind in first for k, (own, _) in enumerate(shown) if own == kind]
        return Batch(
            tuple(rows),
            torch.from_numpy(ids).to(device),
            torch.from_numpy(learn).to(device),
            {
                kind: _gather(tables.tokens, [key for own, key in shown if own == kind], device, like=like)
                for kind, like in first.items()
            },
            torch.tensor(places, device=device) if len(first) > 1 else None,
            {
                kind: _gather(tables.conditions[kind], [target.caption for target in some], device)
                for kind, some in made.items()
            },
            {
                kind: _latents(tables.latents[kind], keys, device)
                for kind, some in made.items()
                if (keys := [target.content for target in some if target.content])
            },
            {
                kind: tuple(k for k, target in enumerate(some) if target.content)
                for kind, some in made.items()
            },
            self._part(rows, whole) if whole is not None else None,
        )

    def _part(self, rows: Sequence[int], whole: Sequence[int]) -> Part:
        def places(count: Callable[[int], int]) -> Places:
            starts = np.cumsum([0, *(count(row) for row in whole)]).tolist()
            at = {row: range(starts[k], starts[k + 1]) for k, row in enumerate(whole)}
            return Places(tuple(place for row in rows for place in at[row]), starts[-1])

        media = {row: [kind for kind, _ in self._media[row]] for row in whole}
        made = {row: [target.modality for target in self._targets[row]] for row in whole}
        shown = {row: [target.modality for target in self._targets[row] if target.content] for row in whole}

        def by_kind(
            kinds: Mapping[int, list[Modality]], of: Mapping[int, list[Modality]]
        ) -> dict[Any, Places]:
            mentioned = _kinds(kind for row in whole for kind in of[row])

            def counted(kind: Modality) -> Places:
                return places(lambda row: kinds[row].count(kind))

            return {kind: counted(kind) for kind in mentioned}

        shares = self._shares(rows, whole)
        return Part(
            places(lambda row: 1), by_kind(media, media), by_kind(made, made), by_kind(shown, made), shares
        )

    def _shares(self, rows: Sequence[int], whole: Sequence[int]) -> dict[str, float]:
        """Words and signals that are predicted, of the whole batch's; the first id of all never is."""
        counts = {}
        for row in whole:
            learn, signal = self.learn[row][1:], self.ids[row][1:] >= self._first_signal
            counts[row] = {"text": int((learn & ~signal).sum()), "signals": int((learn & signal).sum())}
        return {
            name: sum(counts[row][name] for row in rows) / max(1, sum(counts[row][name] for row in whole))
            for name in ("text", "signals")
        }


def compute(
    features: Features, examples: Sequence[Example], frozen: Frozen, *, denoising: bool = True
) -> int:
    """Compute what is frozen about examples and not there yet; returns how many features were new.

    Args:
        features: where to.
        examples: whose.
        frozen: what computes them.
        denoising: whether latents are wanted too.
    """
    media = [medium for example in examples for medium in seen(example.conversation)]
    made = [
        pair
        for example in examples
        for pair in zip(targets(example.conversation), example.captions, strict=True)
    ]
    new = 0
    for kind in _kinds(medium.modality for medium in media):
        own = [(medium.content_hash, medium) for medium in media if medium.modality == kind]
        encode = _Turns(kind, frozen.encode)
        new += features.tokens.add(own, encode)
    for kind in _kinds(medium.modality for medium, _ in made):
        told = [(text_hash(caption), caption) for medium, caption in made if medium.modality == kind]
        own = [
            (medium.content_hash, medium)
            for medium, _ in made
            if denoising and medium.modality == kind and not _unseen(medium)
        ]
        # A diffusion model is loaded only where something is left to compute.
        if any(key not in features.conditions[kind] for key, _ in told):
            new += features.conditions[kind].add(told, frozen.decoders[kind].encode_text)
        if any(key not in features.latents[kind] for key, _ in own):
            new += features.latents[kind].add(own, _Turns(kind, frozen.decoders[kind].encode_latents))
    return new


class _Turns:
    """A network that is asked about as many media at once as memory holds; half precision, on the CPU."""

    def __init__(self, kind: Modality, network: Callable[[Sequence[Medium]], Tensor]) -> None:
        self._size = MODALITIES[kind].at_once
        self._network = network

    def __call__(self, media: list[Medium]) -> Tensor:
        starts = range(0, len(media), self._size)
        parts = [self._network(media[k : k + self._size]).to("cpu", torch.float16) for k in starts]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def _kinds(modalities: Iterable[Modality]) -> list[Modality]:
    """Each once, in the order of their first mention."""
    return list(dict.fromkeys(modalities))


def _unseen(medium: Medium) -> bool:
    return medium == UNSEEN.get(medium.modality)


def _gather(table: Table, keys: Sequence[str], device: torch.device, *, like: str = "") -> Tensor:
    """Rows of a table; where no keys are given, none of the shape of another row."""
    rows = table.rows(keys) if keys else table.rows([like])[:0]
    return rows.to(device).float()


def _latents(table: Table, keys: Sequence[str], device: torch.device) -> Tensor:
    latents = _gather(table, keys, device)
    # As the autoencoder laid out those of pictures, wherever they were kept: another layout rounds otherwise.
    return latents.contiguous(memory_format=torch.channels_last) if latents.ndim == 4 else latents
