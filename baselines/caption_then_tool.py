"""Caption then tool: the text pipeline that NExT-GPT claims to beat, in three visible steps.

1. describe: a captioner says in words what each picture shows. From here on there is only text.
2. plan: a frozen language model reads the words and the request, and answers, or calls the tool.
3. call: the diffusion model draws what the call says, through its own text encoder.

The fight is fair: the captioner is NExT-GPT after its first stage, the planner its own frozen language
model, the tool its own diffusion model. Only the path of the information differs. Each step is
recorded in the answer's `steps`; a plan that can't be parsed is a failure of the pipeline, recorded too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, Steps, assistant, user

if TYPE_CHECKING:
    from nextgpt.config import Config

DESCRIBE = "describe the picture."
PICTURE = "picture: {caption}"  # what stands in a conversation where a picture stood
CALL = "draw:"
HINTS = ("caption", "plan")
VERSION = 1  # of this file; part of the fingerprint

Describer = Callable[[Sequence[Request]], list[Message | Failure]]
Planner = Callable[[Sequence[Sequence[Message]]], list[str]]
Painter = Callable[[Sequence[str], Sequence[int]], list[Image]]


@dataclass
class Draft:
    """How far one request has come: words, plan and steps so far, and what ended it early, if anything."""

    request: Request
    words: tuple[Message, ...] = ()
    plan: str = ""
    steps: Steps = ()
    failure: Failure | None = None

    def fail(self, stage: str, reason: str) -> None:
        """End here, with the steps so far."""
        self.failure = Failure(stage, reason, self.steps)


class CaptionThenTool:
    """The pipeline: a system made of a describer, a planner and a painter.

    Args:
        describer: answers requests of a picture and `DESCRIBE`.
        planner: continues conversations of text alone.
        painter: draws a picture for each prompt and seed.
        parts: what identifies the parts' weights and configuration; goes into the fingerprint.
        given: hints that replace a step's own result, in attribution runs: ``caption`` or ``plan``.

    Raises:
        ValueError: an unknown hint.
    """

    accepts: frozenset[Modality] = frozenset({"text", "image"})
    produces: frozenset[Modality] = frozenset({"text", "image"})

    def __init__(
        self,
        describer: Describer,
        planner: Planner,
        painter: Painter,
        *,
        parts: str,
        given: Sequence[str] = (),
    ) -> None:
        if unknown := set(given).difference(HINTS):
            raise ValueError(f"no such hint: {', '.join(sorted(unknown))}; there are {', '.join(HINTS)}")
        self._describer, self._planner, self._painter = describer, planner, painter
        self.given = frozenset(given)
        self.name = "+".join(["caption-then-tool", *sorted(given)])
        self.fingerprint = hashlib.sha256(f"{VERSION}|{self.name}|{parts}".encode()).hexdigest()[:16]

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Describe, plan, call."""
        drafts = [Draft(request) for request in requests]
        self.describe(drafts)
        self.plan(drafts)
        return self.call(drafts)

    def describe(self, drafts: Sequence[Draft]) -> None:
        """Put every picture into words, the same picture once for the whole batch."""
        if "plan" in self.given:
            return  # no one needs the words
        pictures = list(dict.fromkeys(picture for draft in drafts for picture in _pictures(draft.request)))
        said: dict[Image, Message | Failure] = {}
        if pictures and "caption" not in self.given:
            asked = [Request((user(picture, DESCRIBE),), wanted=frozenset({"text"})) for picture in pictures]
            said = dict(zip(pictures, self._describer(asked), strict=True))
        for draft in drafts:
            captions: dict[Image, str] = {}
            for picture in _pictures(draft.request):
                answer = said.get(picture) or assistant(draft.request.hints.get("caption", ""))
                if isinstance(answer, Failure) or not answer.text:
                    draft.fail("describe", getattr(answer, "reason", "the caption is empty"))
                    break
                captions[picture] = answer.text
                draft.steps += (("caption", answer.text),)
            else:
                draft.words = _in_words(draft.request.conversation, captions)

    def plan(self, drafts: Sequence[Draft]) -> None:
        """Let the language model read the words and answer, or call the tool."""
        going = [draft for draft in drafts if draft.failure is None]
        if "plan" in self.given:
            plans = [draft.request.hints.get("plan", "") for draft in going]
        else:
            plans = self._planner([draft.words for draft in going])
        for draft, plan in zip(going, plans, strict=True):
            draft.plan = plan
            draft.steps += (("plan", plan),)

    def call(self, drafts: Sequence[Draft]) -> list[Message | Failure]:
        """Draw what the plans call for; what is no call is itself the answer, unless a picture is wanted."""
        prompts: dict[int, str] = {}
        for number, draft in enumerate(drafts):
            wanted = draft.request.wanted
            if draft.failure is not None or (wanted is not None and "image" not in wanted):
                continue
            prompt = parse_call(draft.plan)
            if prompt is not None:
                prompts[number] = prompt
                draft.steps += (("prompt", prompt),)
            elif wanted is not None:
                draft.fail("plan", f"a picture is wanted, but the plan {draft.plan[:80]!r} calls for none")
        seeds = [drafts[number].request.seed for number in prompts]
        pictures = self._painter(list(prompts.values()), seeds) if prompts else []
        drawn = dict(zip(prompts, pictures, strict=True))
        return [
            draft.failure or assistant(drawn.get(number, draft.plan), steps=draft.steps)
            for number, draft in enumerate(drafts)
        ]


def parse_call(plan: str) -> str | None:
    """The prompt of a tool call ``draw: {prompt}``, or None where a plan is no such call.

    Example:
        >>> parse_call("draw: a small red circle in the center")
        'a small red circle in the center'
        >>> parse_call("yes") is None
        True
    """
    before, _, prompt = plan.strip().partition(CALL)
    return None if before else prompt.strip() or None


def load(
    preset: str | Config = "tiny", given: Sequence[str] = (), *, checkpoint: Path | None = None
) -> CaptionThenTool:
    """The pipeline whose three parts are those of NExT-GPT with this preset.

    Args:
        preset: of NExT-GPT.
        given: as in `CaptionThenTool`.
        checkpoint: of NExT-GPT's first stage; by default the preset's own.
    """
    import nextgpt

    # After the first stage there is no LoRA yet, and no signal: the language model is the frozen one.
    model = nextgpt.load(preset, stage="encoding", checkpoint=checkpoint)

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        how = model.config.generation
        return model.decoder.generate_from_text(prompts, seeds, steps=how.steps, guidance=how.guidance)

    return CaptionThenTool(model.respond, model.complete_text, paint, parts=model.fingerprint, given=given)


def _pictures(request: Request) -> list[Image]:
    return [picture for turn in request.conversation for picture in turn.images]


def _in_words(conversation: Sequence[Message], captions: Mapping[Image, str]) -> tuple[Message, ...]:
    """The conversation with a caption in the place of each picture."""
    return tuple(
        Message(
            turn.role,
            tuple(
                PICTURE.format(caption=captions[part]) if isinstance(part, Image) else part
                for part in turn.parts
            ),
        )
        for turn in conversation
    )
