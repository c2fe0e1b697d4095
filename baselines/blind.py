"""Blind and deaf: a system that is shown no picture and no clip, or played no sound; what guessing gives.

A score means something only beside it: many questions can be guessed from their wording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, Protocol

from nextgpt.messages import Failure, Message, Modality, Request

Sense = Literal["blind", "deaf"]
LACKING: Mapping[Sense, frozenset[Modality]] = MappingProxyType(
    {"blind": frozenset({"image", "video"}), "deaf": frozenset({"audio"})}
)


class _Sensing(Protocol):
    """The system whose eyes or ears are shut; what a `System` has, as far as it is needed here."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def accepts(self) -> frozenset[Modality]: ...
    @property
    def produces(self) -> frozenset[Modality]: ...
    @property
    def given(self) -> frozenset[str]: ...

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]: ...


class Without:
    """The same system, with what one sense tells taken out of all that the user shows.

    It still accepts it, or no benchmark would let it take part.

    Args:
        system: whose sense it is.
        sense: which it lacks: ``blind`` takes pictures and clips, ``deaf`` sounds.
    """

    def __init__(self, system: _Sensing, sense: Sense = "blind") -> None:
        self._system, self._lacking = system, LACKING[sense]
        self.name = f"{system.name}-{sense}"
        self.fingerprint = f"{system.fingerprint}|{sense}:1"
        self.accepts = system.accepts
        self.produces = system.produces
        self.given = system.given

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer what is left of each request."""
        return self._system.respond(
            [
                replace(request, conversation=tuple(map(self._left, request.conversation)))
                for request in requests
            ]
        )

    def _left(self, message: Message) -> Message:
        if message.role != "user":
            return message
        parts = tuple(p for p in message.parts if isinstance(p, str) or p.modality not in self._lacking)
        return replace(message, parts=parts)


def load(preset: str, sense: Sense = "blind") -> Without:
    """NExT-GPT of a preset, without a sense."""
    import nextgpt

    return Without(nextgpt.load(preset), sense)
