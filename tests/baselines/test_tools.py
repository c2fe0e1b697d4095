from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml

from baselines.plans import Call, PlanError, calls_in, filled
from baselines.tool_parts import load, read_parts
from baselines.tools import CALLS, ROUNDS, Tool, ToolPipeline
from benchmarks.harness.system import System
from nextgpt.config import load_config
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from tests.baselines import tiny_models
from tests.nextgpt import pipelines

IMAGE, TEXT, AUDIO = (frozenset[Modality]({kind}) for kind in ("image", "text", "audio"))


def shade(value: int) -> Image:
    return Image(np.full((4, 4, 3), value, np.uint8))


def calls(*entries: Mapping[str, str]) -> str:
    return json.dumps(list(entries))


def call(tool: str, text: str = "", media: str = "") -> dict[str, str]:
    return {"tool": tool, "text": text, "media": media}


SHOWN = 4  # messages of the exchange that shows how it is done


class Scripted:
    """A planner that says what a test wants it to, turn by turn, and notes what it was told."""

    fingerprint = "scripted"

    def __init__(self, *replies: str | Callable[[str], str]) -> None:
        self.replies = replies
        self.told: list[str] = []

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [self._reply(request) for request in requests]

    def _reply(self, request: Request) -> Message:
        talk = request.conversation[SHOWN:]
        turn = sum(message.role == "assistant" for message in talk)
        self.told.append(talk[-1].text)
        self.shown = [message.text for message in request.conversation[:SHOWN]]
        reply = self.replies[min(turn, len(self.replies) - 1)]
        return assistant(reply if isinstance(reply, str) else reply(talk[0].text))


class Shades:
    """A describer and a painter of grey: a picture's shade is its description, and the other way round."""

    fingerprint = "shades"

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        self.asked += requests
        return [self._answer(request.conversation[0]) for request in requests]

    def _answer(self, said: Message) -> Message | Failure:
        if said.images:
            value = int(said.images[0].pixels[0, 0, 0])
            return Failure("reply", "blinded by the light") if value == 255 else assistant(str(value))
        try:
            return assistant(shade(int(said.text.split()[-1])))
        except ValueError:
            return Failure("decode", f"no shade is called {said.text!r}")


class Hum:
    fingerprint = "hum"

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant(Audio(np.full(1600, 0.5, np.float32), 16000)) for _ in requests]


def pipeline(planner: Scripted) -> tuple[ToolPipeline, Shades]:
    shades = Shades()
    tools = [
        Tool("describe_image", "describes a picture", shades, "text", "image"),
        Tool("make_image", "makes a picture", shades, "image"),
        Tool("make_audio", "makes a sound", Hum(), "audio"),
    ]
    return ToolPipeline(planner, tools, name="tools"), shades


def run(
    planner: Scripted, *parts: str | Image, wanted: frozenset[Modality] | None = IMAGE
) -> Message | Failure:
    (answer,) = pipeline(planner)[0].respond([Request((user(*parts),), wanted, seed=5)])
    return answer


def failed(answer: Message | Failure) -> Failure:
    assert isinstance(answer, Failure), answer
    return answer


# --- a plan that works ------------------------------------------------------------------------------


def test_results_feed_later_calls_and_the_answer_shows_them() -> None:
    planner = Scripted(
        calls(
            call("describe_image", "which shade?", "<image-1>"),
            call("make_image", "shade {1}"),
            call("describe_image", media="{2}"),
        ),
        "It is grey: <image-2>, as you see.",
    )
    system, shades = pipeline(planner)
    assert isinstance(system, System)
    (answer,) = system.respond([Request((user(shade(9), "copy it"),), IMAGE, seed=5)])
    assert isinstance(answer, Message)
    assert answer.parts == ("It is grey:", shade(9), ", as you see.")
    assert planner.told[0].endswith("<image-1> (a picture: 9) copy it")
    assert planner.told[1].startswith("1. 9\n2. <image-2>\n3. 9\n")
    assert [name for name, _ in answer.steps] == [
        "caption", "plan", *["call", "result"] * 3, "plan",
    ]  # fmt: skip
    assert [request.seed for request in shades.asked] == [0, 5, 6, 7]


def test_calls_may_come_round_by_round() -> None:
    planner = Scripted(
        calls(call("make_image", "7")), calls(call("describe_image", media="{1}")), "Shade {2}."
    )
    answer = run(planner, "draw")
    assert isinstance(answer, Message)
    assert answer.parts == ("Shade {2}.", shade(7))  # what is not named stands behind


def test_media_of_several_kinds_in_one_answer() -> None:
    plan = calls(call("make_image", "7"), call("make_audio", "a hum"))
    answer = run(Scripted(plan, "<audio-1> and <image-1>"), "both", wanted=IMAGE | AUDIO)
    assert isinstance(answer, Message)
    sound, word, picture = answer.parts
    assert (type(sound), word, picture) == (Audio, "and", shade(7))


def test_answer_in_words_needs_no_call() -> None:
    answer = run(Scripted("A dark one."), shade(9), "which?", wanted=TEXT)
    assert isinstance(answer, Message)
    assert answer.parts == ("A dark one.",)


def test_picture_of_the_user_is_never_taken_for_one_that_was_made() -> None:
    found = failed(run(Scripted("Here you are: <image-1>"), shade(9), "mirror it"))
    assert "a picture is wanted, but no call made one" in found.reason


def test_planner_is_told_what_the_tools_do_and_shown_how() -> None:
    planner = Scripted("ok")
    run(planner, "hello", wanted=None)
    for words in ('describe_image ("media": a picture, "text"): describes', 'make_image ("text"): makes'):
        assert words in planner.shown[0]
    assert calls_in(planner.shown[1]) == [Call("make_image", text="a dog on a beach")]
    assert planner.shown[3] == "Here it is: <image-0>"
    assert planner.told == ["hello"]


def test_answers_do_not_depend_on_the_batch() -> None:
    def plan(told: str) -> str:
        return calls(call("make_image", told.rsplit(maxsplit=1)[-1]), call("describe_image", media="{1}"))

    asked = [Request((user(f"draw {value}"),), IMAGE, seed=value) for value in (3, 8, 5)]
    together = pipeline(Scripted(plan, "<image-1>"))[0].respond(asked)
    assert together == [pipeline(Scripted(plan, "<image-1>"))[0].respond([one])[0] for one in asked]
    assert [answer.images for answer in together if isinstance(answer, Message)] == [
        (shade(3),),
        (shade(8),),
        (shade(5),),
    ]


def test_same_picture_is_described_once_in_a_batch() -> None:
    system, shades = pipeline(Scripted("fine"))
    system.respond([Request((user(shade(9), text),), TEXT) for text in "ab"])
    assert len(shades.asked) == 1


# --- and one that does not --------------------------------------------------------------------------


def test_tool_that_does_not_exist_is_told_to_the_planner_who_may_mend_it() -> None:
    planner = Scripted(calls(call("fly", "home")), calls(call("make_image", "7")), "<image-1>")
    answer = run(planner, "draw")
    assert isinstance(answer, Message)
    assert answer.images == (shade(7),)
    assert (
        "problem",
        "there is no tool 'fly'; there are describe_image, make_image, make_audio",
    ) in answer.steps
    assert planner.told[1].startswith("1. error: there is no tool 'fly'")


def test_tool_that_does_not_exist_is_the_reason_where_nothing_is_made() -> None:
    found = failed(run(Scripted(calls(call("fly", "home")), "I flew home."), "draw"))
    assert found.stage == "plan"
    assert "no call made one: there is no tool 'fly'" in found.reason


def test_planner_that_calls_for_ever_is_ended() -> None:
    planner = Scripted(calls(call("make_image", "7")))
    found = failed(run(planner, "draw"))
    assert found.reason == f"still calling tools after {ROUNDS} rounds"
    assert len(planner.told) == ROUNDS


def test_plan_of_very_many_calls_is_ended_before_it_begins() -> None:
    planner = Scripted(calls(*[call("make_image", "7")] * 1000))
    system, shades = pipeline(planner)
    found = failed(system.respond([Request((user("draw"),), IMAGE)])[0])
    assert found.reason == f"calls tools 1000 times; {CALLS} run at most"
    assert shades.asked == []


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ('[{"tool": "make_image", "text": "7"', "the list of calls can't be read"),
        ('[{"tool": 7}]', "a call is"),
        ('[{"name": "make_image"}]', "a call is"),
        (calls(call("make_image")), "make_image needs a text"),
        (calls(call("make_image", "{1}")), "there is no result {1}; 0 calls have run"),
        (calls(call("make_image", "{9999}")), "there is no result {9999}"),
        (
            calls(call("make_image", "black"), call("make_image", "{1}")),
            "call 1 gave nothing: error: no shade",
        ),
        (calls(call("describe_image", media="<image-9>")), "'<image-9>' is none; there are: none"),
        (calls(call("make_audio", "x"), call("describe_image", media="{1}")), "'<audio-1>' is none"),
        (calls(call("make_image", "x" * 5000)), "has 5,000 characters; 4,000 at most"),
    ],
)
def test_call_that_cannot_be_carried_out_is_recorded_and_told(plan: str, words: str) -> None:
    planner = Scripted(plan, "I can't.")
    found = failed(run(planner, "draw"))
    assert any(step == "problem" and words in content for step, content in found.steps)
    assert words in planner.told[1]


def test_tool_that_fails_fails_no_other_request() -> None:
    def plan(told: str) -> str:
        return calls(call("make_image", told.rsplit(maxsplit=1)[-1]))

    system, _ = pipeline(Scripted(plan, "done"))
    bad, good = system.respond([Request((user(f"draw {word}"),), IMAGE) for word in ("black", "7")])
    assert "no shade is called 'black'" in failed(bad).reason
    assert isinstance(good, Message)


def test_picture_without_a_description_ends_its_request_before_any_plan() -> None:
    planner = Scripted("fine")
    found = failed(run(planner, shade(255), "which?", wanted=TEXT))
    assert (found.stage, found.reason, planner.told) == ("describe", "blinded by the light", [])


def test_wish_that_no_tool_grants_is_a_failure() -> None:
    found = failed(run(Scripted("fine"), "film it", wanted=frozenset[Modality]({"video"})))
    assert found.reason == "no tool makes video"


# --- plans in words ---------------------------------------------------------------------------------


def test_calls_are_found_among_words() -> None:
    said = 'Sure! [{"tool": "make_image", "text": " a dog "}] That is all. [1]'
    assert calls_in(said) == [Call("make_image", text="a dog")]
    assert calls_in("See [1] and {2}.") == []


def test_results_are_not_filled_into_results() -> None:
    assert filled("{1} {2}", ["{2}", "b"]) == "{2} b"
    with pytest.raises(PlanError):
        filled("{3}", ["a"])


# --- its parts, for real ----------------------------------------------------------------------------


def test_pipeline_of_real_parts_runs_end_to_end(tmp_path: Path) -> None:
    """A planner of random weights plans nothing: its words are the answer, whatever they are."""
    parts = {
        "name": "small",
        "planner": f"{tiny_models.build('llama', tmp_path / 'llama')}?max_new_tokens=4",
        "describe": {
            "image": f"{tiny_models.build('blip-2', tmp_path / 'blip-2')}?max_new_tokens=4",
            "video": f"{tiny_models.build('llava', tmp_path / 'llava')}?clips=pictures&frames=2",
            "audio": f"{tiny_models.build('whisper', tmp_path / 'whisper')}?max_new_tokens=4",
        },
        "make": {"image": f"{pipelines.build('Stable Diffusion', tmp_path / 'sd')}?steps=1"},
    }
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(parts))
    system = load(str(file))
    assert system.name == "caption-then-tool-small"
    assert system.accepts == {"text", "image", "video", "audio"}
    assert system.produces == {"text", "image"}
    # Planner with little room: what is told about the tools fills it, and that is said.
    shown = Image(np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8))
    found = failed(system.respond([Request((user(shown, "which?"),), TEXT)])[0])
    assert found.stage == "plan"
    assert "fit hf-llama" in found.reason
    assert [name for name, _ in found.steps] == ["caption"]
    planned = ToolPipeline(
        Scripted(calls(call("make_image", "a red circle")), "<image-2>"),
        list(system._tools.values()),
        name="x",
    )
    (drawn,) = planned.respond([Request((user(shown, "draw"),), IMAGE)])
    assert isinstance(drawn, Message)
    assert drawn.images[0].width == 16


def test_full_size_pipeline_has_the_planner_and_the_decoders_of_nextgpt() -> None:
    ours, parts = load_config("7b"), read_parts("7b")
    assert parts.planner.partition("?")[0] == ours.weights.language_model
    for kind in ("image", "video", "audio"):
        place, _, options = parts.make[kind].partition("?")
        assert place == getattr(ours.weights, kind)
        chosen = dict(pair.split("=") for pair in options.split("&"))
        assert (int(chosen.pop("steps")), float(chosen.pop("guidance"))) == (
            ours.generation.steps,
            ours.generation.guidance,
        )
        same = {"frames": "num_frames", "seconds": "audio_length_in_s"}
        theirs = ours.generation.options.get(kind, {})
        assert {same.get(key, key): float(value) for key, value in chosen.items()} == theirs


def test_template_of_vicuna_is_that_of_nextgpt() -> None:
    from jinja2 import Environment

    prompt = load_config("7b").prompt
    talk = [("user", "hello"), ("assistant", "hi"), ("user", "again")]
    turns = [{"role": role, "content": text} for role, text in talk]
    written = (
        Environment(autoescape=False).from_string(read_parts("7b").template or "").render(messages=turns)
    )
    again = prompt.user.format(content="again")
    assert written == f"{prompt.begin}{prompt.user.format(content='hello')} hi{prompt.end}{again}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no file that can be read"),
        ("name: [", "no file that can be read"),
        ("name: x", "'planner' is missing"),
        ("{name: x, planer: y}", "did you mean 'planner'"),
        ("{name: x, planner: nowhere/at-all, describe: {smell: y}}", "smell: there are image, video, audio"),
    ],
)
def test_file_of_parts_that_is_wrong_is_told(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "mine.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load(str(file))
