"""The resumable state of training: weights, optimiser and step, in one file, whole or not at all.

Under FSDP and DeepSpeed the trained tensors and the optimiser's are spread over the processes; they are
gathered for the file, and spread again when it is read, so that the file is the same for any number of
processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nextgpt.errors import written_aside
from nextgpt.training import zero
from nextgpt.training.data import TrainingError

if TYPE_CHECKING:
    from nextgpt.model import NextGPT


@dataclass(frozen=True)
class Moving:
    """What changes from step to step.

    Attributes:
        accelerator: of Accelerate, which says who is who.
        model: what trains.
        optimizer: its optimiser, as Accelerate wraps it.
        parameters: what the optimiser was made for, in the order of its groups.
    """

    accelerator: Any
    model: NextGPT
    optimizer: Any
    parameters: Sequence[nn.Parameter]

    @property
    def sharded(self) -> bool:
        """Whether no process has the whole of the trained weights or of the optimiser's state."""
        return self.by_deepspeed or str(self.accelerator.distributed_type) == "DistributedType.FSDP"

    @property
    def by_deepspeed(self) -> bool:
        """Whether DeepSpeed has spread them."""
        return zero.used(self.accelerator)

    def trained(self) -> dict[str, Tensor]:
        """What trains, whole and in float32; all processes have to ask."""
        own = self.model.trained()
        return (
            zero.weights(own)
            if self.by_deepspeed
            else {name: whole(value.detach()) for name, value in own.items()}
        )


def whole(value: Tensor) -> Tensor:
    """A tensor that may be spread over processes, put together; all of them have to ask."""
    gather: Callable[[], Tensor] | None = getattr(value, "full_tensor", None)
    return gather() if gather is not None else value


def keep(path: Path, moving: Moving, step: int, plan: str) -> None:
    """Write the state; every process has to call it, the first one writes.

    Args:
        path: the file.
        moving: what to write.
        step: steps done.
        plan: hash of the settings.
    """
    if not (moving.accelerator.is_main_process or moving.sharded):
        return
    optimizer = (
        zero.state(moving.optimizer, moving.parameters, step)
        if moving.by_deepspeed
        else _each_tensor(moving.optimizer.state_dict(), whole)
    )
    state = {
        "plan": plan,
        "step": step,
        "trained": {name: value.cpu() for name, value in moving.trained().items()},
        "optimizer": optimizer,
    }
    if not moving.accelerator.is_main_process:
        return
    with written_aside(path) as aside, aside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def restore(path: Path, moving: Moving, plan: str) -> int:
    """Take up the state; every process has to call it.

    Returns:
        Steps done; 0 where there is no file.

    Raises:
        TrainingError: the state belongs to other settings, data or weights, or is damaged.
    """
    if not path.exists():
        return 0
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling, even of tensors alone, raises what it likes
        raise TrainingError(f"{path}: damaged ({error}); delete it and begin anew") from error
    if not isinstance(state, dict) or not state.keys() >= {"plan", "step", "trained", "optimizer"}:
        raise TrainingError(f"{path}: no state of a training; delete it and begin anew")
    if state["plan"] != plan:
        raise TrainingError(
            f"{path}: saved under other settings, on other data or beside other weights, those of an earlier "
            "stage included; use these again, or another --out, or leave out --resume to begin anew"
        )
    own, kept = moving.model.trained(), state["optimizer"]["state"]
    if moving.by_deepspeed:
        names = {id(value): name for name, value in own.items()}
        values = [state["trained"][names[id(value)]] for value in moving.parameters]
        zero.restore(moving.optimizer, moving.parameters, values, kept, state["step"])
        return int(state["step"])
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(_spread(state["trained"][name], value))
    # FSDP has put others into the places of those that the optimiser was made for.
    there = [value for group in moving.optimizer.param_groups for value in group["params"]]
    for place, values in kept.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == there[place].shape:
                values[name] = _spread(value, there[place])
    moving.optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def _spread(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, spread over the processes as another one is."""
    if not hasattr(like, "full_tensor"):
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def _each_tensor(values: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(values, Tensor):
        return change(values)
    if isinstance(values, Mapping):
        return {name: _each_tensor(value, change) for name, value in values.items()}
    return values
