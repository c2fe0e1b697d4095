"""What is minimised: likelihood of replies, distance to text conditions, and latent denoising.

The paper's sum, with weights: the conditions of Stable Diffusion have norms around 33 per token, those of
AudioLDM norm 1, and an unweighted sum would see the pictures only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt.config import LossWeights
from nextgpt.training.data import Batch

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

    def forward(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss.

        Args:
            batch: from `Prepared.batch`.
            generator: draws the denoising loss's steps and noise.

        Returns:
            The weighted sum, and each unweighted term, detached, by name: "text", "signals", "alignment",
            "denoising".
        """
        model, weights = self.model, self.weights
        language_model = model.language_model
        concepts = model.project(batch.tokens) if batch.tokens is not None else None
        hidden = language_model.hidden(language_model.embed(batch.ids, concepts))
        # Only what is learnt goes through the vocabulary: most of a prompt is given.
        learnt = batch.learn[:, 1:]
        speaks = model.output_projection is not None
        logits = language_model.logits(hidden[:, :-1][learnt], signals=speaks)
        said = batch.ids[:, 1:][learnt]
        signal = said >= language_model.signals.first
        terms = {"text": reply_loss(logits[~signal], said[~signal])}
        if signal.any():
            terms["signals"] = reply_loss(logits[signal], said[signal])
        if batch.conditions is not None and speaks:
            signals = batch.ids >= language_model.signals.first
            states = hidden[signals].unflatten(0, (len(batch.conditions), -1))
            condition = model.condition(states)
            if weights.alignment:
                terms["alignment"] = alignment_loss(condition, batch.conditions)
            if weights.denoising and batch.latents is not None:
                some = slice(0, weights.denoising_batch or None)
                terms["denoising"] = model.decoder.denoising_loss(
                    condition[some], batch.latents[some], generator, min_snr=weights.min_snr
                )
        total = torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()
        return total, {name: value.detach() for name, value in terms.items()}
