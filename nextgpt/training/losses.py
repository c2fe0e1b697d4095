"""What is minimised: likelihood of replies, distance to text conditions, and latent denoising.

The paper's sum, with weights: the conditions of Stable Diffusion have norms around 33 per token, those of
AudioLDM norm 1, and an unweighted sum would see the pictures only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt.config import LossWeights
from nextgpt.messages import Modality
from nextgpt.training.batches import Batch, Part
from nextgpt.training.draws import Draws, Places

if TYPE_CHECKING:
    from nextgpt.model import NextGPT


def reply_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats: `logits` float ``[T, V]``, `targets` int64 ``[T]``.

    Example:
        >>> round(reply_loss(torch.zeros(3, 8), torch.tensor([1, 2, 3])).item(), 4)  # log 8
        2.0794
    """
    return functional.cross_entropy(logits, targets)


def alignment_loss(condition: Tensor, target: Tensor) -> Tensor:
    """Mean Euclidean distance per token: of float ``[K, length, width]`` to the same, not squared.

    Example:
        >>> alignment_loss(torch.zeros(1, 2, 2), torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])).item()
        2.5
    """
    # The gradient of a norm at zero is undefined; the smallest positive float keeps it finite.
    squared = (condition - target).square().sum(-1)
    return squared.clamp(min=torch.finfo(squared.dtype).tiny).sqrt().mean()


class Objective(nn.Module):
    """One forward pass of training: a batch in, the weighted loss and its terms out.

    Args:
        model: the stage's model.
        weights: what each term counts; a term with weight 0 is not computed.
    """

    def __init__(self, model: NextGPT, weights: LossWeights) -> None:
        super().__init__()
        self.model = model
        self.weights = weights

    def forward(
        self, batch: Batch, generator: torch.Generator, draws: Draws | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss.

        Args:
            batch: from `Prepared.batch`.
            generator: draws the denoising loss's steps and noise.
            draws: needed for a part of a larger batch, and active; see `Draws`.

        Returns:
            The weighted sum, and each unweighted term, detached, by name: "text", "signals", and for each
            modality "alignment" and "denoising" (see `term`). Of a part of a larger batch, what it adds to
            the means over the whole.
        """
        language_model, part = self.model.language_model, batch.part
        concepts = self._concepts(batch, draws)
        if draws is not None and part is not None:
            draws.rows_are(part.conversations)
        embeds = language_model.embed(batch.ids, concepts)
        hidden = language_model.hidden(embeds, given=self._given(batch.ids))
        # Only what is learnt goes through the vocabulary: most of a prompt is given.
        learnt = batch.learn[:, 1:]
        speaks = self.model.output_projection is not None
        logits = language_model.logits(hidden[:, :-1][learnt], signals=speaks)
        said = batch.ids[:, 1:][learnt]
        signal = said >= language_model.signals.first
        terms = {"text": reply_loss(logits[~signal], said[~signal])}
        if signal.any():
            terms["signals"] = reply_loss(logits[signal], said[signal])
        idle = [concepts] if concepts is not None and not len(concepts) else []
        for modality in (part.targets if part is not None else batch.conditions) if speaks else ():
            condition = self._condition(modality, hidden, batch, draws)
            wanted = modality in batch.conditions
            made = self._made(modality, condition, batch, generator, draws) if wanted else {}
            terms |= made
            idle += [] if made else [condition]
        # What a part has no use for adds nothing to the gradient, but it must add that: FSDP wants gradients
        # of the same parameters from every process.
        terms["text"] = terms["text"] + sum(0 * unused.sum() for unused in idle)
        if part is not None:
            terms = {name: value * self._share(name, part) for name, value in terms.items()}
        total = torch.stack([self._weight(name) * value for name, value in terms.items()]).sum()
        return total, {name: value.detach() for name, value in terms.items()}

    def _given(self, ids: Tensor) -> int:
        """Of how many positions no gradient is wanted: in the second stage all before the first signal.

        There nothing trains that an earlier position could depend on. Never none and never all of them, so
        that all processes that share a batch pass through the language model equally often.
        """
        if self.model.stage != "decoding":
            return 0
        signal, last = ids >= self.model.language_model.signals.first, ids.shape[1] - 1
        return int(torch.where(signal.any(1), signal.int().argmax(1), last).min())

    def _concepts(self, batch: Batch, draws: Draws | None) -> Tensor | None:
        """Concept tokens of the media seen, in their order."""
        groups = []
        for modality, tokens in batch.tokens.items():
            if draws is not None and batch.part is not None:
                draws.rows_are(batch.part.media[modality])
            groups.append(self.model.project(tokens))
        if batch.order is None:
            return groups[0] if groups else None
        return torch.cat(groups)[batch.order.argsort()]

    def _condition(self, modality: Modality, hidden: Tensor, batch: Batch, draws: Draws | None) -> Tensor:
        """The conditions of the media to make, from the hidden states at their signals; there may be none."""
        own = self.model.language_model.signals.ids(modality)
        states = hidden[(batch.ids >= own.start) & (batch.ids < own.stop)].unflatten(0, (-1, len(own)))
        if draws is not None and batch.part is not None:
            draws.rows_are(batch.part.targets[modality])
        return self.model.condition(states, modality)

    def _made(
        self,
        modality: Modality,
        condition: Tensor,
        batch: Batch,
        generator: torch.Generator,
        draws: Draws | None,
    ) -> dict[str, Tensor]:
        """The terms of the media to make."""
        model, weights, part = self.model, self.weights, batch.part
        terms: dict[str, Tensor] = {}
        if weights.alignment:
            terms[term("alignment", modality)] = alignment_loss(condition, batch.conditions[modality])
        if weights.denoising and modality in batch.latents:
            latents, shown = batch.latents[modality], batch.shown[modality]
            places = _first(part.shown[modality] if part else _all(latents), weights.denoising_batch)
            known = condition if len(shown) == len(condition) else condition[list(shown)]
            if draws is not None:
                draws.rows_are(places)
            if some := len(places.rows):
                noise = self._generator(generator, modality)
                terms[term("denoising", modality)] = model.decoders[modality].denoising_loss(
                    known[:some], latents[:some], noise, min_snr=weights.min_snr
                )
        return terms

    def _generator(self, generator: torch.Generator, modality: Modality) -> torch.Generator:
        """Each modality's own: what one of them draws does not depend on whether another is there."""
        place = self.model.language_model.signals.modalities.index(modality)
        return torch.Generator().manual_seed(generator.initial_seed() + place) if place else generator

    def _weight(self, name: str) -> float:
        weight: float = getattr(self.weights, name.partition("_")[0])
        return weight

    def _share(self, name: str, part: Part) -> float:
        """How much of the whole batch's mean a part's mean is."""
        if name in part.shares:
            return part.shares[name]
        kind, _, modality = name.partition("_")
        places = (part.targets if kind == "alignment" else part.shown)[cast(Modality, modality or "image")]
        if kind == "denoising":
            places = _first(places, self.weights.denoising_batch)
        return len(places.rows) / places.whole


def term(kind: str, modality: Modality) -> str:
    """What a loss of one modality is called; that of pictures bears no addition.

    Example:
        >>> term("alignment", "image"), term("alignment", "video")
        ('alignment', 'alignment_video')
    """
    return kind if modality == "image" else f"{kind}_{modality}"


def terms(modalities: Iterable[Modality]) -> tuple[str, ...]:
    """The names of all terms that there can be.

    Example:
        >>> terms(["image"])
        ('text', 'signals', 'alignment', 'denoising')
    """
    named = list(modalities)
    return ("text", "signals", *(term(kind, own) for kind in ("alignment", "denoising") for own in named))


def _all(rows: Tensor) -> Places:
    return Places(tuple(range(len(rows))), len(rows))


def _first(places: Places, most: int) -> Places:
    """The first rows of the whole batch, at most so many; 0 for all."""
    whole = min(most or places.whole, places.whole)
    return Places(tuple(place for place in places.rows if place < whole), whole)
