from __future__ import annotations

from pathlib import Path

import pytest

from nextgpt.config import Config
from nextgpt.model import NextGPT
from tests.nextgpt.backbones import build, random_config


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A preset on random backbones."""
    folder = tmp_path_factory.mktemp("backbones")
    build(folder)
    return random_config(folder)


@pytest.fixture(scope="session")
def checkpoint(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained checkpoint of the last stage, whose adapters do add something."""
    import torch

    from nextgpt.checkpoints import Card, save
    from nextgpt.loading import assemble, backbones

    torch.manual_seed(1)
    model = assemble(config, "instruct", device="cpu")
    tensors = {name: value.detach() for name, value in model.trained().items()}
    tensors = {name: torch.randn_like(v) * 0.1 if "lora_B" in name else v for name, v in tensors.items()}
    folder = tmp_path_factory.mktemp("checkpoint") / "instruct"
    save(folder, Card("instruct", "random", "grouping", backbones(config, "instruct")), tensors)
    return folder


@pytest.fixture
def model(config: Config, checkpoint: Path) -> NextGPT:
    import nextgpt

    return nextgpt.load(config, checkpoint=checkpoint, device="cpu")
