"""DeepSpeed's ZeRO 2: what it spreads over the processes, put together and spread again.

ZeRO flattens each group of parameters, and gives each process a piece of it to update: the weights in
float32, of which the model may hold a copy in half precision, and AdamW's two moments. Here they are single
tensors again, as an optimiser in one process has them.

One thing is not as elsewhere: a parameter that a whole batch has no use for, as the projection of pictures in
a batch without any, has no gradient, and AdamW leaves it alone. ZeRO takes that for a gradient of zero, and
momentum moves it on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nextgpt.training.data import TrainingError

_MOMENTS = ("exp_avg", "exp_avg_sq")


def used(accelerator: Any) -> bool:
    """Whether DeepSpeed shares the work."""
    return str(accelerator.distributed_type) == "DistributedType.DEEPSPEED"


def configure(plugin: Any, examples: int) -> None:
    """Tell Accelerate's plugin of DeepSpeed what it would otherwise read from a data loader.

    Args:
        plugin: of the accelerator.
        examples: in one turn of one process.

    Raises:
        TrainingError: another stage of ZeRO is asked for.
    """
    if plugin.zero_stage != 2:
        raise TrainingError(
            f"zero_stage is {plugin.zero_stage}; under DeepSpeed ZeRO 2 is known here. Set it to 2, or take "
            "configs/fsdp.yaml to spread the weights too"
        )
    plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = examples


def weights(trained: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """The weights in float32, whole; all processes have to ask."""
    from deepspeed.utils import safe_get_full_fp32_param

    return {name: safe_get_full_fp32_param(value) for name, value in trained.items()}


def state(optimizer: Any, parameters: Sequence[nn.Parameter], step: int) -> dict[str, Any]:
    """What `torch.optim.AdamW.state_dict` would say in one process; all processes have to ask.

    Args:
        optimizer: DeepSpeed's, as Accelerate wraps it.
        parameters: what it updates, in the order of its groups.
        step: steps done.
    """
    from deepspeed.utils import safe_get_full_optimizer_state

    zero = optimizer.optimizer
    if step:
        _link(zero)
    moments = {
        place: {
            "step": torch.tensor(float(step)),
            **{name: safe_get_full_optimizer_state(value, name) for name in _MOMENTS},
        }
        for place, value in enumerate(parameters)
        if step
    }
    groups, start = [], 0
    for group, members in zip(zero.optimizer.param_groups, zero.bit16_groups, strict=True):
        settings = {name: value for name, value in group.items() if name != "params"}
        groups.append(settings | {"params": list(range(start, start + len(members)))})
        start += len(members)
    return {"state": moments, "param_groups": groups}


@torch.no_grad()
def restore(
    optimizer: Any,
    parameters: Sequence[nn.Parameter],
    values: Iterable[Tensor],
    moments: Mapping[int, Mapping[str, Tensor]],
    step: int,
) -> None:
    """Take up weights and moments; every process keeps its piece.

    Args:
        optimizer: DeepSpeed's, as Accelerate wraps it.
        parameters: what it updates, in the order of its groups.
        values: their weights, in that order.
        moments: by place, as in `state`; AdamW has none of what never had a gradient.
        step: steps done.
    """
    from deepspeed.utils import safe_set_full_fp32_param, safe_set_full_optimizer_state

    zero = optimizer.optimizer
    for piece in zero.single_partition_of_fp32_groups:
        # AdamW makes them in its first step, but they are wanted before.
        zero.optimizer.state[piece] = {
            "step": torch.tensor(float(step)),
            **{name: torch.zeros_like(piece) for name in _MOMENTS},
        }
    _link(zero)
    for place, (parameter, value) in enumerate(zip(parameters, values, strict=True)):
        there = value.to(parameter.device)
        parameter.copy_(there)
        safe_set_full_fp32_param(parameter, there.float())
        for name in _MOMENTS if place in moments else ():
            safe_set_full_optimizer_state(parameter, moments[place][name].to(parameter.device), name)


def _link(zero: Any) -> None:
    """Let each parameter know where its moments are; DeepSpeed does that for its first group alone."""
    from deepspeed.utils import lazy_init_hp_params_optimizer_state

    for members, piece in zip(zero.bit16_groups, zero.single_partition_of_fp32_groups, strict=True):
        lazy_init_hp_params_optimizer_state(members, piece, zero.optimizer.state)
