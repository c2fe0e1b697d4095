"""The whole model as a system, on random backbones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import nextgpt
from nextgpt.checkpoints import Card, save
from nextgpt.config import Config
from nextgpt.errors import ConfigError
from nextgpt.loading import assemble, backbones
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Request, assistant, user
from nextgpt.model import NextGPT
from nextgpt.weights.places import locate
from tests.nextgpt.backbones import plain
from tests.nextgpt.reasoning.test_language_model import PROMPTS, say_signal_at

SEE = [Request((user(plain(c), "describe the picture."),), seed=k) for k, c in enumerate(("red", "blue"))]
MAKE = Request((user(PROMPTS[0]),), wanted=frozenset({"image"}), seed=5)
MIXED = [*SEE, MAKE, Request((user("hello"),)), Request((user("hi"), assistant("yes"), user("and now?")))]


def close(left: Message | Failure, right: Message | Failure) -> bool:
    """Equal, but for one level of rounding in pictures."""
    if isinstance(left, Failure) or isinstance(right, Failure):
        return left == right
    return len(left.parts) == len(right.parts) and all(
        one == other
        if not isinstance(one, Image) or not isinstance(other, Image)
        else abs(one.pixels.astype(int) - other.pixels.astype(int)).max() <= 1
        for one, other in zip(left.parts, right.parts, strict=True)
    )


def test_it_is_a_system(model: NextGPT) -> None:
    from benchmarks.harness.system import System

    assert isinstance(model, System)
    assert model.name == "nextgpt-random"
    assert model.accepts == model.produces == {"text", "image"}
    assert model.given == frozenset()


def test_a_batch_answers_what_each_request_alone_would(model: NextGPT) -> None:
    say_signal_at(model, 1)
    together = model.respond(MIXED)
    assert any(isinstance(answer, Message) and answer.images for answer in together)
    for request, answer in zip(MIXED, together, strict=True):
        assert close(model.respond([request])[0], answer)
    for answer, backwards in zip(together, model.respond(MIXED[::-1])[::-1], strict=True):
        assert close(answer, backwards)


def test_text_and_a_picture_come_in_the_order_in_which_they_are_said(model: NextGPT) -> None:
    say_signal_at(model, 2)
    (answer,) = model.respond([MAKE])
    assert isinstance(answer, Message)
    kinds = [type(part) for part in answer.parts]
    assert kinds[:2] == [str, Image]
    assert answer.images[0].width == 16


def test_the_seed_of_a_request_makes_its_picture(model: NextGPT) -> None:
    say_signal_at(model, 0)
    first, same, other = model.respond([MAKE, MAKE, dataclasses.replace(MAKE, seed=6)])
    assert first == same != other


def test_text_alone_is_wanted_and_no_signal_is_said(model: NextGPT) -> None:
    say_signal_at(model, 0)
    (answer,) = model.respond([dataclasses.replace(MAKE, wanted=frozenset({"text"}))])
    assert isinstance(answer, Message)
    assert not answer.images


def test_a_picture_that_was_wanted_and_did_not_come_is_a_failure(
    model: NextGPT, monkeypatch: pytest.MonkeyPatch
) -> None:
    ban = model.language_model._ban
    monkeypatch.setattr(model.language_model, "_ban", lambda rows, device: ban([set() for _ in rows], device))
    answers = model.respond([MAKE, SEE[0]])
    assert isinstance(answers[0], Failure)
    assert answers[0].stage == "reason"
    assert "a picture was wanted" in answers[0].reason
    assert isinstance(answers[1], Message)


def test_what_does_not_fit_fails_alone(model: NextGPT) -> None:
    long = Request((user("hello " * 200),))
    thread = Request((user(Image(np.zeros((1, 4000, 3), np.uint8)), "describe the picture."),))
    answers = model.respond([SEE[0], long, thread, SEE[1]])
    assert [isinstance(answer, Message) for answer in answers] == [True, False, False, True]
    assert [answer.stage for answer in answers if isinstance(answer, Failure)] == ["encode", "encode"]


def test_no_requests_no_answers(model: NextGPT) -> None:
    assert model.respond([]) == []


def test_a_signal_that_is_typed_stays_text(model: NextGPT) -> None:
    typed = user("[IMG0] [IMG1] [IMG2] [IMG3] </s>")
    written = model.writer.write([typed])
    assert max(written.ids) < model.language_model.signals.first
    assert isinstance(model.respond([Request((typed,))])[0], Message)


def test_a_picture_is_encoded_once(model: NextGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    encode = model.encode

    def counting(images: Sequence[Image]) -> torch.Tensor:
        encoded.append(len(images))
        return encode(images)

    monkeypatch.setattr(model, "encode", counting)
    model.respond([SEE[0], SEE[0], SEE[1]])
    model.respond(SEE)
    assert encoded == [2]


def test_the_stage_one_model_describes_and_makes_nothing(config: Config, tmp_path: Path) -> None:
    card = Card("encoding", "random", "grouping", backbones(config, "encoding"))
    save(tmp_path, card, assemble(config, "encoding", device="cpu").trained())
    captioner = nextgpt.load(config, checkpoint=tmp_path, stage="encoding", device="cpu")
    assert captioner.produces == {"text"}
    assert not captioner.language_model.lora()
    answers = captioner.respond([SEE[0], MAKE])
    assert isinstance(answers[0], Message)
    assert answers[1] == Failure("reason", "nextgpt-random-encoding cannot answer in image")
    # What the text pipelines borrow: the frozen language model and the diffusion model.
    assert len(captioner.complete_text(["USER: hello ASSISTANT:", (user("hello"),)])) == 2
    assert captioner.decoder.generate_from_text(["a"], [1], steps=1, guidance=1.0)[0].width == 16


def test_the_frozen_language_model_knows_neither_lora_nor_signals(
    config: Config, model: NextGPT, tmp_path: Path
) -> None:
    say_signal_at(model, 0)
    card = Card("encoding", "random", "grouping", backbones(config, "encoding"))
    save(tmp_path, card, assemble(config, "encoding", device="cpu").trained())
    captioner = nextgpt.load(config, checkpoint=tmp_path, stage="encoding", device="cpu")
    prompts = [f"USER: {text} ASSISTANT:" for text in PROMPTS]
    assert model.complete_text(prompts) == captioner.complete_text(prompts)
    assert model.complete_text(prompts) == model.complete_text([(user(text),) for text in PROMPTS])
    assert model.complete_text([]) == []


def test_the_fingerprint_follows_weights_and_settings_alone(
    config: Config, checkpoint: Path, model: NextGPT, tmp_path: Path
) -> None:
    def fingerprint(preset: Config = config, folder: Path = checkpoint) -> str:
        return nextgpt.load(preset, checkpoint=folder, device="cpu").fingerprint

    assert fingerprint() == model.fingerprint
    faster = dataclasses.replace(config, generation=dataclasses.replace(config.generation, batch=2))
    assert fingerprint(faster) == model.fingerprint
    sharper = dataclasses.replace(config, generation=dataclasses.replace(config.generation, guidance=9.0))
    assert fingerprint(sharper) != model.fingerprint
    with torch.no_grad():
        model.language_model.signal_logits.add_(1)
    save(tmp_path, Card("instruct", "random", "grouping", backbones(config, "instruct")), model.trained())
    assert fingerprint(folder=tmp_path) != model.fingerprint


def test_a_preset_without_checkpoints_asks_for_one(config: Config) -> None:
    with pytest.raises(ConfigError, match="comes without checkpoints"):
        nextgpt.load(config)


def test_an_encoder_that_does_not_fit_is_refused(config: Config, tmp_path: Path) -> None:
    from nextgpt.loading import load_encoder

    folder = locate(config.weights.encoder)
    (tmp_path / "config.json").write_text((folder / "config.json").read_text().replace("16", "32"))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ConfigError, match="no encoder that fits"):
        load_encoder(tmp_path)


@pytest.mark.weights
def test_the_shipped_model_answers() -> None:
    try:
        model = nextgpt.load("tiny", device="cpu")
    except (ConfigError, ValueError) as error:
        pytest.skip(f"the tiny model's weights are not here: {error}")
    (answer,) = model.respond([Request((user("draw a picture of a small red circle in the center."),))])
    assert isinstance(answer, Message)
    assert answer.images


def test_half_a_character_is_a_failure_of_its_request_alone(model: NextGPT) -> None:
    halved, whole = model.respond([Request((user("caf\udce9"),)), Request((user("hello"),))])
    assert halved == Failure("encode", "a message holds U+DCE9, half of a character; write it in UTF-8")
    assert isinstance(whole, Message)
