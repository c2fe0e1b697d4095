from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from baselines.caption_then_tool import DESCRIBE, SHOWN, CaptionThenTool, Maker, load, parse_calls
from benchmarks.harness.system import System
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from nextgpt.signals import MODALITIES
from toyworld import dialogue
from toyworld.drills import drills
from toyworld.exchanges import Exchange
from toyworld.kinds import call, kind_of
from toyworld.splits import clips, scenes, sounds

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
        assert all(request.conversation[0].text == DESCRIBE["image"] for request in requests)
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
        return CaptionThenTool(self.describe, self.plan, {"image": self.paint}, parts="p", given=given)


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
    assert world.planned == ["look picture: shade 9 here / well. draw: shade 8 / picture: shade 7 mirror it"]


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
    other = CaptionThenTool(World().describe, World().plan, {"image": World().paint}, parts="q")
    assert other.fingerprint != variants[0].fingerprint


def test_unknown_hint_is_refused() -> None:
    with pytest.raises(ValueError, match="no such hint: prompt"):
        World().system("prompt")


@pytest.mark.parametrize(
    ("plan", "calls"),
    [
        ("draw: a star", [("image", "a star")]),
        ("  draw:a star \n", [("image", "a star")]),
        ("draw:", []),
        ("draw:   ", []),
        ("please draw: a star", []),
        ("a star", []),
        ("", []),
        ("draw: draw: a star", [("image", "draw: a star")]),
        ("play: a bell\nfilm: a star", [("audio", "a bell"), ("video", "a star")]),
    ],
)
def test_calls_are_told_from_answers(plan: str, calls: list[tuple[str, str]]) -> None:
    assert parse_calls(plan) == calls


def test_words_are_those_that_the_language_model_learns() -> None:
    assert DESCRIBE["image"] == dialogue.DESCRIBE
    spoken = SHOWN["image"].format(caption="a star") + " mirror it"
    assert dialogue.PICTURE.format(caption="a star", request="mirror it") == spoken
    for value in (scenes("test", 1)[0], clips("test", 1)[0], sounds("test", 1)[0]):
        kind = kind_of(value)
        assert parse_calls(call(value)) == [(kind.modality, kind.describe(value))]
        assert DESCRIBE[kind.modality] in kind.describe_requests
        told = Exchange((value, "hm?"), ("yes",), "ask").turn.request
        assert told == f"{SHOWN[kind.modality].format(caption=kind.describe(value))} hm?"
    both = next(e for held in drills("test") for e in held if len(e.reply) == 4)
    assert [kind for kind, _ in parse_calls(both.turn.reply)] == [
        kind_of(part).modality for part in both.reply if not isinstance(part, str)
    ]


def test_every_medium_goes_through_words_and_each_call_to_its_own_tool() -> None:
    made: list[tuple[str, str, int]] = []

    def maker(kind: str, medium: Medium) -> Maker:
        def make(prompts: Sequence[str], seeds: Sequence[int]) -> list[Medium]:
            made.extend((kind, prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True))
            return [medium] * len(prompts)

        return make

    def describe(requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant(f"{r.conversation[0].text[13:-1]} seen") for r in requests]

    def plan(conversations: Sequence[Sequence[Message]]) -> list[str]:
        planned.extend(turns[-1].text for turns in conversations)
        return ["film: a star moves up play: a bell"] * len(conversations)

    planned: list[str] = []
    clip, sound = Video(np.zeros((2, 4, 4, 3), np.uint8), 4), Audio(np.zeros(800, np.float32), 16_000)
    makers: dict[Modality, Maker] = {"video": maker("video", clip), "audio": maker("audio", sound)}
    system = CaptionThenTool(describe, plan, makers, parts="p", accepts=frozenset({"text", *MODALITIES}))
    both = frozenset[Modality]({"video", "audio"})
    wanted: list[frozenset[Modality] | None] = [both, frozenset({"audio"}), frozenset({"image"})]
    asked = [Request((user(clip, sound, shade(9), "go on"),), wanted=each, seed=7) for each in wanted]
    filmed, played, drawn = system.respond(asked)
    assert planned[0] == "clip: clip seen sound: sound seen picture: picture seen go on"
    assert isinstance(filmed, Message)
    assert isinstance(played, Message)
    assert [type(medium) for medium in filmed.media] == [Video, Audio]
    assert played.media == (sound,)
    assert made == [("video", "a star moves up", 7), ("audio", "a bell", 7), ("audio", "a bell", 7)]
    assert isinstance(drawn, Failure)
    assert drawn.reason.startswith("a picture is wanted, but the plan")


def test_what_the_assistant_called_for_is_told_by_its_call_alone() -> None:
    world = World()
    talk = (user("draw it"), assistant("draw: a truth", shade(255)), user("mirror it"))
    (answer,) = world.system().respond([Request(talk, wanted=IMAGE)])
    assert isinstance(answer, Message)
    assert world.planned == ["draw it / draw: a truth / mirror it"]
    assert world.described == []


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
    (caption,) = model.respond([Request((user(shade(9), DESCRIBE["image"]),))])
    assert isinstance(caption, Message)
    (answer,) = pipeline.respond([request(shade(9), "mirror it", wanted=TEXT)])
    prompt = f"USER: picture: {caption.text} mirror it ASSISTANT:"
    assert isinstance(answer, Message)
    assert answer.text == model.complete_text([prompt])[0]


def test_its_painter_draws_from_prompt_and_seed_alone(loaded: tuple[NextGPT, CaptionThenTool]) -> None:
    model, pipeline = loaded
    given = CaptionThenTool(model.respond, model.complete_text, pipeline._makers, parts="", given=["plan"])
    asked = [request("draw", plan=f"draw: a {colour} circle") for colour in ("red", "blue")]
    (red, blue), (alone,) = given.respond(asked), given.respond(asked[:1])
    assert isinstance(red, Message)
    assert isinstance(blue, Message)
    assert isinstance(alone, Message)
    assert np.abs(red.images[0].pixels.astype(int) - alone.images[0].pixels).max() <= 1
    assert red.images[0] != blue.images[0]
