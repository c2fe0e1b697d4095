"""Decoders: a frozen diffusion pipeline of diffusers, told what to make by embeddings.

One idea for pictures, clips and sounds: a condition as the pipeline's own text encoder would give it goes
in, media come out. The noise of each comes from its own seed, so what else is in the batch, and where,
changes nothing.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import torch
from torch import Tensor, nn

from nextgpt.decoding.conditions import Condition, read_condition
from nextgpt.decoding.denoising import Denoising
from nextgpt.decoding.pipelines import text_condition, watched_steps
from nextgpt.decoding.reading import hushed, read_pipeline
from nextgpt.errors import ConfigError
from nextgpt.media import Medium
from nextgpt.messages import Modality

M = TypeVar("M", bound=Medium)
# Stable Diffusion's autoencoder takes half a gigabyte for each picture of 512 x 512 pixels.
_PIXELS_AT_ONCE = 2**20


class Decoder(Denoising, Generic[M]):
    """A frozen pipeline.

    Args:
        pipeline: of diffusers; its parameters are frozen here.
        condition: what it is told.
        options: what its call takes besides, e.g. ``{"height": 320, "width": 576}``.

    Raises:
        ConfigError: its call takes no such option.

    Attributes:
        modality: what it makes.
        at_once: how many it makes in one go, for the sake of memory.
    """

    modality: ClassVar[Modality]
    at_once: ClassVar[int]

    def __init__(self, pipeline: Any, condition: Condition, options: Mapping[str, Any] | None = None) -> None:
        self.pipeline = pipeline
        self.shape = condition
        self.options = dict(options or {})
        known = inspect.signature(type(pipeline).__call__).parameters
        for name in self.options:
            if name not in known:
                raise ConfigError(
                    f"options: {self.modality}: {type(pipeline).__name__} takes no {name!r}; it takes "
                    f"{', '.join(key for key in known if key != 'self')}"
                )
        self._takes_mask = "attention_mask" in known
        self.pipeline.set_progress_bar_config(disable=True)
        for part in self.parts().values():
            part.requires_grad_(False)
            part.eval()

    @classmethod
    def load(
        cls,
        folder: Path,
        dtype: torch.dtype,
        device: torch.device,
        options: Mapping[str, Any] | None = None,
    ) -> Self:
        """Read a pipeline from a folder as diffusers saves it.

        Weights are read from safetensors, or else from PyTorch files with nothing but tensors in them.

        Raises:
            ConfigError: the folder holds no such pipeline.
        """
        condition = read_condition(folder, cls.modality)
        pipeline = read_pipeline(folder)
        with hushed():  # some parts come in the type of their files, others do not: the cast makes them one
            return cls(pipeline.to(device, dtype), condition, options)

    def parts(self) -> dict[str, nn.Module]:
        """The frozen networks by name."""
        return {name: part for name, part in self.pipeline.components.items() if isinstance(part, nn.Module)}

    @property
    def length(self) -> int:
        """Vectors of a condition."""
        return self.shape.length

    @property
    def width(self) -> int:
        """Width of each."""
        return self.shape.width

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self.pipeline.device
        return device

    def to(self, device: torch.device) -> None:
        """Move all its networks."""
        self.pipeline.to(device)

    @torch.no_grad()
    def generate(self, condition: Tensor, seeds: Sequence[int], *, steps: int, guidance: float) -> list[M]:
        """Make a medium for each condition.

        Args:
            condition: float ``[B, length, width]``, what the pipeline's own text encoder would give.
            seeds: one for each; a medium depends on its condition and its seed alone.
            steps: denoising steps.
            guidance: classifier-free guidance scale against the empty text; 1 turns it off.
        """
        made: list[M] = []
        empty = self._empty()
        dtype = next(next(iter(self.parts().values())).parameters()).dtype
        for start in range(0, len(seeds), self.at_once):
            part = condition[start : start + self.at_once].to(self.device, dtype)
            # Noise is drawn on the CPU: a GPU would draw another for the same seed.
            generators = [torch.Generator().manual_seed(seed) for seed in seeds[start : start + self.at_once]]
            made += self._media(
                self.pipeline(
                    **self._told(part, empty),
                    generator=generators,
                    num_inference_steps=steps,
                    guidance_scale=guidance,
                    output_type="np",
                    **watched_steps(self.pipeline, self.modality, steps),
                    **self.options,
                )
            )
        return made

    def _told(self, condition: Tensor, empty: Tensor | None) -> dict[str, Tensor]:
        """The pipeline's arguments: each part of the condition, and of the empty text's."""
        told = self.shape.unpack(condition)
        if self._takes_mask:
            told["attention_mask"] = _mask(told["prompt_embeds"])
        if empty is None:
            return told
        without = self.shape.unpack(empty.expand(len(condition), -1, -1))
        if self._takes_mask:
            without["attention_mask"] = _mask(without["prompt_embeds"])
        return told | {f"negative_{name}": part for name, part in without.items()}

    def _empty(self) -> Tensor | None:
        """The empty text's condition, ``[1, length, width]``; None where the pipeline has its own way."""
        return self.encode_text([""])

    @abstractmethod
    def _media(self, out: Any) -> list[M]:
        """Media from the pipeline's answer."""

    @abstractmethod
    def encode_latents(self, media: Sequence[M]) -> Tensor:
        """Latents of media, scaled as the diffusion model knows them: what the denoising loss is of."""

    def _latents(self, inputs: Tensor) -> Tensor:
        """Latents of the autoencoder's inputs ``[N, C, H, W]``: the posterior's mode, scaled."""
        vae = self.pipeline.vae
        at_once = max(1, _PIXELS_AT_ONCE // inputs.shape[2:].numel())
        modes = [vae.encode(part).latent_dist.mode() for part in inputs.split(at_once)]
        latents: Tensor = torch.cat(modes) * vae.config.scaling_factor
        return latents

    def generate_from_text(
        self, prompts: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float
    ) -> list[M]:
        """Make a medium for each prompt, by the pipeline's own text encoder."""
        if not prompts:
            return []
        return self.generate(self.encode_text(prompts), seeds, steps=steps, guidance=guidance)

    @torch.no_grad()
    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """The pipeline's own condition float ``[B, length, width]`` of prompts; long ones are cut off."""
        with hushed():  # it would tell of every prompt that is cut off
            return self.shape.pack(text_condition(self.pipeline, list(prompts), self.device))


def _mask(rows: Tensor) -> Tensor:
    """Which rows of ``[B, L, D]`` say something: those of padding are zero throughout."""
    return rows.ne(0).any(-1).long()
