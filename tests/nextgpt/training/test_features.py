"""What is frozen is computed once, kept whole or not at all, and changes nothing that is learnt."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from nextgpt import cli
from nextgpt.config import Config, Stage
from nextgpt.fields import build
from nextgpt.model import NextGPT
from nextgpt.training import batches, loop, precompute
from nextgpt.training.data import Example
from nextgpt.training.features import FeatureError, Table
from tests.nextgpt.backbones import making, seeing
from tests.nextgpt.two_processes import launched

ROOT = Path(__file__).resolve().parents[3]
SOURCE = "tests.nextgpt.training.test_features:examples"


def examples(stage: Stage, count: int, seed: int, *, stop: int = 10**6) -> Iterator[Example]:
    """A training source that can be stopped from outside after so many."""
    for number, example in enumerate((seeing if stage == "encoding" else making)(count)):
        if number == stop:
            raise KeyboardInterrupt
        yield example


@pytest.fixture
def preset(config: Config, tmp_path: Path) -> Path:
    """The random preset as a file."""
    values = dataclasses.asdict(config)
    for stage in ("encoding", "decoding", "instruct"):
        values["training"][stage] |= {"examples": 10, "held_out": 2, "steps": 4, "batch": 4}
        values["training"][stage]["betas"] = [0.9, 0.999]
    values["training"]["source"] = SOURCE
    values["lora"]["targets"] = list(values["lora"]["targets"])
    values["prompt"]["tags"] = list(values["prompt"]["tags"])
    path = tmp_path / "random.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nextgpt", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def refuse(*_: object) -> torch.Tensor:
    raise AssertionError("computed again")


@pytest.mark.parametrize("stage", ["encoding", "decoding"])
def test_training_uses_them_and_learns_the_same(
    preset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stage: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "train", stage, "--preset", preset, "--out", tmp_path / "without" / stage) == 0
    assert run(monkeypatch, "precompute", stage, "--preset", preset) == 0
    said = capsys.readouterr().out
    assert f"12 examples: {4 if stage == 'encoding' else 8} features computed" in said
    monkeypatch.setattr(NextGPT, "encode", refuse)
    monkeypatch.setattr(batches, "_Turns", refuse if stage == "decoding" else batches._Turns)
    assert run(monkeypatch, "train", stage, "--preset", preset, "--out", tmp_path / "with" / stage) == 0
    folders = [tmp_path / which / stage for which in ("without", "with")]
    logs = [(folder / loop.LOG).read_text().splitlines() for folder in folders]
    without, used = ([line.rpartition(', "seconds"')[0] for line in log] for log in logs)
    assert without == used
    one, other = ((folder / "model.safetensors").read_bytes() for folder in folders)
    assert one == other


def test_a_computation_that_was_stopped_goes_on(
    preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nextgpt.training.data.AT_ONCE", 2)
    values = yaml.safe_load(preset.read_text())
    stopping = build(Config, values | {"training": values["training"] | {"options": {"stop": 3}}}, "here")
    with pytest.raises(KeyboardInterrupt):
        precompute.precompute(stopping, "encoding", features=tmp_path / "features")
    files = [path for path in (tmp_path / "features").rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".safetensors"], "what was computed, and no rest"
    whole = build(Config, values, "here")
    for new in (2, 0):
        done = precompute.precompute(whole, "encoding", features=tmp_path / "features")
        assert (done.new, done.there) == (new, 4)


def test_two_processes_share_the_work_and_speak_once(preset: Path, tmp_path: Path) -> None:
    words = [
        "precompute",
        "encoding",
        "--preset",
        preset,
        "--examples",
        200,
        "--features",
        tmp_path / "features",
    ]
    done = launched(tmp_path / "launcher", "nextgpt", *words)
    assert done.returncode == 0, done.stderr
    # Four pictures, and either process meets them all, one maybe when the other has kept them.
    assert done.stdout.count("examples:") == 1
    assert re.search(r"202 examples: [4-8] features computed, 4 in ", done.stdout), done.stdout


def test_shards_hold_rows_of_any_shape_under_their_content(tmp_path: Path) -> None:
    table = Table(tmp_path)
    table.add([("a", 1), ("b", 2)], lambda items: torch.tensor(items).view(-1, 1) * torch.ones(1, 3))
    table.flush(least=3)
    assert not list(tmp_path.iterdir())
    table.flush()
    table.add([("c", 3)], lambda items: torch.full((1, 5, 2), 3.0).mT)
    table.flush()
    again = Table(tmp_path)
    assert len(again) == 3
    assert again.rows(["b", "a"]).tolist() == [[2.0] * 3, [1.0] * 3]
    assert again.rows(["c"]).shape == (1, 2, 5)
    assert again.add([("a", 9)], refuse) == 0
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".safetensors"]
    assert all(path.stat().st_mode & 0o044 for path in tmp_path.iterdir()), "others may read it"


def test_a_half_written_shard_is_named(tmp_path: Path) -> None:
    table = Table(tmp_path)
    table.add([("a", 1)], lambda items: torch.ones(1, 100))
    table.flush()
    (shard,) = tmp_path.glob("*.safetensors")
    shard.write_bytes(shard.read_bytes()[:40])
    with pytest.raises(FeatureError, match=f"{shard.name}: damaged features .* delete this file"):
        Table(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("precompute", "encodng"), "encodng"),
        (("precompute", "encoding", "--preset", "tinny"), "did you mean 'tiny'"),
        (
            ("precompute", "encoding", "--preset", "tiny", "--data", "."),
            "--data is for presets that read files",
        ),
        (("precompute", "encoding", "--examples", "0"), "'--examples'"),
        (("train", "encoding", "--feature", "x"), "--features"),
        (("train", "encoding", "--preset", "7b"), "name the folder of your data with --data"),
    ],
)
def test_a_mistyped_command_is_told(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) != 0
    assert said in capsys.readouterr().err
