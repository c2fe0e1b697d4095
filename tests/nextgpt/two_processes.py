"""All three stages in as many processes as there are: `accelerate launch -m tests.nextgpt.two_processes`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from nextgpt.config import Config, LossWeights, Stage, StageConfig
from tests.nextgpt.backbones import making, random_config, seeing

WEIGHTS = LossWeights(denoising_batch=4)
PLAN = StageConfig(examples=22, steps=6, batch=6, learning_rate=1e-2, held_out=2, seed=3, losses=WEIGHTS)


def train(config: Config, out: Path, plan: StageConfig = PLAN) -> None:
    """Train the stages for a few steps; not every conversation has a picture, so that parts differ."""
    from nextgpt.training import loop
    from nextgpt.training.stages import begin

    examples = {"encoding": seeing(24), "decoding": making(24), "instruct": seeing(16) + making(8)}
    stages: tuple[Stage, ...] = ("encoding", "decoding", "instruct")
    for stage in stages:
        model = begin(config, stage, encoding=out / "encoding", decoding=out / "decoding", device="cpu")
        loop.train(model, examples[stage], plan, out / stage)


def main(backbones: str, out: str) -> None:
    """What each process runs."""
    import torch

    torch.set_num_threads(1)
    config = random_config(Path(backbones))
    train(dataclasses.replace(config, lora=dataclasses.replace(config.lora, dropout=0.2)), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
