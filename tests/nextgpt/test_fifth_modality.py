"""A modality that nobody foresaw joins by one entry of the table and one file: in, out, and in training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import nextgpt
from nextgpt.checkpoints import Card, save
from nextgpt.config import Config, StageConfig
from nextgpt.loading import assemble, backbones
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from nextgpt.model import NextGPT
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.signals import MODALITIES
from nextgpt.training.data import Example
from nextgpt.training.loop import train
from nextgpt.training.stages import begin
from tests.nextgpt.backbones import plain
from tests.nextgpt.tables import ENTRY, Table

TABLE: Any = "table"
NUMBERS: Any = Table(((1.0, 2.0), (3.0, 4.0)))
OTHERS: Any = Table(((-1.0, 2.0), (3.0, -4.0)))


@pytest.fixture
def config(config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The random preset, with signals for tables too."""
    monkeypatch.setitem(MODALITIES, TABLE, ENTRY)
    return dataclasses.replace(config, signals={"image": 4, TABLE: 2})


def made(config: Config, folder: Path) -> NextGPT:
    torch.manual_seed(0)
    model = assemble(config, "instruct", device="cpu")
    card = Card("instruct", "random", "grouping", backbones(config, "instruct"))
    save(folder / "instruct", card, model.trained())
    return nextgpt.load(config, checkpoint=folder / "instruct", device="cpu")


def test_tables_are_read_beside_pictures_and_change_what_is_read(config: Config, tmp_path: Path) -> None:
    model = made(config, tmp_path)
    assert model.accepts == {"text", "image", "table"}
    assert model.produces == {"text", "image", "table"}
    concepts = model._concepts([NUMBERS, plain("red"), OTHERS])
    assert len({concept.shape for concept in concepts}) == 1
    assert not torch.allclose(concepts[0], concepts[2])
    written = model.writer.write([user(NUMBERS, plain("red"), "what is it?")])
    assert written.media == [NUMBERS, plain("red")]
    assert "table:" in model.language_model.decode([token for token in written.ids if token >= 0])
    (answer,) = model.respond([Request((user(NUMBERS, "what is it?"),), frozenset[Modality]({"text"}))])
    assert isinstance(answer, Message | Failure)


def test_a_table_is_answered_with_in_its_place(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made(config, tmp_path)
    signals = model.language_model.signals
    ids = [*model.writer.typed(" here"), *signals.ids(TABLE), *signals.ids("image"), *model.writer.end]
    plan: Iterator[int] = iter(ids)
    logits: Callable[..., torch.Tensor] = partial(LanguageModel.logits, model.language_model)

    def planned(hidden: torch.Tensor, **how: Any) -> torch.Tensor:
        scores = logits(hidden, **how)
        scores[..., next(plan, ids[-1])] = 1e6
        return scores

    monkeypatch.setattr(model.language_model, "logits", planned)
    (answer,) = model.respond([Request((user(NUMBERS, "double it"),), frozenset({TABLE, "image"}))])
    assert isinstance(answer, Message), answer
    assert [medium.modality for medium in answer.media] == ["table", "image"]
    assert len(answer.media[0].numbers) == 2  # type: ignore[union-attr]


def test_it_trains_with_the_losses_of_any_modality(config: Config, tmp_path: Path) -> None:
    model = begin(config, "decoding", device="cpu")
    examples = [
        Example((user("count up"), assistant("here it is.", NUMBERS)), ("1 2; 3 4",)),
        Example((user("count down"), assistant("here it is.", OTHERS)), ("-1 2; 3 -4",)),
    ]
    plan = StageConfig(examples=2, batch=2, learning_rate=0.01, held_out=2, steps=20)
    plan = dataclasses.replace(plan, losses=dataclasses.replace(plan.losses, denoising=0.0))
    outcome = train(model, examples * 2, plan, tmp_path / "decoding")
    assert outcome.figures["held_out_alignment_table"] < 3.0


def test_who_lacks_the_entry_refuses_it_by_name(config: Config, tmp_path: Path) -> None:
    model = made(dataclasses.replace(config, signals={"image": 4}), tmp_path)
    wanted: frozenset[Any] = frozenset({"table"})
    (answer,) = model.respond([Request((user("count"),), wanted)])
    assert isinstance(answer, Failure)
    assert "cannot answer in table" in answer.reason
    with pytest.raises(ValueError, match="neither text nor a medium"):
        user(3)  # type: ignore[arg-type]
