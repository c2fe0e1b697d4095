"""Peak memory and arithmetic, found on shapes without numbers, against what is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from nextgpt.config import load_config
from nextgpt.sizing.counting import Peak, operations
from nextgpt.sizing.passes import Load, Passes
from nextgpt.sizing.rehearsal import need
from nextgpt.sizing.structure import Structure, build, parts_of


@pytest.fixture(scope="module")
def tiny() -> Structure:
    return build(parts_of(load_config("tiny")))


def test_births_and_deaths_are_counted() -> None:
    with Peak() as peak:
        kept = torch.zeros(100)
        for _ in range(3):
            passing = kept + 1  # 400 bytes, which die when the next are there
        del passing  # type: ignore[possibly-undefined]
        view = kept[:10]
    assert (peak.now, peak.most) == (400, 1200)
    assert view.untyped_storage().nbytes() == 400


def test_what_was_there_before_is_not_counted() -> None:
    before = torch.zeros(1000)
    with Peak() as peak:
        before.view(10, 100).t()
        before.add_(1)
    assert peak.most == 0


def test_more_is_needed_for_more(tiny: Structure) -> None:
    small, large = (need(tiny, "encoding", Load(size, 64, 16)) for size in (2, 8))
    assert small.weights == large.weights
    assert 3.5 < large.working / small.working < 5  # gradients are taken off, which both have alike
    assert need(tiny, "instruct", Load(2, 64, 16)).optimiser > small.optimiser
    assert small.gradients * 2 == small.optimiser == 8 * 424_385


def test_keys_and_values_by_hand(tiny: Structure) -> None:
    # Keys and values, 4 layers, 6 heads of 32, in float32.
    assert need(tiny, "inference", Load(3, 100, 28)).cache == 2 * 4 * 6 * 32 * 4 * 3 * 128


def test_offloaded_decoders_count_once(tiny: Structure) -> None:
    twice = replace(tiny, networks={"image": tiny.networks["image"], "video": tiny.networks["image"]})
    assert need(twice, "inference", Load(1, 32, 8), offload=True).weights == (
        need(tiny, "inference", Load(1, 32, 8)).weights
    )


def test_operations_of_a_linear_layer() -> None:
    layer = torch.nn.Linear(30, 50, device="meta")
    assert operations(lambda: layer(torch.zeros(7, 30, device="meta"))) == 2 * 7 * 30 * 50


@pytest.mark.slow
def test_the_full_size_on_shapes_alone() -> None:
    """One any-to-any turn and a training step of each stage of the whole model, without a byte of weights."""
    full = build(parts_of(load_config("7b")), dtype=torch.bfloat16)
    passes = Passes(full, Load(1, 64, 16))
    assert passes.heard == ("image", "video", "audio")
    for modality, places in (("image", 257), ("video", 257), ("audio", 229)):
        assert passes.read(modality).shape == (1, places, 1024)
    assert passes.understand().shape == (1, 32_036)
    made = {"image": (1, 3, 512, 512), "video": (16, 3, 320, 576), "audio": (1, 80_032)}
    for modality, shape in made.items():
        latents = full.parts.decoders[modality].latents
        assert passes.guided(modality).shape == (2, *latents)
        assert passes.finish(modality).shape == shape
    for stage in ("encoding", "decoding", "instruct"):
        trained = full.trained(stage)
        for asked in [None] if stage == "encoding" else passes.modalities:
            passes.learn(stage, asked).backward()
        assert all(parameter.grad is not None for parameter in trained)
        for parameter in trained:
            parameter.grad = None


@pytest.mark.weights
@pytest.mark.parametrize("stage", ["encoding", "decoding"])
def test_the_estimate_is_near_what_a_training_step_takes(stage: str, tiny: Structure) -> None:
    """Within a factor of 1.6 either way of this process's own memory, on a batch of the tiny preset."""
    from nextgpt.sizing.measuring import _resident, _watched

    step, load = _training_step(stage)
    with _watched("cpu") as peak:
        before = _resident("VmRSS")
        step()
    if not before:
        pytest.skip("this system does not tell how much memory a process takes")
    estimated = need(tiny, stage, load)  # type: ignore[arg-type]
    taken = estimated.total - estimated.weights  # those are there before
    assert taken > 100 * 2**20  # or what is measured would be noise
    assert 1 / 1.6 < (peak[0] - before) / taken < 1.6


def _training_step(stage: str) -> tuple[Callable[[], None], Load]:
    """A real step of the real trainer's objective, and how much it does at once."""
    from nextgpt.config import LossWeights
    from nextgpt.training.batches import Prepared
    from nextgpt.training.losses import Objective
    from nextgpt.training.stages import begin
    from toyworld.training import examples

    config = load_config("tiny")
    model = begin(config, stage, device="cpu")  # type: ignore[arg-type]
    data = Prepared(model, examples(stage, 32))
    batch = data.batch(range(32), model.device)
    objective = Objective(model, LossWeights())
    optimizer = torch.optim.AdamW(model.trained().values())

    def step() -> None:
        loss, _ = objective(batch, torch.Generator().manual_seed(0))
        loss.backward()
        optimizer.step()

    return step, Load(32, batch.ids.shape[1], int(batch.learn.sum()) // 32)
