"""The three stages: where each begins, what trains in it, and the proof that nothing else did."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nextgpt.checkpoints import tensors_hash
from nextgpt.config import Config, Stage
from nextgpt.loading import adopt, assemble, shipped
from nextgpt.training.state import whole

if TYPE_CHECKING:
    from nextgpt.decoding.decoder import Decoder
    from nextgpt.model import NextGPT

# What the last stage takes from the earlier ones.
_TAKEN: Mapping[Stage, tuple[str, ...]] = MappingProxyType(
    {"encoding": ("input_projection",), "decoding": ("output_projection", "signals")}
)


@dataclass(frozen=True)
class Share:
    """How much of a model trains, in parameters.

    Attributes:
        trainable: by part.
        frozen: by part; of the diffusion models those that are in memory.
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
    for earlier, folder in beginnings(config, stage, encoding=encoding, decoding=decoding).items():
        adopt(model, folder, _TAKEN[earlier])
    model.requires_grad_(False)
    for parameter in model.trained().values():
        # Beside frozen weights in half precision too: small steps would be lost in it.
        parameter.data = parameter.data.float()
        parameter.requires_grad_(True)
    return model


def beginnings(
    config: Config, stage: Stage, *, encoding: Path | None = None, decoding: Path | None = None
) -> dict[Stage, Path]:
    """The checkpoints that a stage starts from, by the stage that made them; see `begin`."""
    if stage != "instruct":
        return {}
    found: dict[Stage, Path] = {"encoding": encoding or shipped(config, "encoding")}
    if config.signals:  # what makes no media has no second stage
        found["decoding"] = decoding or shipped(config, "decoding")
    return found


def frozen(model: NextGPT) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that must not change in the model's stage, by name."""
    trained = {id(parameter) for parameter in model.trained().values()}
    for part, network in _networks(model).items():
        # Not its state_dict: under FSDP that holds other tensors than the parameters.
        for name, value in chain(network.named_parameters(), network.named_buffers()):
            if id(value) not in trained:
                yield f"{part}.{name}", value


def share(model: NextGPT) -> Share:
    """Count what trains and what is frozen."""
    trained = {id(parameter) for parameter in model.trained().values()}
    counted = {
        part: sum(_numbers(value) for value in network.parameters() if id(value) not in trained)
        for part, network in _networks(model).items()
    }
    return Share(
        {
            part: sum(value.numel() for value in values.values())
            for part, values in model.parts().items()
            if values
        },
        {part: count for part, count in counted.items() if count},
    )


def _numbers(parameter: nn.Parameter) -> int:
    """How many numbers a parameter stands for: bitsandbytes packs two of four bits into one."""
    packed = getattr(parameter, "quant_state", None)
    return parameter.numel() if packed is None else math.prod(packed.shape)


def _networks(model: NextGPT) -> dict[str, nn.Module]:
    """All networks of a stage, those of the diffusion models included where the stage uses them."""
    networks = dict(model.named_children())
    for decoder in _decoders(model):
        pictures = decoder.modality == "image"
        networks |= {
            part if pictures else f"{decoder.modality}_{part}": network
            for part, network in decoder.parts().items()
        }
    return networks


def _decoders(model: NextGPT) -> list[Decoder[Any]]:
    """The diffusion models that the stage uses: those that are in memory."""
    return (
        [model.decoders[kind] for kind in model.decoders.loaded]
        if model.output_projection is not None
        else []
    )


@contextmanager
def guarded(model: NextGPT) -> Iterator[None]:
    """Assert that no frozen tensor changes meanwhile.

    Raises:
        AssertionError: one did; a defect, never a user's mistake.
    """
    before = _hashes(model)
    yield
    after = _hashes(model)
    changed = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    assert not changed, f"a frozen tensor changed during training: {min(changed)}"


def _hashes(model: NextGPT) -> dict[str, str]:
    # One at a time: under FSDP each is put together from all processes, and all of them would not fit.
    return {name: tensors_hash([("", whole(value.detach()))]) for name, value in frozen(model)}


def checkpointed(
    model: NextGPT, *, on: bool, again: Callable[[], AbstractContextManager[Any]] = nullcontext
) -> None:
    """Have the layers of the frozen networks computed again in the backward pass, to save their memory.

    To be called whenever the model has been switched to training.

    Args:
        model: whose.
        on: nothing is done otherwise.
        again: asked for when a layer is computed first, entered when it is computed again.
    """
    if not on:
        return
    # In the second stage it keeps next to nothing, and what it does keep must not be computed twice: see
    # `LanguageModel.hidden`.
    if model.stage != "decoding":
        _checkpointed(model.language_model.causal, again)
    for decoder in _decoders(model):
        for network in decoder.parts().values():
            if getattr(network, "_supports_gradient_checkpointing", False):
                network.enable_gradient_checkpointing()  # type: ignore[operator]


def _checkpointed(causal: Any, again: Callable[[], AbstractContextManager[Any]]) -> None:
    from transformers.modeling_layers import GradientCheckpointingLayer

    # The older name goes with transformers 6, and earlier versions do not know the newer.
    older = not hasattr(causal, "activation_checkpointing_enable")
    enable = causal.gradient_checkpointing_enable if older else causal.activation_checkpointing_enable
    enable({"use_reentrant": False, "context_fn": lambda: (nullcontext(), again())})
    for layer in causal.modules():
        if isinstance(layer, GradientCheckpointingLayer):
            # It looks at its own switch, while all that is inside it goes on answering as it does afterwards.
            layer.training = True
