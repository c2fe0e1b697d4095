"""A planner for a small language model: it is shown a few examples of just what is asked of it.

A model of 135 million parameters does not follow pages of instructions. So of a pipeline's conversation it
reads the last message alone, after examples of its kind: a description, a question, a wish for something to
be made. Where options are listed, the one that is nearest to the description is chosen by sentence vectors,
and after a tool has run a fixed sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from baselines.optional import fingerprint
from baselines.tools import GO_ON, Worker
from nextgpt.messages import Failure, Message, Request, assistant, user

VERSION = 1
Example = tuple[str, str]

DESCRIBING: tuple[Example, ...] = (
    ("<image-1> (a picture: dog, frisbee, person; looks like: kelpie) describe the picture.",
     "A dog jumps up to catch a frisbee in a park."),
    ("<image-1> (a picture: 3 people, dining table, pizza, 4 wine glasses) describe the picture.",
     "Three people sitting at a table with pizza and glasses of wine."),
    ("<image-1> (a picture: bus, 2 cars; looks like: trolleybus; writing: \"DEPOT\") describe the picture.",
     "A city bus driving down a street next to parked cars."),
    ("<image-1> (a picture: toilet, sink; looks like: washbasin) describe the picture.",
     "A bathroom with a white toilet and a sink."),
)  # fmt: skip
WATCHING: tuple[Example, ...] = (
    ("<video-1> (a clip: person, knife, bowl; looks like: cucumber) Describe the video in one sentence.",
     "a person is cutting a cucumber"),
    ("<video-1> (a clip: person, guitar; looks like: acoustic guitar) Describe the video in one sentence.",
     "a man is playing a guitar"),
    ("<video-1> (a clip: dog, 2 people; looks like: collie) Describe the video in one sentence.",
     "a dog is running around"),
)  # fmt: skip
LISTENING: tuple[Example, ...] = (
    ("<audio-1> (a sound: water, stream, waterfall) Describe the sound in one sentence.",
     "Water flows and splashes in a stream"),
    ("<audio-1> (a sound: speech, applause; words: \"thank you\") Describe the sound in one sentence.",
     "A man speaks followed by applause"),
    ("<audio-1> (a sound: engine, idling, vehicle) Describe the sound in one sentence.",
     "An engine is idling nearby"),
)  # fmt: skip
ASKING: tuple[Example, ...] = (
    ("<image-1> (a picture: 2 dogs, couch) How many dogs are there?", "2"),
    ("<image-1> (a picture: person, snowboard) Is it summer?", "no"),
    ("<image-1> (a picture: cat, laptop) What animal is this?", "cat"),
    ("<video-1> (a clip: person, bowl, spoon) what is a woman stirring? Answer in one word.", "soup"),
    ("<video-1> (a clip: person, bicycle) who is riding a bike? Answer in one word.", "man"),
)  # fmt: skip
MAKING: tuple[Example, ...] = (
    ("say: good morning, everybody.", '[{"tool": "speak", "text": "good morning, everybody"}]'),
    ("play a scale on the piano.", '[{"tool": "play", "text": "a scale on the piano"}]'),
    ("<image-1> (a picture: dog, couch) paint it in red and gold.",
     '[{"tool": "restyle", "media": "<image-1>", "text": "red and gold"}]'),
)  # fmt: skip

_RESULTS_END = GO_ON.format(results="")
_NAME = re.compile(r"<(?:image|video|audio)-\d+>")
_OPTION = re.compile(r"^([A-Z])\. (.+)$", re.MULTILINE)
_DESCRIPTION = re.compile(r"\(a (?:picture|clip|sound): (.*?)\)(?= [A-Z<]|$)", re.DOTALL)


class Choosing(Protocol):
    """What chooses among options."""

    fingerprint: str

    def choose(self, said: str, options: Sequence[str]) -> int:
        """Which is nearest."""


class SmallPlanner:
    """A planner for `baselines.tools.ToolPipeline`.

    Args:
        writer: the language model, given conversations of text alone.
        chooser: of options.
    """

    def __init__(self, writer: Worker, chooser: Choosing) -> None:
        self._writer, self._chooser = writer, chooser
        shown = (DESCRIBING, WATCHING, LISTENING, ASKING, MAKING)
        self.fingerprint = fingerprint(VERSION, writer.fingerprint, chooser.fingerprint, shown)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """A plan or an answer for each conversation."""
        known = [self._without_model(request.conversation[-1].text) for request in requests]
        asked = [
            _with_examples(request) for request, answer in zip(requests, known, strict=True) if answer is None
        ]
        written = iter(self._writer.respond(asked) if asked else ())
        return [answer or _first_line(next(written)) for answer in known]

    def _without_model(self, said: str) -> Message | None:
        """What needs no language model: the end after a tool has run, and a choice among options."""
        if said.endswith(_RESULTS_END):
            names = " ".join(_NAME.findall(said))
            return assistant(f"Here it is: {names}" if names else "That could not be done.")
        options = _OPTION.findall(said)
        if len(options) < 2:
            return None
        described = " ".join(_DESCRIPTION.findall(said)) or said[: said.index(f"{options[0][0]}. ")]
        return assistant(options[self._chooser.choose(described, [text for _, text in options])][0])


def examples_for(said: str) -> tuple[Example, ...]:
    """The examples of the kind of what is said.

    Example:
        >>> examples_for("<audio-1> (a sound: dog) Describe the sound in one sentence.") is LISTENING
        True
        >>> examples_for("say: hello.") is MAKING
        True
    """
    asked = said.rstrip().lower()
    if "describe the" in asked:
        kinds = {"<video": WATCHING, "<audio": LISTENING}
        return next((shown for sign, shown in kinds.items() if sign in said), DESCRIBING)
    return ASKING if asked.endswith(("?", "answer in one word.")) else MAKING


def _with_examples(request: Request) -> Request:
    said = request.conversation[-1].text
    shown = [turn for asked, answer in examples_for(said) for turn in (user(asked), assistant(answer))]
    return Request((*shown, user(said)), request.wanted, request.seed)


def _first_line(reply: Message | Failure) -> Message | Failure:
    """A small model goes on and on; what it was asked for is its first line."""
    if isinstance(reply, Failure):
        return reply
    return assistant(reply.text.strip().partition("\n")[0].strip(), steps=reply.steps)
