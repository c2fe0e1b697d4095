"""The whole model of the paper in small: every kind of medium in, every kind out, all from one folder."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import nextgpt
from nextgpt import cli
from nextgpt.config import Config, load_config
from nextgpt.errors import ConfigError
from nextgpt.loading import assemble
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from nextgpt.model import NextGPT
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.watching import Stop, watched
from nextgpt.weights.places import with_weights
from tests.nextgpt.backbones import plain
from tests.nextgpt.ears import Ears
from tests.nextgpt.in_all_media import in_small, save_checkpoints, save_parts

CLIP = Video(np.random.default_rng(0).integers(0, 255, (6, 24, 32, 3), np.uint8), 8)
SOUND = Audio((0.4 * np.sin(np.arange(8000) * 0.2)).astype(np.float32), 16000)
EVERYTHING: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
ASKED = Request(
    (user("look", plain("red"), "listen", SOUND, "watch", CLIP, "now make all three"),), EVERYTHING, 3
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random part of every kind, in a folder laid out as the real ones would be."""
    root = tmp_path_factory.mktemp("weights")
    save_parts(
        root,
        encoder="encoder",
        language_model="vicuna-7b-v1.5",
        image="stable-diffusion-v1-5/stable-diffusion-v1-5",
        video="zeroscope_v2_576w",
        audio="audio",
    )
    save_checkpoints(root / "checkpoints", with_weights(in_small(load_config("7b")), root), "7b")
    return root


@pytest.fixture
def model(weights: Path) -> NextGPT:
    return nextgpt.load(in_small(load_config("7b")), weights=weights, device="cpu")


@pytest.fixture
def saying(monkeypatch: pytest.MonkeyPatch) -> Callable[[NextGPT, list[int]], None]:
    """Make the language model say given ids, one after the other, in every row."""

    def say(model: NextGPT, ids: list[int]) -> None:
        plan: Iterator[int] = iter(ids)
        logits = partial(LanguageModel.logits, model.language_model)  # without an earlier plan

        def planned(hidden: torch.Tensor, **how: Any) -> torch.Tensor:
            scores = logits(hidden, **how)
            scores[..., next(plan, ids[-1])] = 1e6
            return scores

        monkeypatch.setattr(model.language_model, "logits", planned)

    return say


def everything(model: NextGPT) -> list[int]:
    """A reply with one of each, and words between."""
    signals = model.language_model.signals
    word = model.writer.typed(" here")
    spans = [[*word, *signals.ids(modality)] for modality in ("image", "video", "audio")]
    return [*(token for span in spans for token in span), *model.writer.end]


def test_one_turn_with_everything_in_and_out(
    model: NextGPT, saying: Callable[[NextGPT, list[int]], None]
) -> None:
    assert model.accepts == model.produces == EVERYTHING
    assert model.language_model.signals.total == 36
    saying(model, everything(model))
    (answer,) = model.respond([ASKED])
    assert isinstance(answer, Message), answer
    kinds = [type(part) for part in answer.parts]
    assert kinds == [str, Image, str, Video, str, Audio]
    assert answer.videos[0].frames.shape == (3, 16, 16, 3)
    assert answer.sounds[0].rate == 16000
    # What was made can be talked about: it is part of the next turn.
    saying(model, [*model.writer.typed(" fine"), *model.writer.end])
    follow = Request((*ASKED.conversation, answer, user("and?")), frozenset({"text"}))
    (answer,) = model.respond([follow])
    assert isinstance(answer, Message), answer


def test_whoever_watches_hears_words_and_steps_and_changes_nothing(
    model: NextGPT, saying: Callable[[NextGPT, list[int]], None]
) -> None:
    saying(model, everything(model))
    (alone,) = model.respond([ASKED])
    saying(model, everything(model))
    ears = Ears()
    with watched(ears):
        (answer,) = model.respond([ASKED])
    assert answer == alone
    assert ears.steps == [(kind, done, 2) for kind in ("image", "video", "audio") for done in (1, 2)]
    assert ears.heard[-1] == alone.text  # type: ignore[union-attr]
    assert all(later.startswith(sooner) for sooner, later in pairwise(ears.heard))
    saying(model, everything(model))
    ears = Ears(stop_after=len(ears.heard) + 3)
    with pytest.raises(Stop), watched(ears):
        model.respond([ASKED])
    assert ears.steps[-1] == ("video", 2, 2)
    saying(model, everything(model))
    assert model.respond([ASKED])[0] == alone  # as if nobody had stopped it


def test_a_mixed_batch_is_what_each_alone_would_be(model: NextGPT) -> None:
    requests = [
        Request((user(plain("red"), "what?"),), frozenset({"text"})),
        Request((user(CLIP, "what?"),), frozenset({"text"})),
        Request((user(SOUND, plain("blue"), "what?"),), frozenset({"text"})),
        Request((user("what?"),), frozenset({"text"})),
        Request((user(SOUND, "what?"),), frozenset({"text"})),
    ]
    together = model.respond(requests)
    assert together == [model.respond([request])[0] for request in requests]


def test_seeds_make_each_kind_of_medium(model: NextGPT, saying: Callable[[NextGPT, list[int]], None]) -> None:
    made = []
    for seed in (1, 1, 2):
        saying(model, everything(model))
        (answer,) = model.respond([dataclasses.replace(ASKED, seed=seed)])
        assert isinstance(answer, Message)
        made.append(answer.media)
    assert made[0] == made[1]
    assert all(one != other for one, other in zip(made[0], made[2], strict=True))


def test_a_medium_that_was_wanted_and_did_not_come_is_named(
    model: NextGPT, saying: Callable[[NextGPT, list[int]], None]
) -> None:
    saying(model, [*model.writer.typed(" no"), *model.writer.end])
    wanted: frozenset[Modality] = frozenset({"audio"})
    (answer,) = model.respond([dataclasses.replace(ASKED, wanted=wanted)])
    assert isinstance(answer, Failure)
    assert "a sound was wanted" in answer.reason


def test_what_a_model_was_not_made_for_fails_alone(model: NextGPT, config: Config) -> None:
    pictures_only = assemble(config, "instruct", device="cpu")
    answers = pictures_only.respond(
        [
            Request((user(SOUND, "what?"),)),
            Request((user("hello"), assistant(CLIP), user("again"))),
            Request((user("hello"),), frozenset({"video"})),
            Request((user("hello"),), frozenset({"text"})),
        ]
    )
    reasons = [answer.reason for answer in answers if isinstance(answer, Failure)]
    assert [reason.partition("cannot")[2] for reason in reasons] == [
        " read audio",
        " read video",
        " answer in video",
    ]
    assert isinstance(answers[3], Message)
    click, thread = Audio(SOUND.samples[:100], 16000), Video(np.zeros((2, 1, 90, 3), np.uint8), 8)
    answers = model.respond([Request((user(medium, "what?"),)) for medium in (click, thread, SOUND)])
    assert [getattr(answer, "reason", None) for answer in answers] == [
        "a sound of 6 ms is too short; 25 are needed",
        "a clip of 90x1 is too elongated; crop it first",
        None,
    ]


def test_a_clip_is_encoded_once(model: NextGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = model.encode

    def counting(media: Any) -> torch.Tensor:
        encoded.extend(medium.modality for medium in media)
        return encode(media)

    monkeypatch.setattr(model, "encode", counting)
    for _ in range(2):
        model.respond([Request((user(CLIP, SOUND, CLIP, "what?"),), frozenset({"text"}))] * 2)
    assert sorted(encoded) == ["audio", "video"]


def test_parts_are_found_by_role_and_by_name(weights: Path, tmp_path: Path) -> None:
    found = with_weights(load_config("7b"), weights).weights
    assert found.encoder == str(weights / "encoder")
    assert found.language_model == str(weights / "vicuna-7b-v1.5")
    assert found.image == str(weights / "stable-diffusion-v1-5" / "stable-diffusion-v1-5")
    assert found.checkpoints == str(weights / "checkpoints")
    with pytest.raises(ConfigError, match="holds no part of 7b"):
        with_weights(load_config("7b"), tmp_path)
    with pytest.raises(ConfigError, match="no such folder; it was to hold the weights"):
        with_weights(load_config("7b"), tmp_path / "nowhere")


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    values = dataclasses.asdict(in_small(load_config("7b")))
    values["lora"]["targets"] = list(values["lora"]["targets"])
    values["prompt"]["tags"] = list(values["prompt"]["tags"])
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_command_line_shows_and_saves_media(
    preset: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain("red").save(tmp_path / "a.png")
    SOUND.save(tmp_path / "a.wav")
    CLIP.save(tmp_path / "a.mp4")
    seen: list[tuple[str, ...]] = []

    def respond(self: NextGPT, requests: list[Request]) -> list[Message | Failure]:
        seen.append(tuple(medium.modality for medium in requests[0].conversation[-1].media))
        return [assistant("all of it", plain("blue"), CLIP, SOUND)]

    monkeypatch.setattr(NextGPT, "respond", respond)
    words = [
        "chat",
        "--preset",
        preset,
        "--weights",
        weights,
        "--message",
        "what?",
        "--out",
        tmp_path / "made",
    ]
    words += ["--image", tmp_path / "a.png", "--video", tmp_path / "a.mp4", "--audio", tmp_path / "a.wav"]
    monkeypatch.setattr(sys, "argv", ["nextgpt", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code, capsys.readouterr()
    assert seen == [("image", "video", "audio")]
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == ["all of it", "picture", "clip", "sound"]
    assert sorted(file.suffix for file in (tmp_path / "made").iterdir()) == [".mp4", ".png", ".wav"]
