"""The three stages: where each begins, what trains in it, and the proof that nothing else did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nextgpt.checkpoints import tensors_hash
from nextgpt.config import Config, Stage
from nextgpt.loading import adopt, assemble, shipped

if TYPE_CHECKING:
    from nextgpt.model import NextGPT


@dataclass(frozen=True)
class Share:
    """How much of a model trains, in parameters.

    Attributes:
        trainable: by part.
        frozen: by part; the diffusion model where the stage uses it.
    """

    trainable: dict[str, int]
    frozen: dict[str, int]

    @property
    def ratio(self) -> float:
        """Trainable over all, 0 to 1."""
        trained = sum(self.trainable.values())
        return trained / (trained + sum(self.frozen.values()))

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {count:,}" for name, count in self.trainable.items())
        trained = sum(self.trainable.values())
        total = trained + sum(self.frozen.values())
        return f"{trained:,} of {total:,} parameters train ({self.ratio:.2%}): {parts}"


def begin(
    config: Config,
    stage: Stage,
    *,
    encoding: Path | None = None,
    decoding: Path | None = None,
    seed: int = 0,
    device: str | None = None,
) -> NextGPT:
    """The model that a stage starts from; only what the stage trains requires gradients.

    Args:
        config: the preset.
        stage: which.
        encoding: for "instruct", the checkpoint of stage 1; by default the preset's own.
        decoding: for "instruct", the checkpoint of stage 2; by default the preset's own.
        seed: of the weights that begin at random.
        device: by default the first GPU, or the CPU.

    Raises:
        ConfigError: weights are missing.
        CheckpointError: an earlier stage's checkpoint is missing or does not fit.
    """
    torch.manual_seed(seed)
    model = assemble(config, stage, device=device)
    if stage == "instruct":
        adopt(model, encoding or shipped(config, "encoding"), ("input_projection",))
        adopt(model, decoding or shipped(config, "decoding"), ("output_projection", "signals"))
    model.requires_grad_(False)
    for parameter in model.trained().values():
        parameter.requires_grad_(True)
    return model


def frozen(model: NextGPT) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that must not change in the model's stage, by name."""
    trained = {id(parameter) for parameter in model.trained().values()}
    for part, network in _networks(model).items():
        for name, value in network.state_dict(keep_vars=True).items():
            if id(value) not in trained:
                yield f"{part}.{name}", value


def share(model: NextGPT) -> Share:
    """Count what trains and what is frozen."""
    trained = {id(parameter) for parameter in model.trained().values()}
    counted = {
        part: sum(value.numel() for value in network.parameters() if id(value) not in trained)
        for part, network in _networks(model).items()
    }
    return Share(
        {part: sum(value.numel() for value in values.values()) for part, values in model.parts().items()},
        {part: count for part, count in counted.items() if count},
    )


def _networks(model: NextGPT) -> dict[str, nn.Module]:
    """All networks of a stage, the diffusion model's included where the stage uses it."""
    networks = dict(model.named_children())
    if model.output_projection is not None:
        networks |= model.decoder.parts()
    return networks


@contextmanager
def guarded(model: NextGPT) -> Iterator[None]:
    """Assert that no frozen tensor changes meanwhile.

    Raises:
        AssertionError: one did; a defect, never a user's mistake.
    """
    before = tensors_hash(frozen(model))
    yield
    assert tensors_hash(frozen(model)) == before, "a frozen tensor changed during training"
