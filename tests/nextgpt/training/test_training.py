"""The three stages on random backbones: losses fall, what is frozen stays, kills lose nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from nextgpt.checkpoints import load as read_checkpoint
from nextgpt.checkpoints import tensors_hash
from nextgpt.config import Config, Stage
from nextgpt.errors import ConfigError
from nextgpt.loading import backbones
from nextgpt.messages import assistant, user
from nextgpt.model import NextGPT
from nextgpt.training import loop
from nextgpt.training.batches import Prepared
from nextgpt.training.data import Example, TrainingError, source
from nextgpt.training.features import Features
from nextgpt.training.losses import alignment_loss
from nextgpt.training.order import Order
from nextgpt.training.stages import begin, frozen, share
from nextgpt.training.steps import Run
from tests.nextgpt.backbones import making, plain, seeing
from tests.nextgpt.killed import PLAN

EXAMPLES: dict[Stage, list[Example]] = {
    "encoding": seeing(14),
    "decoding": making(14),
    "instruct": seeing(7) + making(7),
}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def stages(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of the first two stages, trained for a few steps."""
    folder = tmp_path_factory.mktemp("stages")
    first: tuple[Stage, ...] = ("encoding", "decoding")
    for stage in first:
        model = begin(config, stage, device="cpu")
        plan = dataclasses.replace(PLAN, steps=2)
        loop.train(model, EXAMPLES[stage], plan, folder / stage, beside=backbones(config, stage))
    return folder


def start(config: Config, stage: Stage, stages: Path) -> NextGPT:
    return begin(config, stage, encoding=stages / "encoding", decoding=stages / "decoding", device="cpu")


def losses(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / loop.LOG).read_text().splitlines()]


@pytest.mark.parametrize("stage", ["encoding", "decoding", "instruct"])
def test_losses_fall_and_what_is_frozen_stays(
    config: Config, stages: Path, tmp_path: Path, stage: Stage
) -> None:
    model = start(config, stage, stages)
    if stage != "encoding":
        assert model.decoder.shape.width  # read now, or its tensors would come in between
    before = tensors_hash(frozen(model))
    trained = {part: tensors_hash(values.items()) for part, values in model.parts().items() if values}
    plan = dataclasses.replace(PLAN, steps=40, learning_rate=2e-2)
    loop.train(model, EXAMPLES[stage], plan, tmp_path)
    assert tensors_hash(frozen(model)) == before
    for part, hashed in trained.items():
        assert tensors_hash(model.parts()[part].items()) != hashed, f"{part} did not train"
    first, last = losses(tmp_path)[0], losses(tmp_path)[-1]
    falling = {"encoding": ["text"], "decoding": ["signals", "alignment"], "instruct": ["text"]}[stage]
    for term in falling:
        assert last[term] < 0.9 * first[term]


@pytest.mark.parametrize("part", ["language_model", "unet"])
def test_a_frozen_tensor_that_changes_is_noticed(
    config: Config, stages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    model = start(config, "decoding", stages)
    advance = Run.advance

    def spoiling(run: Run) -> Any:
        with torch.no_grad():
            next(value for name, value in frozen(model) if name.startswith(part)).add_(1)
        return advance(run)

    monkeypatch.setattr(Run, "advance", spoiling)
    with pytest.raises(AssertionError, match=f"a frozen tensor changed during training: {part}"):
        loop.train(model, EXAMPLES["decoding"], dataclasses.replace(PLAN, steps=1), tmp_path)


def test_only_the_diffusion_models_that_a_loss_needs_are_read(
    config: Config, stages: Path, tmp_path: Path
) -> None:
    """And of what no denoising loss asks for, no latents are computed."""
    for denoising in (0.0, 1.0):
        model = start(config, "decoding", stages)
        losses = dataclasses.replace(PLAN.losses, denoising=denoising)
        plan = dataclasses.replace(PLAN, steps=1, losses=losses)
        features = Features()
        loop.train(model, EXAMPLES["decoding"], plan, tmp_path / str(denoising), features=features)
        assert (len(features.latents["image"]) > 0) is (denoising > 0)
        # With its conditions there, nothing is left for it to do but to denoise.
        again = start(config, "decoding", stages)
        loop.train(again, EXAMPLES["decoding"], plan, tmp_path / f"{denoising}-again", features=features)
        assert again.decoders.loaded == (("image",) if denoising else ())


def test_only_the_stages_own_parts_train(config: Config, stages: Path) -> None:
    counts = {stage: share(start(config, stage, stages)).trainable for stage in EXAMPLES}
    assert set(counts["encoding"]) == {"input_projection"}
    assert set(counts["decoding"]) == {"output_projection", "signals"}
    assert set(counts["instruct"]) == {"input_projection", "output_projection", "signals", "lora"}
    assert counts["instruct"]["signals"] == 2 * 4 * 32
    model = start(config, "instruct", stages)
    needing = sum(value.numel() for value in model.parameters() if value.requires_grad)
    assert needing == sum(counts["instruct"].values())
    assert 0 < share(model).ratio < 1


def test_killed_and_resumed_is_bit_for_bit_the_same(config: Config, stages: Path, tmp_path: Path) -> None:
    whole = start(config, "instruct", stages)
    loop.train(whole, EXAMPLES["instruct"], PLAN, tmp_path / "whole")
    killed = subprocess.run(
        [
            *(sys.executable, "-m", "tests.nextgpt.killed", Path(config.weights.encoder).parent),
            *(stages / "encoding", stages / "decoding", tmp_path / "killed", "5"),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    assert not (tmp_path / "killed" / "nextgpt.yaml").exists()
    torch.manual_seed(77)  # whatever the new process draws at first
    resumed = begin(
        config, "instruct", encoding=stages / "encoding", decoding=stages / "decoding", device="cpu"
    )
    loop.train(resumed, EXAMPLES["instruct"], PLAN, tmp_path / "killed", resume=True)
    assert tensors_hash(resumed.trained().items()) == tensors_hash(whole.trained().items())
    names = [[line["step"] for line in losses(tmp_path / which)] for which in ("whole", "killed")]
    assert names[0] == names[1]


def test_products_in_bfloat16_change_the_last_digits_only(
    config: Config, stages: Path, tmp_path: Path
) -> None:
    found = {}
    for precision in ("float32", "bfloat16"):
        model = start(config, "instruct", stages)
        plan = dataclasses.replace(PLAN, steps=3, precision=precision)
        loop.train(model, EXAMPLES["instruct"], plan, tmp_path / precision)
        assert {value.dtype for value in model.trained().values()} == {torch.float32}
        found[precision] = losses(tmp_path / precision)[-1]["loss"]
    assert found["bfloat16"] != found["float32"]
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.02)


def test_a_state_of_other_settings_is_refused(config: Config, stages: Path, tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, steps=2)
    loop.train(start(config, "encoding", stages), EXAMPLES["encoding"], plan, tmp_path)
    other = dataclasses.replace(plan, learning_rate=1e-4)
    with pytest.raises(TrainingError, match="other settings"):
        loop.train(start(config, "encoding", stages), EXAMPLES["encoding"], other, tmp_path, resume=True)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(
    config: Config, stages: Path, tmp_path: Path
) -> None:
    plan = dataclasses.replace(PLAN, steps=2)
    loop.train(start(config, "encoding", stages), EXAMPLES["encoding"], plan, tmp_path)
    kept = (tmp_path / loop.STATE).read_bytes()
    model = start(config, "encoding", stages)
    with torch.no_grad():
        next(iter(model.trained().values())).fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"step 1 is nan \(text nan\); its examples are \d+, \d+"):
        loop.train(model, EXAMPLES["encoding"], plan, tmp_path)
    assert (tmp_path / loop.STATE).read_bytes() == kept


def test_ctrl_c_keeps_what_is_done(
    config: Config, stages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = loop.Run.advance

    def interrupted(self: loop.Run) -> dict[str, torch.Tensor]:
        if self.step == 3:
            signal.raise_signal(signal.SIGINT)  # the step is taken to its end
        return advance(self)

    monkeypatch.setattr(loop.Run, "advance", interrupted)
    plan = dataclasses.replace(PLAN, save_every=100)
    with pytest.raises(KeyboardInterrupt):
        loop.train(start(config, "encoding", stages), EXAMPLES["encoding"], plan, tmp_path)
    assert torch.load(tmp_path / loop.STATE, weights_only=True)["step"] == 4


def test_the_checkpoint_says_what_it_is(stages: Path, config: Config) -> None:
    card, tensors = read_checkpoint(stages / "decoding")
    assert (card.stage, card.preset, card.projection, card.steps) == ("decoding", "random", "grouping", 2)
    assert set(card.backbones) == {"language_model", "image"}
    assert {"held_out_text", "held_out_alignment", "held_out_denoising", "trainable_share"} <= set(
        card.figures
    )
    assert {name.partition(".")[0] for name in tensors} == {"output_projection", "signals"}


def test_captions_and_pictures_are_equal_in_number() -> None:
    with pytest.raises(ValueError, match="1 pictures by the assistant but 2 captions"):
        Example((user("draw"), assistant(plain("red"))), ("one", "two"))


def test_what_is_frozen_is_computed_once_per_picture(config: Config, stages: Path) -> None:
    model = start(config, "instruct", stages)
    data = Prepared(model, EXAMPLES["instruct"])
    features = data.features
    assert len(features.tokens) == len(features.conditions["image"]) == len(features.latents["image"]) == 4
    batch = data.batch([0, 9, 1, 8], torch.device("cpu"))
    assert torch.allclose(batch.tokens["image"][1], model.encode([plain("green")])[0], atol=1e-3)
    wanted = model.decoder.encode_text(["a blue circle", "a green circle"])
    assert torch.allclose(batch.conditions["image"], wanted, atol=5e-3)


def test_an_example_too_long_is_named(config: Config, stages: Path) -> None:
    long = Example((user("hello " * 300), assistant("hi")))
    with pytest.raises(ValueError, match="training example 1 has"):
        Prepared(start(config, "encoding", stages), [seeing(1)[0], long])


@pytest.mark.parametrize("name", ["no_such_module:examples", "json:no_such_function", "json"])
def test_an_unknown_source_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="module:function"):
        source(name)


def test_every_example_comes_once_an_epoch_and_neighbours_are_alike_in_length() -> None:
    lengths = [k % 50 for k in range(640)]
    order = Order(lengths, size=16, seed=0)
    batches = [order.rows(step) for step in range(40)]
    assert sorted(row for batch in batches for row in batch) == list(range(640))
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in batches)
    assert padded < 1.1 * sum(lengths)
    assert order.rows(40) != batches[0]


def test_the_distance_is_euclidean_per_token_with_a_finite_gradient() -> None:
    condition = torch.zeros(2, 3, 4, requires_grad=True)
    alignment_loss(condition, torch.zeros(2, 3, 4)).backward()
    assert condition.grad is not None
    assert condition.grad.isfinite().all()
    target = torch.randn(2, 3, 4)
    assert torch.isclose(alignment_loss(condition, target), target.norm(dim=-1).mean())


def test_the_rate_rises_then_falls() -> None:
    factors = [loop.rate_factor(step, 100, 0.1) for step in range(100)]
    assert max(factors) == 1.0 == factors[9]
    assert factors[:10] == sorted(factors[:10])
    assert factors[9:] == sorted(factors[9:], reverse=True)
    assert min(factors) > 0
