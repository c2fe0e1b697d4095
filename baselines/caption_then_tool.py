"""Caption then tool: the text pipeline that NExT-GPT claims to beat, in three visible steps.

1. describe: a captioner says in words what each medium shows. From here on there is only text.
2. plan: a language model reads the words and the request, and answers, or calls the tools.
3. call: a diffusion model makes what each call says, through its own text encoder.

The fight is fair: the captioner is NExT-GPT after its first stage, the planner its own frozen language
model, the tools its own diffusion models. A tuned planner has learnt, by LoRA, from the dialogues that
NExT-GPT learns from, with descriptions in the place of media: then only the path of the information differs.
Each step is recorded in the answer's `steps`; a plan that can't be parsed is a failure of the pipeline,
recorded too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from nextgpt.media import Medium
from nextgpt.messages import Failure, Message, Modality, Request, Steps, assistant, user
from nextgpt.signals import MODALITIES

if TYPE_CHECKING:
    from nextgpt.config import Config
    from nextgpt.model import NextGPT

# How the captioner is asked, and what stands in a conversation where a medium stood.
DESCRIBE = MappingProxyType({kind: f"describe the {entry.noun}." for kind, entry in MODALITIES.items()})
SHOWN = MappingProxyType({kind: f"{entry.noun}: {{caption}}" for kind, entry in MODALITIES.items()})
CALLS: Mapping[Modality, str] = MappingProxyType({"image": "draw:", "video": "film:", "audio": "play:"})
HINTS = ("caption", "plan")
VERSION = 1  # of this file; part of the fingerprint
# A call begins where a reply does, or behind another's prompt: right behind a call's head it is a word of it.
_CALLED = re.compile(rf"(?:^|(?<=[^:\s])\s+)({'|'.join(CALLS.values())})")
_MADE_BY = {head: kind for kind, head in CALLS.items()}

Describer = Callable[[Sequence[Request]], list[Message | Failure]]
Planner = Callable[[Sequence[Sequence[Message]]], list[str]]
Maker = Callable[[Sequence[str], Sequence[int]], Sequence[Medium]]


@dataclass
class Draft:
    """How far one request has come: words, plan and steps so far, and what ended it early, if anything."""

    request: Request
    words: tuple[Message, ...] = ()
    plan: str = ""
    steps: Steps = ()
    failure: Failure | None = None
    calls: tuple[tuple[Modality, str], ...] = ()

    def fail(self, stage: str, reason: str) -> None:
        """End here, with the steps so far."""
        self.failure = Failure(stage, reason, self.steps)


class CaptionThenTool:
    """The pipeline: a system made of a describer, a planner and makers.

    Args:
        describer: answers requests of a medium and its line of `DESCRIBE`.
        planner: continues conversations of text alone.
        makers: by modality, make a medium for each prompt and seed.
        parts: what identifies the parts' weights and configuration; goes into the fingerprint.
        given: hints that replace a step's own result, in attribution runs: ``caption`` or ``plan``.
        name: of the system, to which what is given is added.
        accepts: the media that the describer describes; by default those that are made.

    Raises:
        ValueError: an unknown hint.
    """

    def __init__(
        self,
        describer: Describer,
        planner: Planner,
        makers: Mapping[Modality, Maker],
        *,
        parts: str,
        given: Sequence[str] = (),
        name: str = "caption-then-tool",
        accepts: frozenset[Modality] | None = None,
    ) -> None:
        if unknown := set(given).difference(HINTS):
            raise ValueError(f"no such hint: {', '.join(sorted(unknown))}; there are {', '.join(HINTS)}")
        self._describer, self._planner, self._makers = describer, planner, makers
        self.produces: frozenset[Modality] = frozenset({"text", *makers})
        self.accepts: frozenset[Modality] = self.produces if accepts is None else accepts
        self.given = frozenset(given)
        self.name = "+".join([name, *sorted(given)])
        self.fingerprint = hashlib.sha256(f"{VERSION}|{self.name}|{parts}".encode()).hexdigest()[:16]

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Describe, plan, call."""
        drafts = [Draft(request) for request in requests]
        self.describe(drafts)
        self.plan(drafts)
        return self.call(drafts)

    def describe(self, drafts: Sequence[Draft]) -> None:
        """Put every medium into words, the same medium once for the whole batch."""
        if "plan" in self.given:
            return  # no one needs the words
        media = list(dict.fromkeys(medium for draft in drafts for medium in _told(draft.request)))
        said: dict[Medium, Message | Failure] = {}
        if media and "caption" not in self.given:
            text: frozenset[Modality] = frozenset({"text"})
            asked = [Request((user(medium, DESCRIBE[medium.modality]),), wanted=text) for medium in media]
            said = dict(zip(media, self._describer(asked), strict=True))
        for draft in drafts:
            captions: dict[Medium, str] = {}
            for medium in _told(draft.request):
                answer = said.get(medium) or assistant(draft.request.hints.get("caption", ""))
                if isinstance(answer, Failure) or not answer.text:
                    draft.fail("describe", getattr(answer, "reason", "the caption is empty"))
                    break
                captions[medium] = answer.text
                draft.steps += (("caption", answer.text),)
            else:
                draft.words = tuple(_in_words(turn, captions) for turn in draft.request.conversation)

    def plan(self, drafts: Sequence[Draft]) -> None:
        """Let the language model read the words and answer, or call the tools."""
        going = [draft for draft in drafts if draft.failure is None]
        if "plan" in self.given:
            plans = [draft.request.hints.get("plan", "") for draft in going]
        else:
            plans = self._planner([draft.words for draft in going])
        for draft, plan in zip(going, plans, strict=True):
            draft.plan = plan
            draft.steps += (("plan", plan),)

    def call(self, drafts: Sequence[Draft]) -> list[Message | Failure]:
        """Make what the plans call for; a plan without calls is the answer, unless media are wanted."""
        for draft in drafts:
            if draft.failure is None:
                self._read(draft)
        made: dict[tuple[int, int], Medium] = {}
        for kind, maker in self._makers.items():
            places = [
                (number, place)
                for number, draft in enumerate(drafts)
                for place, (called, _) in enumerate(draft.calls)
                if called == kind
            ]
            prompts = [drafts[number].calls[place][1] for number, place in places]
            seeds = [drafts[number].request.seed for number, _ in places]
            made |= dict(zip(places, maker(prompts, seeds) if places else (), strict=True))
        answers: list[Message | Failure] = []
        for number, draft in enumerate(drafts):
            media = [made[number, place] for place in range(len(draft.calls))]
            said = assistant(*media, steps=draft.steps) if media else assistant(draft.plan, steps=draft.steps)
            answers.append(draft.failure or said)
        return answers

    def _read(self, draft: Draft) -> None:
        """Find the calls of a plan, as far as what they make is wanted."""
        wanted = self.produces if draft.request.wanted is None else draft.request.wanted
        calls = tuple((kind, prompt) for kind, prompt in parse_calls(draft.plan) if kind in wanted)
        if unable := [MODALITIES[kind].noun for kind, _ in calls if kind not in self._makers]:
            draft.fail("call", f"there is no tool that makes a {unable[0]}")
            return
        lacking = (draft.request.wanted or frozenset()) - {"text", *(kind for kind, _ in calls)}
        if lacking:
            nouns = " and a ".join(MODALITIES[kind].noun for kind in MODALITIES if kind in lacking)
            draft.fail("plan", f"a {nouns} is wanted, but the plan {draft.plan[:80]!r} calls for none")
            return
        draft.calls = calls
        draft.steps += tuple(("prompt", prompt) for _, prompt in calls)


def parse_calls(plan: str) -> list[tuple[Modality, str]]:
    """The calls of a plan, ``draw: {prompt}`` and so on: what each makes and its prompt; none of other text.

    Example:
        >>> parse_calls("draw: a small red circle in the center")
        [('image', 'a small red circle in the center')]
        >>> parse_calls("film: a star moves up play: a high loud trumpet once")
        [('video', 'a star moves up'), ('audio', 'a high loud trumpet once')]
        >>> parse_calls("yes"), parse_calls("i draw: a star")
        ([], [])
    """
    before, *rest = _CALLED.split(plan.strip())
    calls = [(_MADE_BY[head], said.strip()) for head, said in zip(rest[::2], rest[1::2], strict=True)]
    return [] if before.strip() or not all(prompt for _, prompt in calls) else calls


def load(
    preset: str | Config = "tiny",
    given: Sequence[str] = (),
    *,
    checkpoint: Path | None = None,
    planner: str | Config | None = None,
    name: str = "caption-then-tool",
) -> CaptionThenTool:
    """The pipeline whose parts are those of NExT-GPT with this preset.

    Args:
        preset: of NExT-GPT.
        given: as in `CaptionThenTool`.
        checkpoint: of NExT-GPT's first stage; by default the preset's own.
        planner: preset of a tuned planner; by default the frozen language model plans.
        name: of the system.
    """
    import nextgpt

    # After the first stage there is no LoRA yet, and no signal: the language model is the frozen one.
    model = nextgpt.load(preset, stage="encoding", checkpoint=checkpoint)
    plan: Planner = model.complete_text
    parts = model.fingerprint
    if planner is not None:
        tuned = nextgpt.load(planner)
        plan = partial(tuned.complete_text, tuned=True)
        parts += f"|{tuned.fingerprint}"
    makers = {kind: _maker(model, kind) for kind in model.decoders}
    return CaptionThenTool(
        model.respond, plan, makers, parts=parts, given=given, name=name, accepts=model.accepts
    )


def _maker(model: NextGPT, kind: Modality) -> Maker:
    def make(prompts: Sequence[str], seeds: Sequence[int]) -> Sequence[Medium]:
        how = model.config.generation
        with model.decoders.using(kind) as decoder:
            made: list[Medium] = decoder.generate_from_text(
                prompts, seeds, steps=how.steps, guidance=how.guidance
            )
        return made

    return make


def _told(request: Request) -> list[Medium]:
    """The media of a conversation that have to be described, in order."""
    return [part for turn in request.conversation for part in _kept(turn) if not isinstance(part, str)]


def _kept(turn: Message) -> tuple[str | Medium, ...]:
    """What remains of a turn: of what the assistant made, the call that made it, where it is there."""
    if turn.role == "assistant" and parse_calls(turn.text):
        return tuple(part for part in turn.parts if isinstance(part, str))
    return turn.parts


def _in_words(turn: Message, captions: Mapping[Medium, str]) -> Message:
    """The turn with words in the place of each medium: a caption, or the call of what the assistant made."""
    words = []
    for part in _kept(turn):
        if isinstance(part, str):
            words.append(part)
        elif turn.role == "assistant":
            words.append(f"{CALLS[part.modality]} {captions[part]}")
        else:
            words.append(SHOWN[part.modality].format(caption=captions[part]))
    return Message(turn.role, tuple(words))
