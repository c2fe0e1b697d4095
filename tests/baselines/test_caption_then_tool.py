from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from baselines.caption_then_tool import CALL, DESCRIBE, PICTURE, CaptionThenTool, load, parse_call
from benchmarks.harness.system import System
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from toyworld import dialogue

if TYPE_CHECKING:
    from nextgpt.model import NextGPT

IMAGE = frozenset[Modality]({"image"})
TEXT = frozenset[Modality]({"text"})


def shade(value: int) -> Image:
    return Image(np.full((4, 4, 3), value, dtype=np.uint8))


class World:
    """Three fake parts that note what they were asked: a picture's shade is its caption."""

    def __init__(self, reply: str = "draw: {words}") -> None:
        self.reply = reply
        self.described: list[Image] = []
        self.planned: list[str] = []
        self.painted: list[tuple[str, int]] = []

    def describe(self, requests: Sequence[Request]) -> list[Message | Failure]:
        assert all(request.conversation[0].text == DESCRIBE for request in requests)
        pictures = [request.conversation[0].images[0] for request in requests]
        self.described += pictures
        return [self._words(int(picture.pixels[0, 0, 0])) for picture in pictures]

    def _words(self, value: int) -> Message | Failure:
        if value == 255:
            return Failure("reason", "blinded by the light")
        return assistant("" if value == 0 else f"shade {value}")

    def plan(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        assert not any(turn.images for turns in conversations for turn in turns)
        asked = [" / ".join(turn.text for turn in turns) for turns in conversations]
        self.planned += asked
        return [self.reply.format(words=words) for words in asked]

    def paint(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        self.painted += zip(prompts, seeds, strict=True)
        return [shade(100 + number) for number, _ in enumerate(prompts)]

    def system(self, *given: str) -> CaptionThenTool:
        return CaptionThenTool(self.describe, self.plan, self.paint, parts="p", given=given)


def request(*parts: str | Image, wanted: frozenset[Modality] | None = IMAGE, **hints: str) -> Request:
    return Request((user(*parts),), wanted=wanted, seed=7, hints=hints)


def test_it_is_a_system() -> None:
    assert isinstance(World().system(), System)


def test_picture_goes_through_words_to_a_picture() -> None:
    world = World()
    (answer,) = world.system().respond([request(shade(9), "mirror it")])
    words = "picture: shade 9 mirror it"
    steps = (("caption", "shade 9"), ("plan", f"draw: {words}"), ("prompt", words))
    assert answer == assistant(shade(100), steps=steps)
    assert world.planned == [words]
    assert world.painted == [(words, 7)]


def test_every_picture_of_a_conversation_becomes_words_in_its_place() -> None:
    world = World()
    talk = (user("look", shade(9), "here"), assistant("well.", shade(8)), user(shade(7), "mirror it"))
    world.system().respond([Request(talk)])
    assert world.planned == [
        "look picture: shade 9 here / well. picture: shade 8 / picture: shade 7 mirror it"
    ]


def test_text_alone_needs_no_description() -> None:
    world = World("draw: a star")
    (answer,) = world.system().respond([request("draw a star")])
    assert isinstance(answer, Message)
    assert answer.images == (shade(100),)
    assert world.described == []


def test_answer_in_text_is_the_plan_itself() -> None:
    world = World("  yes")
    (answer,) = world.system().respond([request(shade(9), "is it grey?", wanted=TEXT)])
    assert isinstance(answer, Message)
    assert answer.text == "yes"
    assert world.painted == []


@pytest.mark.parametrize(("reply", "pictures"), [("draw: a star", 1), ("hello!", 0)])
def test_left_to_itself_it_draws_when_the_plan_calls(reply: str, pictures: int) -> None:
    (answer,) = World(reply).system().respond([request("hi", wanted=None)])
    assert isinstance(answer, Message)
    assert len(answer.images) == pictures
    assert answer.text == ("" if pictures else reply)


def test_plan_without_call_is_a_failure_with_its_steps() -> None:
    (answer,) = World("a lovely star").system().respond([request(shade(9), "draw a star")])
    assert isinstance(answer, Failure)
    assert answer.stage == "plan"
    assert "'a lovely star'" in answer.reason
    assert answer.steps == (("caption", "shade 9"), ("plan", "a lovely star"))


@pytest.mark.parametrize(("value", "reason"), [(0, "the caption is empty"), (255, "blinded by the light")])
def test_picture_without_words_is_a_failure_of_its_own_sample(value: int, reason: str) -> None:
    world = World()
    asked = [request(shade(value), "mirror it"), request(shade(9), "mirror it")]
    bad, good = world.system().respond(asked)
    assert bad == Failure("describe", reason)
    assert isinstance(good, Message)
    assert good.steps[0] == ("caption", "shade 9")
    assert len(world.planned) == 1


def test_same_picture_is_described_once_in_a_batch() -> None:
    world = World()
    world.system().respond([request(shade(9), "a"), request(shade(9), "b"), request(shade(8), "c")])
    assert world.described == [shade(9), shade(8)]


def test_answers_do_not_depend_on_the_batch() -> None:
    asked = [request(shade(9), "a"), request(shade(255), "b"), request(shade(8), "c", wanted=TEXT)]
    together = World().system().respond(asked)
    alone = [World().system().respond([one])[0] for one in asked]
    assert together == alone


def test_given_the_caption_it_asks_no_describer() -> None:
    world = World()
    (answer,) = world.system("caption").respond([request(shade(255), "mirror it", caption="a truth")])
    assert isinstance(answer, Message)
    assert answer.steps[0] == ("caption", "a truth")
    assert world.planned == ["picture: a truth mirror it"]
    assert world.described == []


def test_given_the_plan_it_only_calls() -> None:
    world = World()
    (answer,) = world.system("plan").respond([request(shade(9), "mirror it", plan="draw: a truth")])
    assert isinstance(answer, Message)
    assert answer.steps == (("plan", "draw: a truth"), ("prompt", "a truth"))
    assert (world.described, world.planned, world.painted) == ([], [], [("a truth", 7)])


@pytest.mark.parametrize(("given", "stage"), [("caption", "describe"), ("plan", "plan")])
def test_truth_that_a_sample_does_not_have_is_a_failure(given: str, stage: str) -> None:
    (answer,) = World().system(given).respond([request(shade(9), "mirror it")])
    assert isinstance(answer, Failure)
    assert answer.stage == stage


def test_names_and_fingerprints_tell_variants_apart() -> None:
    variants = [World().system(*given) for given in ((), ("caption",), ("plan",))]
    assert [system.name for system in variants] == [
        "caption-then-tool",
        "caption-then-tool+caption",
        "caption-then-tool+plan",
    ]
    assert len({system.fingerprint for system in variants}) == 3
    other = CaptionThenTool(World().describe, World().plan, World().paint, parts="q")
    assert other.fingerprint != variants[0].fingerprint


def test_unknown_hint_is_refused() -> None:
    with pytest.raises(ValueError, match="no such hint: prompt"):
        World().system("prompt")


@pytest.mark.parametrize(
    ("plan", "prompt"),
    [
        ("draw: a star", "a star"),
        ("  draw:a star \n", "a star"),
        ("draw:", None),
        ("draw:   ", None),
        ("please draw: a star", None),
        ("a star", None),
        ("", None),
        ("draw: draw: a star", "draw: a star"),
    ],
)
def test_calls_are_told_from_answers(plan: str, prompt: str | None) -> None:
    assert parse_call(plan) == prompt


def test_calls_are_those_that_the_language_model_learns() -> None:
    assert parse_call(dialogue.CALL.format(caption="a star")) == "a star"
    assert dialogue.CALL.startswith(CALL)
    assert dialogue.DESCRIBE == DESCRIBE
    spoken = PICTURE.format(caption="a star") + " mirror it"
    assert dialogue.PICTURE.format(caption="a star", request="mirror it") == spoken


# --- its parts are NExT-GPT's own ----------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[NextGPT, CaptionThenTool]:
    """NExT-GPT after its first stage on random backbones, and the pipeline made of it."""
    import nextgpt
    from nextgpt.checkpoints import Card, save
    from nextgpt.loading import assemble, backbones
    from tests.nextgpt.backbones import build, random_config

    folder = tmp_path_factory.mktemp("backbones")
    build(folder)
    config = random_config(folder)
    tensors = {name: value.detach() for name, value in assemble(config, "encoding").trained().items()}
    save(folder / "encoding", Card("encoding", "random", "grouping", backbones(config, "encoding")), tensors)
    model = nextgpt.load(config, stage="encoding", checkpoint=folder / "encoding")
    return model, load(config, checkpoint=folder / "encoding")


def test_its_describer_planner_and_painter_are_those_of_the_model(
    loaded: tuple[NextGPT, CaptionThenTool],
) -> None:
    model, pipeline = loaded
    (caption,) = model.respond([Request((user(shade(9), DESCRIBE),))])
    assert isinstance(caption, Message)
    (answer,) = pipeline.respond([request(shade(9), "mirror it", wanted=TEXT)])
    prompt = f"USER: picture: {caption.text} mirror it ASSISTANT:"
    assert isinstance(answer, Message)
    assert answer.text == model.complete_text([prompt])[0]


def test_its_painter_draws_from_prompt_and_seed_alone(loaded: tuple[NextGPT, CaptionThenTool]) -> None:
    model, pipeline = loaded
    given = CaptionThenTool(model.respond, model.complete_text, pipeline._painter, parts="", given=["plan"])
    asked = [request("draw", plan=f"draw: a {colour} circle") for colour in ("red", "blue")]
    (red, blue), (alone,) = given.respond(asked), given.respond(asked[:1])
    assert isinstance(red, Message)
    assert isinstance(blue, Message)
    assert isinstance(alone, Message)
    assert np.abs(red.images[0].pixels.astype(int) - alone.images[0].pixels).max() <= 1
    assert red.images[0] != blue.images[0]
