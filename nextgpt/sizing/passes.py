"""A model's computations, one function each, on shapes of a given load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from nextgpt.sizing.structure import Structure

# Of one medium: the clips that an encoder sees are five pieces of three crops, of a sound three pieces.
_PIECES = {"image": 1, "video": 15, "audio": 3}


@dataclass(frozen=True)
class Load:
    """How much is done at once.

    Attributes:
        batch: requests or examples.
        tokens: that are read, concept tokens included; in training the whole conversation.
        said: tokens of a reply: made in inference, learnt in training.
    """

    batch: int
    tokens: int = 512
    said: int = 128


class Passes:
    """The computations of a model, one function each, on shapes of a given load.

    They work on the meta device, where they cost nothing, and on any other, where they take the time that the
    model takes.

    Args:
        structure: the networks.
        load: how much is done at once.
    """

    def __init__(self, structure: Structure, load: Load) -> None:
        self.structure = structure
        self.load = load
        like = structure.language_model.signal_embeddings
        self._like = {"device": like.device, "dtype": like.dtype}

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model makes."""
        return tuple(self.structure.parts.decoders)

    @property
    def heard(self) -> tuple[str, ...]:
        """What the model reads."""
        trunks = self.structure.encoder.config.modalities
        return (
            *(("image", "video") if "vision" in trunks else ()),
            *(("audio",) if "audio" in trunks else ()),
        )

    @torch.no_grad()
    def read(self, modality: str) -> Tensor:
        """Media to encoder tokens float ``[B, 1 + P, D]``."""
        config, batch = self.structure.encoder.config, self.load.batch
        shape: tuple[int, ...]
        if modality == "audio":
            shape = (_PIECES["audio"], 1, config.mel_bins, config.mel_frames)
        elif modality == "video":
            shape = (_PIECES["video"], 3, config.kernel[0], config.image_size, config.image_size)
        else:
            shape = (3, config.image_size, config.image_size)
        trunk = "audio" if modality == "audio" else "vision"
        return self.structure.encoder.tokens(trunk, self.random(batch, *shape), with_cls=True)

    @torch.no_grad()
    def understand(self) -> Tensor:
        """A prompt to the scores of the next token; its keys and values are kept meanwhile."""
        lm = self.structure.language_model
        hidden = self._states(self.random(self.load.batch, self.load.tokens, lm.width))
        return lm.logits(hidden[:, -1])

    def _states(self, embeds: Tensor) -> Tensor:
        """Last-layer states. With a cache, transformers looks at no positions, which are empty here."""
        from transformers import DynamicCache

        out = self.structure.language_model.layers(
            inputs_embeds=embeds, past_key_values=DynamicCache(), use_cache=True
        )
        states: Tensor = out.last_hidden_state
        return states

    def speak(self, modality: str) -> Tensor:
        """States of a complete span to a condition float ``[B, length, width]``."""
        lm = self.structure.language_model
        first = lm.signals.ids(modality)  # type: ignore[arg-type]
        rows = lm.signal_embeddings[first.start - lm.signals.first : first.stop - lm.signals.first]
        states = self.random(self.load.batch, len(first), lm.width)
        condition: Tensor = self.structure.output_projection[modality](states + rows)
        return condition

    def denoise(self, modality: str, condition: Tensor) -> Tensor:
        """One step of the frozen UNet, told a condition; gradients may flow into it."""
        unet: Any = self.structure.networks[modality]["UNet"]
        latents = self.random(len(condition), *self.structure.parts.decoders[modality].latents)
        step = torch.full((len(condition),), 500, device=latents.device)
        told: dict[str, Any] = {"encoder_hidden_states": condition}
        if unet.config.get("class_embed_type"):
            told = {"encoder_hidden_states": None, "class_labels": condition[:, 0]}
        predicted: Tensor = unet(latents, step, return_dict=False, **told)[0]
        return predicted

    @torch.no_grad()
    def guided(self, modality: str) -> Tensor:
        """One step of sampling with classifier-free guidance: the UNet sees everything twice."""
        condition = self.speak(modality)
        return self.denoise(modality, torch.cat([condition, condition]))

    @torch.no_grad()
    def finish(self, modality: str) -> Tensor:
        """Latents to pixels or samples."""
        networks: Any = self.structure.networks[modality]
        latents = self.random(self.load.batch, *self.structure.parts.decoders[modality].latents)
        if modality == "video":
            latents = latents.transpose(1, 2).flatten(0, 1)
        decoded: Tensor = networks["VAE"].decode(latents, return_dict=False)[0]
        if "vocoder" in networks:
            decoded = networks["vocoder"](decoded[:, 0])
        return decoded

    def learn(self, stage: str, modality: str | None) -> Tensor:
        """The loss of one training step, encoder tokens and latents precomputed; backward is the caller's.

        Args:
            stage: of training.
            modality: what each example makes; None where nothing is made.
        """
        structure, lm = self.structure, self.structure.language_model
        embeds = self.random(self.load.batch, self.load.tokens, lm.width)
        if stage != "decoding":
            tokens = self.random(
                self.load.batch, 1 + structure.encoder.config.patches("vision"), structure.encoder.out_dim
            )
            concepts = structure.input_projection(tokens[:, 1:], tokens[:, 0])
            embeds = torch.cat([concepts, embeds[:, concepts.shape[1] :]], dim=1)
        count, rows = 0, embeds[:0]
        if modality is not None:
            ids = lm.signals.ids(modality)  # type: ignore[arg-type]
            rows = lm.signal_embeddings[ids.start - lm.signals.first : ids.stop - lm.signals.first]
            count = len(ids)
            embeds = torch.cat([embeds[:, :-count], rows.expand(len(embeds), -1, -1)], dim=1)
        # As in training: where only signals train, what stands before them needs no gradient.
        given = self.load.tokens - count if stage == "decoding" else 0
        hidden = lm.hidden(embeds, given=given) if given else self._states(embeds)
        logits = lm.logits(hidden[:, -self.load.said :], signals=modality is not None)
        said = torch.zeros(logits.shape[:2], dtype=torch.long, device=logits.device)
        loss = functional.cross_entropy(logits.flatten(0, 1), said.flatten())
        if modality is not None:
            condition: Tensor = structure.output_projection[modality](hidden[:, -count:] + rows)
            loss = loss + condition.float().square().sum(-1).sqrt().mean()
            loss = loss + self.denoise(modality, condition).float().square().mean()
        return loss

    def random(self, *shape: int) -> Tensor:
        """Noise of a shape, where the model is and in its type."""
        return torch.randn(*shape, **self._like)  # type: ignore[call-overload,no-any-return]
