"""A process that trains and kills itself in the middle of a step: `python -m tests.nextgpt.killed ...`."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path

from nextgpt.config import StageConfig
from tests.nextgpt.backbones import making, random_config, seeing

PLAN = StageConfig(examples=12, steps=9, batch=4, learning_rate=1e-2, held_out=2, save_every=2, seed=3)


def main(backbones: str, encoding: str, decoding: str, out: str, step: str) -> None:
    """Train the last stage, and die without warning in the given step."""
    import torch

    from nextgpt.training import loop
    from nextgpt.training.stages import begin

    torch.set_num_threads(1)

    class Dying(loop.Run):
        def advance(self) -> dict[str, torch.Tensor]:
            terms = super().advance()
            if self.step == int(step):
                os.kill(os.getpid(), signal.SIGKILL)
            return terms

    loop.Run = Dying  # type: ignore[misc]
    config = random_config(Path(backbones))
    model = begin(config, "instruct", encoding=Path(encoding), decoding=Path(decoding), device="cpu")
    loop.train(model, seeing(7) + making(7), dataclasses.replace(PLAN), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
