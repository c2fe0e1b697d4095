"""Blind: a system that is never shown a picture; what the questions alone give away.

A VQA score means something only beside it: many questions can be guessed from their wording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from nextgpt.messages import Failure, Message, Modality, Request


class _Sighted(Protocol):
    """The system whose eyes are shut; what a `System` has, as far as it is needed here."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def produces(self) -> frozenset[Modality]: ...
    @property
    def given(self) -> frozenset[str]: ...

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]: ...


class Blind:
    """The same system, with every picture that the user shows taken out of the conversation.

    It still accepts pictures, or no benchmark would let it take part.
    """

    accepts: frozenset[Modality] = frozenset({"text", "image"})

    def __init__(self, system: _Sighted) -> None:
        self._system = system
        self.name = f"{system.name}-blind"
        self.fingerprint = f"{system.fingerprint}|blind:1"
        self.produces = system.produces
        self.given = system.given

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer what is left of each request."""
        return self._system.respond([replace(request, conversation=_text(request)) for request in requests])


def _text(request: Request) -> tuple[Message, ...]:
    return tuple(
        replace(message, parts=tuple(part for part in message.parts if isinstance(part, str)))
        if message.role == "user"
        else message
        for message in request.conversation
    )


def load(preset: str) -> Blind:
    """NExT-GPT of a preset, blind."""
    import nextgpt

    return Blind(nextgpt.load(preset))
