"""The resumable state of training: weights, optimiser and step, in one file, whole or not at all.

Under FSDP the trained tensors and the optimiser's are spread over the processes; they are gathered for the
file, and spread again when it is read, so that the file is the same for any number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nextgpt.training.data import TrainingError

if TYPE_CHECKING:
    from nextgpt.model import NextGPT


def sharded(accelerator: Any) -> bool:
    """Whether no process has the whole of the trained weights or of the optimiser's state."""
    return str(accelerator.distributed_type) in {"DistributedType.FSDP", "DistributedType.DEEPSPEED"}


def whole(value: Tensor) -> Tensor:
    """A tensor that may be spread over processes, put together; all of them have to ask."""
    gather: Callable[[], Tensor] | None = getattr(value, "full_tensor", None)
    return gather() if gather is not None else value


def keep(path: Path, accelerator: Any, model: NextGPT, optimizer: Any, step: int, plan: str) -> None:
    """Write the state; every process has to call it, the first one writes.

    Args:
        path: the file.
        accelerator: says who is who.
        model: what trains.
        optimizer: its optimiser.
        step: steps done.
        plan: hash of the settings.
    """
    if _deepspeed(accelerator) or not (accelerator.is_main_process or sharded(accelerator)):
        return
    state = {
        "plan": plan,
        "step": step,
        "trained": {name: whole(value.detach()).cpu() for name, value in model.trained().items()},
        "optimizer": _each_tensor(optimizer.state_dict(), whole),
    }
    if not accelerator.is_main_process:
        return
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def restore(path: Path, accelerator: Any, model: NextGPT, optimizer: Any, plan: str) -> int:
    """Take up the state; every process has to call it.

    Returns:
        Steps done; 0 where there is no file.

    Raises:
        TrainingError: the state belongs to other settings or other data, or is damaged.
    """
    if _deepspeed(accelerator):
        raise TrainingError(
            "under DeepSpeed there is no state to resume from; begin anew, or train under FSDP or DDP"
        )
    if not path.exists():
        return 0
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError) as error:
        raise TrainingError(f"{path}: damaged ({error}); delete it and begin anew") from error
    if state["plan"] != plan:
        raise TrainingError(
            f"{path}: saved under other settings or beside other data; use these again, or "
            "another --out, or leave out --resume to begin anew"
        )
    with torch.no_grad():
        for name, value in model.trained().items():
            value.copy_(_spread(state["trained"][name], value))
    parameters = [value for group in optimizer.param_groups for value in group["params"]]
    for place, values in state["optimizer"]["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameters[place].shape:
                values[name] = _spread(value, parameters[place])
    optimizer.load_state_dict(state["optimizer"])
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


def _deepspeed(accelerator: Any) -> bool:
    return str(accelerator.distributed_type) == "DistributedType.DEEPSPEED"
