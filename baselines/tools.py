"""Caption then tool at full size, in the manner of Visual ChatGPT and HuggingGPT: a planner with many tools.

1. describe: captioners say in words what each picture, clip and sound shows. The planner reads words alone.
2. plan: the planner reads what the tools can do, and calls them, several in a row if need be, by a list in
   JSON. A call may build on what an earlier one gave.
3. call: the tools run, and the planner reads what they gave, until it has no more calls and answers.
4. answer: the media that were made stand where the answer names them.

A call of a tool that does not exist, and a plan that can't be read, are told to the planner, recorded, and
mended by it or not; one that never comes to an answer is ended. Every step is recorded.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from baselines.plans import Call, PlanError, calls_in, filled
from nextgpt.messages import Failure, Message, Modality, Part, Request, Steps, assistant, user

if TYPE_CHECKING:
    from nextgpt.media import Medium

VERSION = 1  # of this file, and of `plans`; part of the fingerprint
ROUNDS, CALLS = 4, 8  # how often the planner is asked, and how many of its calls are run, for one request

NOUNS: Mapping[Modality, str] = {"text": "text", "image": "picture", "video": "clip", "audio": "sound"}
DESCRIBE: Mapping[Modality, str] = {
    modality: f"describe the {noun}." for modality, noun in NOUNS.items() if modality != "text"
}
INSTRUCTIONS = """You answer with the help of tools. Media have names such as <image-1>, <video-1>, <audio-1>.
The tools:
{tools}
To use them, reply with nothing but a list of calls in JSON, in the order in which they are to run.
Calls are numbered from 1. In a later call, {{1}} stands for what call 1 gave, a text or a name of a medium.
When nothing is left to be done, answer in words, and name each medium where it is to be shown."""
# One exchange that shows how it is done, before the real one; its medium has a name that no other gets.
ASKED = "make a {noun} of a dog on a beach."
GO_ON = "{results}\nCall more tools, or answer."
_NAME = re.compile(r"<(?:image|video|audio)-\d+>")


class Worker(Protocol):
    """A system, as far as it is needed here."""

    @property
    def fingerprint(self) -> str:
        """Changes with whatever changes its answers."""

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """One message or failure for each request."""


@dataclass(frozen=True)
class Tool:
    """What the planner can call.

    Attributes:
        name: as it is called.
        about: what it does, for the planner.
        system: that does it.
        makes: what it gives.
        takes: the kind of medium that it has to be given; None for one that reads words alone.
    """

    name: str
    about: str
    system: Worker
    makes: Modality
    takes: Modality | None = None


@dataclass
class Draft:
    """How far one request has come."""

    request: Request
    talk: list[Message] = field(default_factory=list)
    media: dict[str, Medium] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)  # the names of the user's media
    results: list[str] = field(default_factory=list)
    waiting: list[Call] = field(default_factory=list)
    steps: Steps = ()
    answer: Message | Failure | None = None

    def note(self, step: str, content: str) -> None:
        """Record a step."""
        self.steps += ((step, content),)

    def fail(self, stage: str, reason: str) -> None:
        """End here, with the steps so far."""
        self.answer = Failure(stage, reason, self.steps)

    def name(self, medium: Medium) -> str:
        """Give a medium its name."""
        count = sum(each.modality == medium.modality for each in self.media.values())
        name = f"<{medium.modality}-{count + 1}>"
        self.media[name] = medium
        return name


class ToolPipeline:
    """The pipeline: a planner and its tools.

    Args:
        planner: continues conversations of text alone.
        tools: what it can call; those that take a medium and give text also describe what a user shows.
        name: of the system.
    """

    given: frozenset[str] = frozenset()

    def __init__(self, planner: Worker, tools: Sequence[Tool], *, name: str) -> None:
        self.name = name
        self._planner, self._tools = planner, {tool.name: tool for tool in tools}
        self._describers = {tool.takes: tool for tool in tools if tool.makes == "text" and tool.takes}
        self.accepts: frozenset[Modality] = frozenset({"text", *self._describers})
        self.produces: frozenset[Modality] = frozenset({"text", *(tool.makes for tool in tools)})
        told = INSTRUCTIONS.format(tools="\n".join(map(_listed, tools)))
        makers = [tool for tool in tools if tool.takes is None]
        self._shown = _exchange(told, makers[0]) if makers else [user(told), assistant("I am ready.")]
        parts = [planner.fingerprint, *(f"{tool.name}={tool.system.fingerprint}" for tool in tools)]
        about = "|".join([str(VERSION), *(turn.text for turn in self._shown), *parts])
        self.fingerprint = hashlib.sha256(about.encode()).hexdigest()[:16]

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Describe, then plan and call until every request has its answer."""
        drafts = [Draft(request) for request in requests]
        for draft in drafts:
            unable = (draft.request.wanted or frozenset()) - self.produces
            if unable:
                draft.fail("plan", f"no tool makes {', '.join(sorted(unable))}")
        self._describe(drafts)
        for _ in range(ROUNDS):
            open_ = [draft for draft in drafts if draft.answer is None]
            if not open_:
                break
            self._plan(open_)
            self._call(open_)
        for draft in drafts:
            if draft.answer is None:
                draft.fail("plan", f"still calling tools after {ROUNDS} rounds")
        return [draft.answer for draft in drafts if draft.answer is not None]

    def _describe(self, drafts: Sequence[Draft]) -> None:
        """Put every medium of a conversation into words, the same medium once for the whole batch."""
        shown = {
            medium: None
            for draft in drafts
            if draft.answer is None
            for turn in draft.request.conversation
            for medium in turn.media
        }
        said: dict[Medium, Message | Failure] = {}
        for modality, tool in self._describers.items():
            media = [medium for medium in shown if medium.modality == modality]
            text: frozenset[Modality] = frozenset({"text"})
            asked = [Request((user(medium, DESCRIBE[modality]),), text) for medium in media]
            said |= dict(zip(media, tool.system.respond(asked) if asked else (), strict=True))
        for draft in drafts:
            draft.talk = list(self._shown)
            for turn in draft.request.conversation if draft.answer is None else ():
                words = [self._in_words(draft, part, said) for part in turn.parts]
                draft.talk.append(Message(turn.role, (" ".join(words),)))
            draft.own = set(draft.media)

    def _in_words(self, draft: Draft, part: Part, said: Mapping[Medium, Message | Failure]) -> str:
        if isinstance(part, str):
            return part
        answer = said.get(part) or Failure("describe", f"no tool describes a {NOUNS[part.modality]}")
        if isinstance(answer, Failure) or not answer.text:
            draft.fail("describe", getattr(answer, "reason", "the description is empty"))
            return ""
        name = draft.name(part)
        draft.note("caption", f"{name}: {answer.text}")
        return f"{name} (a {NOUNS[part.modality]}: {answer.text})"

    def _plan(self, drafts: Sequence[Draft]) -> None:
        """Ask the planner what comes next: calls, or the answer."""
        text: frozenset[Modality] = frozenset({"text"})
        asked = [Request(tuple(draft.talk), text, draft.request.seed) for draft in drafts]
        for draft, reply in zip(drafts, self._planner.respond(asked), strict=True):
            if isinstance(reply, Failure):
                draft.fail("plan", reply.reason)
                continue
            draft.note("plan", reply.text)
            draft.talk.append(assistant(reply.text))
            try:
                draft.waiting = calls_in(reply.text)
            except PlanError as error:
                self._tell(draft, f"error: {error}")
                continue
            if len(draft.results) + len(draft.waiting) > CALLS:
                draft.fail(
                    "plan",
                    f"calls tools {len(draft.results) + len(draft.waiting)} times; {CALLS} run at most",
                )
            elif not draft.waiting:
                draft.answer = self._answered(draft, reply.text)

    def _call(self, drafts: Sequence[Draft]) -> None:
        """Run the calls of all drafts, one of each at a time, the same tool's together."""
        due = [draft for draft in drafts if draft.waiting and draft.answer is None]
        first = {id(draft): len(draft.results) for draft in due}
        while going := [draft for draft in due if draft.waiting]:
            ready: dict[str, list[tuple[Draft, Request]]] = {}
            for draft in going:
                call = draft.waiting.pop(0)
                try:
                    asking = self._request(draft, call)
                except PlanError as error:
                    draft.note("problem", str(error))
                    draft.results.append(f"error: {error}")
                else:
                    ready.setdefault(call.tool, []).append((draft, asking))
            for name, asked in ready.items():
                answers = self._tools[name].system.respond([request for _, request in asked])
                for (draft, request), answer in zip(asked, answers, strict=True):
                    draft.note("call", f"{name}: {request.conversation[0].text}")
                    draft.results.append(self._kept(draft, self._tools[name], answer))
        for draft in due:
            new = enumerate(draft.results[first[id(draft)] :], start=first[id(draft)] + 1)
            draft.talk.append(user(GO_ON.format(results="\n".join(f"{k}. {result}" for k, result in new))))

    def _tell(self, draft: Draft, problem: str) -> None:
        draft.note("problem", problem.removeprefix("error: "))
        draft.talk.append(user(GO_ON.format(results=problem)))

    def _request(self, draft: Draft, call: Call) -> Request:
        """What a call asks its tool.

        Raises:
            PlanError: there is no such tool, medium or earlier result.
        """
        if call.tool not in self._tools:
            raise PlanError(f"there is no tool {call.tool!r}; there are {', '.join(self._tools)}")
        tool = self._tools[call.tool]
        text = filled(call.text, draft.results)
        wanted = frozenset({tool.makes})
        seed = (draft.request.seed + len(draft.results)) % 2**31  # another for each call
        if tool.takes is None:
            if not text:
                raise PlanError(f"{tool.name} needs a text")
            return Request((user(text),), wanted, seed)
        name = filled(call.media, draft.results)
        medium = draft.media.get(name)
        if medium is None or medium.modality != tool.takes:
            some = ", ".join(each for each in draft.media if each.startswith(f"<{tool.takes}")) or "none"
            raise PlanError(f"{tool.name} needs a {NOUNS[tool.takes]}; {name!r} is none; there are: {some}")
        return Request((user(medium, text or DESCRIBE[tool.takes]),), wanted, seed)

    def _kept(self, draft: Draft, tool: Tool, answer: Message | Failure) -> str:
        """What the planner is told of a result; a medium is given a name."""
        if isinstance(answer, Failure):
            draft.note("problem", f"{tool.name}: {answer.reason}")
            return f"error: {answer.reason}"
        made = [medium for medium in answer.media if medium.modality == tool.makes]
        result = draft.name(made[0]) if made else answer.text
        draft.note("result", result)
        return result

    def _answered(self, draft: Draft, text: str) -> Message | Failure:
        """The last reply, with the media that were made where it names them, or else behind it."""
        wanted = draft.request.wanted
        made = {
            name: medium
            for name, medium in draft.media.items()
            if name not in draft.own and (wanted is None or medium.modality in wanted)
        }
        parts: list[Part] = []
        for words, name in zip(_NAME.split(text), [*_NAME.findall(text), ""], strict=True):
            named = made.pop(name, None)
            parts += [
                part for part in (words.strip(), named or (name if name in draft.own else "")) if part != ""
            ]
        parts += made.values()
        have = {part.modality for part in parts if not isinstance(part, str)} | {"text"}
        if lacking := (wanted or frozenset()) - have:
            problems = [content for step, content in draft.steps if step == "problem"]
            why = problems[-1] if problems else f"the answer is {text[:80]!r}"
            nouns = ", ".join(NOUNS[modality] for modality in sorted(lacking))
            return Failure("plan", f"a {nouns} is wanted, but no call made one: {why}", draft.steps)
        return assistant(*parts, steps=draft.steps)


def _exchange(told: str, tool: Tool) -> list[Message]:
    call = json.dumps([{"tool": tool.name, "text": "a dog on a beach"}])
    name = f"<{tool.makes}-0>"
    return [
        user(f"{told}\n\n{ASKED.format(noun=NOUNS[tool.makes])}"),
        assistant(call),
        user(GO_ON.format(results=f"1. {name}")),
        assistant(f"Here it is: {name}"),
    ]


def _listed(tool: Tool) -> str:
    needs = '"text"' if tool.takes is None else f'"media": a {NOUNS[tool.takes]}, "text"'
    return f"- {tool.name} ({needs}): {tool.about}"
