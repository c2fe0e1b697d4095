"""NExT-GPT-caption: NExT-GPT whose words, not whose signals, tell the diffusion model what to make.

The fourth bar of the paper's Figure 5: what the signals are worth beside a caption. The model is the same,
and answers the same; the words that it says before its signals go to the diffusion model's own text encoder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.caption_then_tool import parse_calls
from nextgpt.messages import Failure, Message, Modality, Request

if TYPE_CHECKING:
    from nextgpt.config import Config
    from nextgpt.model import NextGPT

VERSION = 1  # of this file; part of the fingerprint


class NextGPTCaption:
    """NExT-GPT with captions in the place of signals.

    Args:
        model: a whole one; it is told here to have its words drawn.
        name: of the system; by default the model's, with ``-caption``.
    """

    def __init__(self, model: NextGPT, name: str = "") -> None:
        self._model = model
        model.caption = caption_of
        self.name = name or f"{model.name}-caption"
        self.fingerprint = hashlib.sha256(f"{VERSION}|{self.name}|{model.fingerprint}".encode()).hexdigest()[
            :16
        ]
        self.accepts: frozenset[Modality] = model.accepts
        self.produces: frozenset[Modality] = model.produces
        self.given = model.given

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch; a medium without a word before it is a failure, not one made from nothing."""
        return [_checked(answer) for answer in self._model.respond(requests)]


def caption_of(words: str) -> str:
    """What the diffusion model is told: of words that call a tool, the call's own; else all of them.

    Example:
        >>> caption_of("draw: a red star"), caption_of("Here is a red star.")
        ('a red star', 'Here is a red star.')
    """
    calls = parse_calls(words)
    return calls[-1][1] if calls else words


def load(preset: str | Config = "tiny", *, checkpoint: Path | None = None, name: str = "") -> NextGPTCaption:
    """NExT-GPT-caption of a preset; arguments and errors are those of `nextgpt.load`."""
    import nextgpt

    return NextGPTCaption(nextgpt.load(preset, checkpoint=checkpoint), name)


def _checked(answer: Message | Failure) -> Message | Failure:
    if isinstance(answer, Message) and answer.media and not isinstance(answer.parts[0], str):
        reason = "the reply has signals and no word before them; there is no caption to draw"
        return Failure("caption", reason, answer.steps)
    return answer
