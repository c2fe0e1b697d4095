"""The output projection against recorded answers of the released one."""

from __future__ import annotations

import functools
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nextgpt.decoding.projection import TINY, OutputProjection, OutputProjectionConfig, output_projection

PARITY = Path(__file__).parents[4] / "shared" / "data" / "parity"
RELEASED = {  # the configuration, and the number of signal tokens
    "image": (OutputProjectionConfig(), 4),
    "video": (OutputProjectionConfig(out_dim=1024), 24),
    "audio": (OutputProjectionConfig(queries=1, out_dim=512), 8),
}


@functools.cache
def rebuilt_weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """The weight that the recorded answers were made with, rebuilt from its name alone."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    weight = torch.randn(shape, generator=generator) * 0.05
    return weight + 1 if "norm" in name and name.endswith("weight") else weight


@pytest.mark.skipif(
    not (PARITY / "output_projection.npz").exists(), reason="the recorded answers are not beside the project"
)
@torch.inference_mode()
def test_answers_equal_the_released_implementation() -> None:
    shapes = json.loads((PARITY / "output_projection_keys.json").read_text())
    recorded = np.load(PARITY / "output_projection.npz")
    for modality, (config, signals) in RELEASED.items():
        with torch.device("meta"):
            projection = OutputProjection(config).eval()
        weights = {name: rebuilt_weight(name, tuple(shape)) for name, shape in shapes[modality].items()}
        projection.load_state_dict(weights, strict=True, assign=True)
        generator = torch.Generator().manual_seed(11)
        hidden = torch.randn(2, signals, 4096, generator=generator)
        embeddings = torch.randn(2, signals, 4096, generator=generator) * 0.1
        condition = projection(hidden + embeddings)
        assert list(condition.shape) == recorded[f"{modality}_shape"].tolist()
        expected = torch.from_numpy(recorded[modality])
        difference = (condition[:, :3, :64] - expected).abs().max() / expected.abs().max()
        assert difference < 1e-4, modality


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (OutputProjectionConfig(), 31_958_784),
        (OutputProjectionConfig(out_dim=1024), 32_090_112),
        (OutputProjectionConfig(queries=1, out_dim=512), 31_788_544),
    ],
)
def test_released_sizes(config: OutputProjectionConfig, parameters: int) -> None:
    with torch.device("meta"):
        projection = OutputProjection(config)
    assert sum(p.numel() for p in projection.parameters()) == parameters


def test_gradients_reach_every_parameter_and_the_signals() -> None:
    torch.manual_seed(0)
    projection = OutputProjection(TINY)
    signals = torch.randn(2, 4, 192, requires_grad=True)
    learnt = {"signals": signals, **dict(projection.named_parameters())}
    gradients = torch.autograd.grad(projection(signals).square().sum(), list(learnt.values()))
    silent = [name for name, gradient in zip(learnt, gradients, strict=True) if not gradient.abs().sum() > 0]
    assert silent == []


@torch.inference_mode()
def test_queries_differ_from_the_first_step_and_spans_do_not_mix() -> None:
    torch.manual_seed(0)
    projection = OutputProjection(TINY).eval()
    signals = torch.randn(2, 4, 192)
    together = projection(signals)
    assert together.std(1).min() > 0
    assert torch.allclose(together[:1], projection(signals[:1]), atol=1e-5)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        OutputProjectionConfig(width=130)
    with pytest.raises(ValueError, match="'qformer': there is only transformer"):
        output_projection("qformer", in_dim=8, out_dim=8, queries=1)
    with pytest.raises(ValueError, match="widht"):
        output_projection("transformer", in_dim=8, out_dim=8, queries=1, widht=8)
