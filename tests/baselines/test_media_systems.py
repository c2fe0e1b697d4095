"""The systems in all media, each one cause apart: as the registry makes them, on weights of two steps."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import nextgpt
from baselines.caption_then_tool import CaptionThenTool
from benchmarks.harness.system import System
from benchmarks.registry import SYSTEMS
from nextgpt.config import Config, load_config
from nextgpt.messages import Failure, Message, Request, user
from tests.nextgpt.in_all_media import NAMES, save_parts, trained_in_two_steps
from toyworld.kinds import kind_of
from toyworld.splits import Value, clips, scenes, sounds

MEDIA = {name: entry for name, entry in SYSTEMS.items() if "-media" in name}


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Config]:
    root: Path = tmp_path_factory.mktemp("weights")
    save_parts(root, longest=4096, **NAMES)
    return {
        "tiny-media": trained_in_two_steps(root, "tiny-media", "grouping", "linear"),
        "tiny-planner": trained_in_two_steps(root, "tiny-planner"),
    }


def made(name: str, presets: dict[str, Config]) -> Any:
    module, _, factory = SYSTEMS[name].target.partition(":")
    arguments = {key: presets.get(str(value), value) for key, value in SYSTEMS[name].arguments.items()}
    return getattr(import_module(module), factory)(**arguments)


def requests() -> list[Request]:
    values: list[Value] = [scenes("test", 1)[0], clips("test", 1)[0], sounds("test", 1)[0]]
    shown = [user(kind_of(value).render(value), "what is it?") for value in values]
    hints = {"caption": "a small red star", "plan": "play: a low soft bell once"}
    return [Request((said,), None, seed=k, hints=hints) for k, said in enumerate(shown)]


@pytest.mark.parametrize("name", MEDIA)
def test_each_system_is_made_under_its_own_name_and_answers_all_media(
    name: str, presets: dict[str, Config]
) -> None:
    system = made(name, presets)
    assert isinstance(system, System)
    assert system.name == name
    assert system.accepts == system.produces == {"text", "image", "video", "audio"}
    answers = system.respond(requests())
    assert len(answers) == 3
    assert all(isinstance(answer, Message | Failure) for answer in answers)
    if name.endswith("+plan"):
        assert [answer.sounds[0].seconds > 0 for answer in answers if isinstance(answer, Message)] == [
            True
        ] * 3


def test_no_two_systems_have_one_fingerprint(presets: dict[str, Config]) -> None:
    prints = {name: made(name, presets).fingerprint for name in MEDIA}
    assert len(set(prints.values())) == len(MEDIA) == 9


def test_the_planner_is_tuned_as_the_model_is(presets: dict[str, Config]) -> None:
    model, planner = (load_config(name) for name in ("tiny-media", "tiny-planner"))
    assert (planner.lora, planner.prompt, planner.weights.language_model) == (
        model.lora,
        model.prompt,
        model.weights.language_model,
    )
    assert model.training is not None
    assert planner.training is not None
    ours, theirs = planner.training.instruct, model.training.instruct
    for setting in ("examples", "steps", "batch", "learning_rate", "warmup", "seed"):
        assert getattr(ours, setting) == getattr(theirs, setting)


def test_the_tuned_planner_plans_with_its_lora_and_the_frozen_one_without(presets: dict[str, Config]) -> None:
    planner = nextgpt.load(presets["tiny-planner"])
    for value in planner.language_model.lora().values():
        value.data.normal_(0, 0.5)  # two steps change no word
    asked = [(user("picture: a small red star what is it?"),)]
    frozen, tuned = planner.complete_text(asked), planner.complete_text(asked, tuned=True)
    assert frozen != tuned
    model = nextgpt.load(presets["tiny-media"], stage="encoding")
    assert frozen == model.complete_text(asked)


def test_the_pipelines_share_their_describer_and_differ_in_the_planner(
    presets: dict[str, Config],
) -> None:
    frozen, tuned = made("caption-then-tool-media", presets), made("caption-then-tool-media-tuned", presets)
    assert isinstance(frozen, CaptionThenTool)
    said = [[dict(answer.steps)["caption"] for answer in s.respond(requests())] for s in (frozen, tuned)]
    assert said[0] == said[1]
