"""All three stages in as many processes as there are: `torchrun -m tests.nextgpt.two_processes`."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from nextgpt.config import Config, LossWeights, Stage, StageConfig
from tests.nextgpt.backbones import making, random_config, seeing

WEIGHTS = LossWeights(denoising_batch=4)
PLAN = StageConfig(examples=22, steps=6, batch=6, learning_rate=1e-2, held_out=2, seed=3, losses=WEIGHTS)
# Fewer pictures are denoised than there are: of some conditions no loss is left. Many gradients are then as
# small as AdamW's epsilon, and it makes whole steps of their rounding: at PLAN's rate two processes differ by
# 1.1e-4 in the fifth loss of the last stage from one on one thread, and by less from one on two, each to the
# bit the same every time, and in double precision by 1e-14. At this rate they differ by 2e-6.
UNALIGNED = dataclasses.replace(
    PLAN, learning_rate=1e-3, losses=LossWeights(alignment=0.0, denoising_batch=1)
)
SAVE_EVERY = 2
KILLED_AFTER = 5


def launched(logs: Path, *module: object) -> subprocess.CompletedProcess[str]:
    """Run a module in two processes, by torch's launcher; where it crashes, it says so."""
    launcher = ["--standalone", "--nproc_per_node", "2", "--log-dir", str(logs)]
    own = {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu", "PYTHONFAULTHANDLER": "1"}
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *launcher, "-m", *map(str, module)],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )


def train(config: Config, out: Path, plan: StageConfig = PLAN, *, resume: bool = False) -> None:
    """Train the stages for a few steps; not every conversation has a picture, so that parts differ."""
    from nextgpt.training import loop
    from nextgpt.training.stages import begin

    examples = {"encoding": seeing(24), "decoding": making(24), "instruct": seeing(16) + making(8)}
    stages: tuple[Stage, ...] = ("encoding", "decoding", "instruct")
    for stage in stages:
        model = begin(config, stage, encoding=out / "encoding", decoding=out / "decoding", device="cpu")
        loop.train(model, examples[stage], plan, out / stage, resume=resume)


def shard() -> None:
    """Have what follows done under FSDP, as configs/fsdp.yaml says; Accelerate wants a GPU for that."""
    import yaml
    from accelerate import Accelerator, PartialState
    from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

    from nextgpt import training

    text = (Path(training.__file__).parent / "configs" / "fsdp.yaml").read_text(encoding="utf-8")
    said = yaml.safe_load(text)["fsdp_config"]
    state = Accelerator(cpu=True, mixed_precision="no").state
    state.fsdp_plugin = FullyShardedDataParallelPlugin(
        fsdp_version=said["fsdp_version"],
        auto_wrap_policy=said["fsdp_auto_wrap_policy"].lower(),
        transformer_cls_names_to_wrap=[said["fsdp_transformer_layer_cls_to_wrap"]],
        reshard_after_forward=said["fsdp_reshard_after_forward"],
        state_dict_type=said["fsdp_state_dict_type"],
        cpu_ram_efficient_loading=said["fsdp_cpu_ram_efficient_loading"],
    )
    for shared in (state, PartialState()):
        shared.distributed_type = DistributedType.FSDP


def deepspeed() -> None:
    """Have what follows done by DeepSpeed, as configs/deepspeed.yaml says but in float32.

    Accelerate starts it on GPUs only; DeepSpeed itself runs on CPUs where DS_ACCELERATOR says so.
    """
    import yaml
    from accelerate import Accelerator, PartialState
    from accelerate.utils import DeepSpeedPlugin, DistributedType

    from nextgpt import training

    text = (Path(training.__file__).parent / "configs" / "deepspeed.yaml").read_text(encoding="utf-8")
    said = yaml.safe_load(text)["deepspeed_config"]
    os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
    plugin = DeepSpeedPlugin(
        zero_stage=said["zero_stage"],
        gradient_clipping=said["gradient_clipping"],
        offload_optimizer_device=said["offload_optimizer_device"],
        offload_param_device=said["offload_param_device"],
    )
    state = Accelerator(cpu=True, mixed_precision="no", deepspeed_plugin=plugin).state
    plugin.select(_from_accelerator_state=True)
    state.deepspeed_plugins = {"default": plugin}
    for shared in (state, PartialState()):
        shared.distributed_type = DistributedType.DEEPSPEED


def die_in_the_last_stage() -> None:
    """Kill this process in the middle of a run, after its state was saved."""
    from nextgpt.training.loop import Run

    advance = Run.advance

    def dying(run: Run) -> Mapping[str, object]:
        if run.model.stage == "instruct" and run.step == KILLED_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        return advance(run)

    Run.advance = dying  # type: ignore[method-assign,assignment]


def main(backbones: str, out: str, *how: str) -> None:
    """What each process runs."""
    import torch
    from accelerate import PartialState

    torch.set_num_threads(1)
    state = PartialState(cpu=True)
    print(f"process {state.process_index} of {state.num_processes}", flush=True)
    if "sharded" in how:
        shard()
    if "zero" in how:
        deepspeed()
    if "killed" in how:
        die_in_the_last_stage()
    config = random_config(Path(backbones))
    config = dataclasses.replace(config, lora=dataclasses.replace(config.lora, dropout=0.2))
    plan = dataclasses.replace(PLAN if "unaligned" not in how else UNALIGNED, save_every=SAVE_EVERY)
    train(config, Path(out), plan, resume="resumed" in how)
    state.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
