"""A batch that is shared by processes, or taken in turns, is the same batch."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from nextgpt.checkpoints import load
from nextgpt.config import Config
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.training import loop
from nextgpt.training.draws import Draws, Places
from nextgpt.training.stages import begin
from tests.nextgpt.backbones import making, seeing
from tests.nextgpt.two_processes import KILLED_AFTER, PLAN, UNALIGNED, launched, train

before_2_7 = tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 7)
new_torch = pytest.mark.skipif(before_2_7, reason="before torch 2.7, FSDP 2 needs a GPU")
deepspeed = pytest.mark.skipif(not find_spec("deepspeed"), reason="deepspeed is not installed")
WAYS = [pytest.param("sharded", marks=new_torch), pytest.param("zero", marks=deepspeed)]


@pytest.fixture(scope="module")
def dropping(config: Config) -> Config:
    """A preset that drops a fifth of what goes into its adapters."""
    return dataclasses.replace(config, lora=dataclasses.replace(config.lora, dropout=0.2))


@pytest.fixture(scope="module")
def alone(dropping: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All stages, trained by one process in one go."""
    folder = tmp_path_factory.mktemp("alone")
    train(dropping, folder)
    return folder


def curve(folder: Path) -> list[dict[str, float]]:
    """Every step's losses."""
    lines = [json.loads(line) for line in (folder / loop.LOG).read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def same(one: Path, other: Path, within: float = 1e-4) -> None:
    for stage in ("encoding", "decoding", "instruct"):
        assert len(curve(one / stage)) == PLAN.steps
        for expected, found in zip(curve(one / stage), curve(other / stage), strict=True):
            assert found == pytest.approx(expected, abs=within), stage


def in_two_processes(config: Config, out: Path, *how: str) -> subprocess.CompletedProcess[str]:
    """Train in two processes that speak by gloo.

    `accelerate launch` starts but one process without a GPU, whatever it is told; torch's own launcher does.
    Once a process crashed inside torch 2.13 while shards were gathered on CPUs, which was never seen again:
    such a run, and no other, is begun once more, and a warning shows where it crashed.
    """
    words = ("tests.nextgpt.two_processes", Path(config.weights.encoder).parent, out, *how)
    done = launched(out / "launcher", *words)
    if "sharded" in how and "SIGSEGV" in done.stderr:
        warnings.warn(f"torch crashed in {how}; once more:\n{done.stderr}", RuntimeWarning, stacklevel=2)
        done = launched(out / "launcher", *words)
    # Not by lines: the two may write into each other's.
    assert all(f"process {number} of 2" in done.stdout for number in range(2)), done.stderr
    return done


def test_two_processes_give_the_same_loss_curve_as_one(config: Config, alone: Path, tmp_path: Path) -> None:
    done = in_two_processes(config, tmp_path)
    assert done.returncode == 0, done.stderr
    same(alone, tmp_path)
    assert done.stdout.count("parameters train") == 3, "each stage speaks once, not in every process"


@pytest.mark.parametrize("way", WAYS)
def test_spread_over_processes_it_gives_the_same_loss_curve_killed_and_resumed(
    config: Config, alone: Path, tmp_path: Path, way: str
) -> None:
    killed = in_two_processes(config, tmp_path, way, "killed")
    assert "SIGKILL" in killed.stderr, killed.stderr
    assert len(curve(tmp_path / "instruct")) == KILLED_AFTER
    plain = Path(shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-plain")))
    for out, how in ((tmp_path, (way, "resumed")), (plain, ("resumed",))):
        resumed = in_two_processes(config, out, *how)
        assert resumed.returncode == 0, resumed.stderr
        same(alone, out)
    # Not tensor by tensor: what has no gradient but rounding, as the keys' biases, goes where rounding goes.
    expected, found = (load(folder / "instruct")[0].figures for folder in (alone, tmp_path))
    names = [name for name in expected if name.startswith("held_out")]
    if way == "zero":
        # No conversation of the last batch has a picture: ZeRO goes on by momentum where AdamW stands still.
        assert "alignment" not in curve(tmp_path / "instruct")[-1]
        names = ["held_out_text"]
    for name in names:
        assert found[name] == pytest.approx(expected[name], abs=1e-3), name


@new_torch
def test_fsdp_waits_for_no_condition_that_no_loss_uses(
    config: Config, dropping: Config, tmp_path: Path
) -> None:
    train(dropping, tmp_path / "alone", UNALIGNED)
    done = in_two_processes(config, tmp_path / "shared", "sharded", "unaligned")
    assert done.returncode == 0, done.stderr
    same(tmp_path / "alone", tmp_path / "shared", within=2e-5)  # the log has five digits


def test_turns_change_nothing_but_memory(dropping: Config, alone: Path, tmp_path: Path) -> None:
    train(dropping, tmp_path, dataclasses.replace(PLAN, accumulate=3))
    same(alone, tmp_path)


def test_checkpointing_computes_layers_twice_and_learns_the_same(
    dropping: Config, alone: Path, tmp_path: Path
) -> None:
    calls = []
    model = begin(
        dropping, "instruct", encoding=alone / "encoding", decoding=alone / "decoding", device="cpu"
    )
    for layer in model.language_model.causal.model.layers:
        layer.self_attn.register_forward_hook(lambda *_: calls.append(1))
    plan = dataclasses.replace(PLAN, checkpointing=True, held_out=0, accumulate=2)
    loop.train(model, [*seeing(16), *making(8)][:-2], plan, tmp_path)
    assert len(calls) == 2 * len(model.language_model.causal.model.layers) * plan.steps * plan.accumulate
    for expected, found in zip(curve(alone / "instruct"), curve(tmp_path), strict=True):
        assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_second_stage_learns_the_same_without_gradients_before_the_first_signal(
    dropping: Config, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpointing: bool
) -> None:
    given = []
    hidden = LanguageModel.hidden

    def watched(own: LanguageModel, embeds: torch.Tensor, **how: int) -> torch.Tensor:
        given.append(how["given"])
        return hidden(own, embeds, given=how["given"] if checkpointing else 0)

    monkeypatch.setattr(LanguageModel, "hidden", watched)
    model = begin(dropping, "decoding", device="cpu")
    plan = dataclasses.replace(PLAN, checkpointing=checkpointing)
    loop.train(model, making(24), plan, tmp_path)
    assert min(given) > 0
    for expected, found in zip(curve(alone / "decoding"), curve(tmp_path), strict=True):
        assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("places", [Places((0, 2, 4), 6), Places((5,), 6), Places((), 6)])
def test_a_part_draws_its_rows_of_what_the_whole_would_draw(places: Places) -> None:
    def draw(rows: int) -> list[torch.Tensor]:
        torch.manual_seed(5)
        generator = torch.Generator().manual_seed(6)
        ones = torch.ones(rows, 3, 4)
        return [
            torch.empty(rows, 7).exponential_(),
            nn.Dropout(0.4)(ones),
            torch.randint(1000, (rows,), generator=generator),
            torch.randn((rows, 2, 2), generator=generator),
            nn.Dropout(0.4).eval()(ones),
        ]

    whole = draw(6)
    with Draws() as draws:
        draws.rows_are(places)
        part = draw(len(places.rows))
    for own, wanted in zip(part, whole, strict=True):
        assert torch.equal(own, wanted[list(places.rows)])
