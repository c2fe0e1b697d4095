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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, Steps, assistant, user

DESCRIBE = "describe the picture."
CALL = "draw:"
HINTS = ("caption", "plan")
VERSION = 1  # of this file; part of the fingerprint

# The three tools of the trade. The planner gets conversations, and a caption for each picture of the user's.
Describer = Callable[[Sequence[Request]], list[Message | Failure]]
Planner = Callable[[Sequence[Sequence[Message]], Sequence[Sequence[str]]], list[str]]
Painter = Callable[[Sequence[str], Sequence[int]], list[Image]]


@dataclass
class Draft:
    """How far one request has come: captions, plan, steps so far, and what ended it early, if anything."""

    request: Request
    captions: tuple[str, ...] = ()
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
        planner: continues conversations in text.
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
        """Put every picture that the user shows into words, the same picture once for the whole batch."""
        if "plan" in self.given:
            return  # no one needs the words
        pictures = list(dict.fromkeys(picture for draft in drafts for picture in _shown(draft.request)))
        said: dict[Image, Message | Failure] = {}
        if pictures and "caption" not in self.given:
            asked = [Request((user(picture, DESCRIBE),), wanted=frozenset({"text"})) for picture in pictures]
            said = dict(zip(pictures, self._describer(asked), strict=True))
        for draft in drafts:
            for picture in _shown(draft.request):
                answer = said.get(picture) or assistant(draft.request.hints.get("caption", ""))
                if isinstance(answer, Failure) or not answer.text:
                    draft.fail("describe", getattr(answer, "reason", "the caption is empty"))
                    break
                draft.captions += (answer.text,)
                draft.steps += (("caption", answer.text),)

    def plan(self, drafts: Sequence[Draft]) -> None:
        """Let the language model read the words and answer, or call the tool."""
        going = [draft for draft in drafts if draft.failure is None]
        if "plan" in self.given:
            plans = [draft.request.hints.get("plan", "") for draft in going]
        else:
            plans = self._planner(
                [draft.request.conversation for draft in going], [draft.captions for draft in going]
            )
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


def load(preset: str = "tiny", given: Sequence[str] = ()) -> CaptionThenTool:
    """The pipeline whose three parts are those of NExT-GPT with this preset.

    Args:
        preset: of NExT-GPT.
        given: as in `CaptionThenTool`.
    """
    import nextgpt

    model = nextgpt.load(preset, stage="encoding")

    def plan(conversations: Sequence[Sequence[Message]], captions: Sequence[Sequence[str]]) -> list[str]:
        # With the tiny preset a prompt reads "USER: picture: {caption} {text} ASSISTANT:".
        pairs = zip(conversations, captions, strict=True)
        return model.complete_text([model.writer.text(turns, words) for turns, words in pairs])

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        how = model.config.generation
        return model.decoder.generate_from_text(prompts, seeds, steps=how.steps, guidance=how.guidance)

    return CaptionThenTool(model.respond, plan, paint, parts=model.fingerprint, given=given)


def _shown(request: Request) -> list[Image]:
    return [picture for turn in request.conversation if turn.role == "user" for picture in turn.images]
