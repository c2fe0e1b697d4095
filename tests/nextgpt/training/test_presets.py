"""What is shipped for training at full size: configurations that parse, and the paper's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

import nextgpt.training
from nextgpt.config import STAGES, load_config
from nextgpt.training import native

CONFIGS = Path(nextgpt.training.__file__).parent / "configs"


@pytest.mark.parametrize("name", ["ddp", "fsdp", "deepspeed"])
def test_accelerate_accepts_each_configuration(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser
    from accelerate.utils import DistributedType

    assert {path.stem for path in CONFIGS.iterdir()} == {"ddp", "fsdp", "deepspeed"}
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    kinds = {"ddp": "MULTI_GPU", "fsdp": "FSDP", "deepspeed": "DEEPSPEED"}
    assert config.distributed_type == DistributedType(kinds[name])
    # As the launcher hands them on: a misspelt option would be left out there, without a word.
    known = {action.dest for action in launch_command_parser()._actions}
    assert set(config.fsdp_config) | set(config.deepspeed_config) <= known


@pytest.mark.parametrize("name", ["7b", "7b-v0", "7b-sd2"])
def test_full_size_presets_read_the_released_formats(name: str) -> None:
    training = load_config(name).training
    assert training is not None
    assert training.source == f"{native.__name__}:examples"
    for plan in tuple(map(training.stage, STAGES)):
        assert (plan.steps, plan.epochs, plan.checkpointing) == (0, 1, True)
        assert plan.batch % plan.accumulate == 0


def test_the_papers_settings_are_those_of_its_table() -> None:
    training = load_config("7b").training
    assert training is not None
    stages = tuple(map(training.stage, STAGES))
    assert [plan.learning_rate for plan in stages] == [4e-4, 4e-4, 5e-4]
    assert {(plan.weight_decay, plan.warmup, plan.longest) for plan in stages} == {(0.001, 0.1, 512)}
    assert [plan.batch for plan in stages] == [18 * 3, 8 * 3, 4 * 4]
