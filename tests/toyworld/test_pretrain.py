from __future__ import annotations

from pathlib import Path

import pytest
import torch

import toyworld
from toyworld.pretrain.cards import parameters, recipes
from toyworld.pretrain.loop import Recipe, fit
from toyworld.pretrain.pairs import near_pairs

WEIGHTS = Path(toyworld.__file__).parent / "weights"
RECIPE = Recipe("line", steps=12, batch=4, learning_rate=0.1, warmup=2, average=0.9)


class StoppedError(Exception):
    """Stands for a kill between two steps."""


def line(work: Path, stop_at: int | None = None, broken_at: int | None = None) -> torch.nn.Linear:
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)

    def loss(step: int) -> torch.Tensor:
        if step == stop_at:
            raise StoppedError
        x = torch.randn(RECIPE.batch, 2)  # the loop seeds every step
        value: torch.Tensor = (model(x) - x.sum(1, keepdim=True)).square().mean()
        return value * float("nan") if step == broken_at else value

    fit(RECIPE, model, loss, work, report=lambda line: None)
    return model


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toyworld.pretrain.loop.SAVE_EVERY_SECONDS", 0.0)
    whole = line(tmp_path / "whole")
    with pytest.raises(StoppedError):
        line(tmp_path / "stopped", stop_at=7)
    resumed = line(tmp_path / "stopped")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_loss_that_is_no_number_stops_and_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="line: the loss of step 5 is nan"):
        line(tmp_path, broken_at=5)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    model = line(tmp_path)
    assert torch.allclose(model.weight, torch.ones(1, 2), atol=0.6)


def test_near_pairs_differ_in_one_edit() -> None:
    scenes = near_pairs("train", 3, 20)
    assert len(scenes) == 20
    assert all(a != b for a, b in zip(scenes[::2], scenes[1::2], strict=True))
    assert not any(scene.compositional for scene in scenes)


@pytest.mark.weights
@pytest.mark.parametrize("part", ["language_model", "encoder", "diffusion", "extractor"])
def test_each_shipped_part_has_a_card_that_is_true(part: str) -> None:
    card = (WEIGHTS / part / "CARD.md").read_text(encoding="utf-8")
    assert f"Weights: {parameters(WEIGHTS / part):,}" in card
    for recipe in recipes(part):
        assert f"- steps: {recipe.steps}\n" in card
        assert f"- learning rate: {recipe.learning_rate}\n" in card
    assert "held out" in card


@pytest.mark.weights
def test_all_shipped_weights_together_stay_under_32_megabytes() -> None:
    files = list(WEIGHTS.rglob("*.safetensors"))
    assert len(files) >= 9
    assert sum(path.stat().st_size for path in files) < 32e6
