"""The planner for a small model: examples of just what is asked, choice by likeness, an end after a tool."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from baselines.small_planner import (
    ASKING,
    DESCRIBING,
    LISTENING,
    MAKING,
    WATCHING,
    SmallPlanner,
    examples_for,
)
from baselines.tools import GO_ON, Tool, ToolPipeline
from baselines.words_then_llm import writer
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image
from nextgpt.messages import Failure, Message, Request, assistant, user
from tests.baselines import tiny_models


class Writer:
    fingerprint = "writer"

    def __init__(self, *replies: str) -> None:
        self.replies, self.asked = list(replies), []  # type: ignore[var-annotated]

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        self.asked += requests
        return [assistant(self.replies.pop(0)) for _ in requests]


class Chooser:
    fingerprint = "chooser"

    def choose(self, said: str, options: Sequence[str]) -> int:
        self.said, self.options = said, list(options)
        return next((k for k, option in enumerate(options) if option in said), 0)


class Speaker:
    fingerprint = "speaker"

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant(Audio(np.zeros(1600, np.float32), rate=16_000)) for _ in requests]


class Eyes:
    fingerprint = "eyes"

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant("dog, motor vehicle (road)") for _ in requests]


@pytest.mark.parametrize(
    ("said", "examples"),
    [
        ("<image-1> (a picture: dog) describe the picture.", DESCRIBING),
        ("<video-1> (a clip: dog) Describe the video in one sentence.", WATCHING),
        ("<audio-1> (a sound: dog) Describe the sound in one sentence.", LISTENING),
        ("<image-1> (a picture: dog) What animal is it?", ASKING),
        ("<video-1> (a clip: dog) who is running? Answer in one word.", ASKING),
        ("say: good night.", MAKING),
    ],
)
def test_examples_are_of_the_kind_of_what_is_asked(said: str, examples: object) -> None:
    assert examples_for(said) is examples


def test_model_reads_examples_and_the_last_message_alone_and_its_first_line_counts() -> None:
    writer = Writer("A dog runs.\nUser: and then?")
    asked = Request(
        (user("instructions"), assistant("ready"), user("<image-1> (a picture: dog) describe the"))
    )
    (answer,) = SmallPlanner(writer, Chooser()).respond([asked])
    assert isinstance(answer, Message)
    assert answer.text == "A dog runs."
    (read,) = writer.asked
    assert len(read.conversation) == 2 * len(MAKING) + 1 or len(read.conversation) == 2 * len(DESCRIBING) + 1
    assert "instructions" not in " ".join(turn.text for turn in read.conversation)


def pipeline(writer: Writer, chooser: Chooser) -> ToolPipeline:
    return ToolPipeline(
        SmallPlanner(writer, chooser),
        [
            Tool("describe_image", "says what is seen", Eyes(), "text", "image"),
            Tool("speak", "says the text aloud", Speaker(), "audio"),
        ],
        name="small",
    )


def test_option_is_chosen_by_the_description_and_not_by_the_model() -> None:
    writer, chooser = Writer(), Chooser()
    picture = Image(np.zeros((8, 8, 3), np.uint8))
    said = user(picture, "Which is it?\nA. cat\nB. dog\nAnswer with the letter of the right option.")
    (answer,) = pipeline(writer, chooser).respond([Request((said,), frozenset({"text"}))])
    assert isinstance(answer, Message)
    assert answer.text == "B"
    assert (chooser.said, chooser.options) == ("dog, motor vehicle (road)", ["cat", "dog"])
    assert writer.asked == []


def test_tool_is_called_and_what_it_made_is_given() -> None:
    writer = Writer('[{"tool": "speak", "text": "good night"}]')
    (answer,) = pipeline(writer, Chooser()).respond(
        [Request((user("say: good night."),), frozenset({"audio"}))]
    )
    assert isinstance(answer, Message)
    assert len(answer.sounds) == 1
    assert len(writer.asked) == 1  # after the tool the model is not asked again


def test_plan_that_makes_nothing_is_a_failure_and_not_an_endless_talk() -> None:
    writer = Writer('[{"tool": "sing", "text": "la"}]')
    (answer,) = pipeline(writer, Chooser()).respond([Request((user("sing: la."),), frozenset({"audio"}))])
    assert isinstance(answer, Failure)
    assert "there is no tool 'sing'" in answer.reason


def test_fingerprint_tells_the_examples_and_the_parts() -> None:
    own = SmallPlanner(Writer(), Chooser()).fingerprint
    assert len(own) == len(hashlib.sha256(b"").hexdigest()[:16])
    other = Writer()
    other.fingerprint = "another"
    assert SmallPlanner(other, Chooser()).fingerprint != own
    assert GO_ON.endswith("Call more tools, or answer.")


def test_writer_without_a_chat_template_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    folder = tiny_models.build("blip-2", tmp_path / "blip-2")
    with pytest.raises(ConfigError, match="no chat template; a model that was taught to talk was expected"):
        writer(str(folder))
