"""What is no number stops training, and costs nothing that was good."""

from __future__ import annotations

import dataclasses
import json
import resource
import signal
from pathlib import Path

import pytest
import torch

from nextgpt.checkpoints import tensors_hash
from nextgpt.config import Config
from nextgpt.errors import UserError
from nextgpt.messages import assistant, user
from nextgpt.model import NextGPT
from nextgpt.training import loop
from nextgpt.training.data import Example, TrainingError
from nextgpt.training.features import Features
from nextgpt.training.stages import begin
from tests.nextgpt.backbones import COLOURS, plain
from tests.nextgpt.killed import PLAN

RED = plain("red")


def examples() -> list[Example]:
    """One red picture among the others, named as a file's records are."""
    shown = [colour for colour in COLOURS if colour != "red"] * 4
    return [named(k, colour) for k, colour in enumerate(["red", *shown, "green"])]


def named(number: int, colour: str) -> Example:
    said = (user(plain(colour), "describe the picture."), assistant(f"a {colour} circle"))
    return Example(said, name=f"colours.json: record {number}")


def spoilt(model: NextGPT) -> Features:
    """The red picture's features are no numbers: what overflows half precision is infinite."""
    features = Features()
    shape = model.encode([RED]).shape
    features.tokens.add([(RED.content_hash, RED)], lambda items: torch.full(shape, torch.inf))
    return features


def test_a_loss_that_is_no_number_names_the_batch_and_keeps_the_last_good_state(
    config: Config, tmp_path: Path
) -> None:
    plan = dataclasses.replace(PLAN, save_every=1, seed=1)
    model = begin(config, "encoding", device="cpu")
    with pytest.raises(TrainingError, match="is nan") as raised:
        loop.train(model, examples(), plan, tmp_path / "a", features=spoilt(model))
    assert "colours.json: record 0" in str(raised.value)
    step = int(str(raised.value).split("of step ")[1].split()[0])
    kept = torch.load(tmp_path / "a" / loop.STATE, weights_only=True)
    assert kept["step"] == step - 1 > 0
    assert all(value.isfinite().all() for value in kept["trained"].values())
    assert not (tmp_path / "a" / "nextgpt.yaml").exists()

    resumed = begin(config, "encoding", device="cpu")
    loop.train(resumed, examples(), plan, tmp_path / "a", resume=True)
    whole = begin(config, "encoding", device="cpu")
    loop.train(whole, examples(), plan, tmp_path / "b")
    assert tensors_hash(resumed.trained().items()) == tensors_hash(whole.trained().items())


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_no_number_reaches_no_weight(config: Config, tmp_path: Path, clip: float) -> None:
    model = begin(config, "encoding", device="cpu")
    calls = []

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return gradient * torch.nan if len(calls) == 3 else gradient

    next(iter(model.trained().values())).register_hook(spoil)
    plan = dataclasses.replace(PLAN, save_every=1, clip=clip)
    with pytest.raises(TrainingError, match="the gradient of step 3 is nan"):
        loop.train(model, examples(), plan, tmp_path)
    assert all(value.isfinite().all() for value in model.trained().values())
    assert torch.load(tmp_path / loop.STATE, weights_only=True)["step"] == 2


def test_a_damaged_state_is_named(config: Config, tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, steps=2)
    loop.train(begin(config, "encoding", device="cpu"), examples(), plan, tmp_path)
    path = tmp_path / loop.STATE
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TrainingError, match=r"state\.pt: damaged"):
        loop.train(begin(config, "encoding", device="cpu"), examples(), plan, tmp_path, resume=True)


def test_what_cannot_be_used_is_counted_shown_and_refused_when_too_much(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = Example((user("hello " * 300), assistant("hi")), name="long.json: record 7")
    data = [*examples()[:5], long, *examples()[5:]]
    model = begin(config, "encoding", device="cpu")
    plan = dataclasses.replace(PLAN, steps=2, tolerated=0.1)
    outcome = loop.train(model, data, plan, tmp_path)
    assert outcome.figures["left_out"] == 1
    assert "left out: long.json: record 7 has " in capsys.readouterr().out.replace("\n", " ")
    assert (tmp_path / "left_out.txt").read_text().startswith("long.json: record 7 has ")
    with pytest.raises(TrainingError, match=r"1 of 15 training .* tolerates 5%: long\.json: record 7"):
        loop.train(model, data, dataclasses.replace(plan, tolerated=0.05), tmp_path)


def test_a_full_disk_is_a_line_and_the_last_state_goes_on(config: Config, tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, save_every=2)
    loop.train(begin(config, "encoding", device="cpu"), examples(), plan, tmp_path / "whole")
    size = (tmp_path / "whole" / loop.STATE).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    loop.train(
        begin(config, "encoding", device="cpu"), examples(), dataclasses.replace(plan, steps=4), tmp_path
    )
    kept = (tmp_path / loop.STATE).read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        with pytest.raises(UserError, match=r"state\.pt: cannot be written \(.*\); make room"):
            loop.train(begin(config, "encoding", device="cpu"), examples(), plan, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / loop.STATE).read_bytes() == kept
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize(("times", "kept"), [(1, 5), (2, 3)])  # a terminal asks once, tox once more
def test_a_request_to_end_waits_for_the_step_to_be_whole_and_a_second_one_keeps_no_half_step(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, kept: int
) -> None:
    whole = begin(config, "encoding", device="cpu")
    loop.train(whole, examples(), PLAN, tmp_path / "whole")
    advance = loop.Run.advance

    def interrupted(run: loop.Run) -> dict[str, torch.Tensor]:
        found = advance(run)  # the weights are those of the next step, and nobody has counted it yet
        if run.step == 4:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(loop.Run, "advance", interrupted)
        model = begin(config, "encoding", device="cpu")
        with pytest.raises(KeyboardInterrupt):
            loop.train(model, examples(), dataclasses.replace(PLAN, save_every=3), tmp_path / "cut")
    assert torch.load(tmp_path / "cut" / loop.STATE, weights_only=True)["step"] == kept
    resumed = begin(config, "encoding", device="cpu")
    loop.train(resumed, examples(), PLAN, tmp_path / "cut", resume=True)
    assert tensors_hash(resumed.trained().items()) == tensors_hash(whole.trained().items())
    logs = [(tmp_path / which / loop.LOG).read_text().splitlines() for which in ("whole", "cut")]
    assert [json.loads(line)["step"] for line in logs[0]] == [json.loads(line)["step"] for line in logs[1]]
