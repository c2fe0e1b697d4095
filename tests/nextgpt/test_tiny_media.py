"""The tiny preset in all media, on random parts: its three stages, and a talk over several turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import nextgpt
from nextgpt.chat import Chat, loop
from nextgpt.checkpoints import load as load_checkpoint
from nextgpt.config import STAGES, Config, load_config
from nextgpt.media import Image
from nextgpt.messages import Message, Request
from nextgpt.model import NextGPT
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.signals import MODALITIES
from nextgpt.weights.places import with_weights
from tests.nextgpt.in_all_media import NAMES, save_parts, trained_in_two_steps
from toyworld.kinds import kind_of
from toyworld.splits import clips, scenes, sounds


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root: Path = tmp_path_factory.mktemp("weights")
    save_parts(root, longest=4096, **NAMES)
    return trained_in_two_steps(root, "tiny-media")


def test_each_stage_learns_from_its_losses_in_all_media(trained: Config) -> None:
    for stage in STAGES:
        figures = load_checkpoint(Path(trained.weights.checkpoints) / stage)[0].figures
        assert ("held_out_denoising" in figures) == (stage != "encoding")
        assert ("held_out_alignment_audio" in figures) == (stage != "encoding")


@pytest.fixture
def model(trained: Config, monkeypatch: pytest.MonkeyPatch) -> NextGPT:
    """The trained model, made to answer with one of each."""
    model = nextgpt.load(trained, device="cpu")
    signals, word = model.language_model.signals, model.writer.typed(" here")
    spans = [[*word, *signals.ids(modality)] for modality in MODALITIES]
    ids = [*(token for span in spans for token in span), *model.writer.end]
    plan: Iterator[int] = iter(())
    logits: Callable[..., torch.Tensor] = partial(LanguageModel.logits, model.language_model)
    respond = model.respond

    def planned(hidden: torch.Tensor, **how: Any) -> torch.Tensor:
        scores = logits(hidden, **how)
        scores[..., next(plan, ids[-1])] = 1e6
        return scores

    def begun(requests: list[Request]) -> Any:
        nonlocal plan
        plan = iter(ids)
        return respond(requests)

    monkeypatch.setattr(model.language_model, "logits", planned)
    monkeypatch.setattr(model, "respond", begun)
    return model


def test_the_parts_of_all_media_are_found_beside_those_of_pictures(tmp_path: Path) -> None:
    for name in (*NAMES.values(), "encoder", "language_model", "nextgpt-tiny-media", "nextgpt-tiny"):
        (tmp_path / name).mkdir()
    found = with_weights(load_config("tiny-media"), tmp_path).weights
    for role, name in (NAMES | {"checkpoints": "nextgpt-tiny-media"}).items():
        assert getattr(found, role) == str(tmp_path / name)
    pictures = with_weights(load_config("tiny"), tmp_path).weights
    assert (pictures.encoder, pictures.image) == (str(tmp_path / "encoder"), str(tmp_path / "diffusion"))


def test_a_talk_of_several_turns_takes_and_makes_all_media_and_names_each_file(
    model: NextGPT, tmp_path: Path
) -> None:
    files = {"image": "a.png", "video": "c.mkv", "audio": "b.wav"}
    for value in (scenes("test", 1)[0], clips("test", 1)[0], sounds("test", 1)[0]):
        medium: Any = kind_of(value).render(value)
        medium.save(tmp_path / files[medium.modality])
    lines = iter([*(f"/{kind} {tmp_path / name}" for kind, name in files.items()), "look", "again", "/quit"])
    told: list[str] = []
    talk = Chat(model, tmp_path / "made")
    loop(talk, lambda: next(lines), told.append)
    first, second = told[1:]  # after the help
    for answer in (first, second):
        named = dict(line.split(": ", 1) for line in answer.splitlines()[1:])
        assert set(named) == {"picture", "clip", "sound"}
        assert all(Path(file).is_file() for file in named.values())
    assert len(list((tmp_path / "made").iterdir())) == 6
    assert [len(message.media) for message in talk.messages] == [3, 3, 0, 3]


def test_what_was_shown_turns_ago_is_read_again(
    model: NextGPT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []
    respond = model.respond

    def noted(requests: list[Request]) -> Any:
        asked.extend(requests)
        return respond(requests)

    monkeypatch.setattr(model, "respond", noted)
    talk = Chat(model, tmp_path)
    picture = kind_of(scenes("test", 1)[0]).render(scenes("test", 1)[0])
    assert isinstance(picture, Image)
    talk.show(picture)
    for said in ("one", "two", "three"):
        answer, _ = talk.say(said)
        assert isinstance(answer, Message)
    last = model.writer.write(asked[-1].conversation)
    assert [medium.modality for medium in last.media] == ["image"]
    assert len(asked[-1].conversation) == 5
