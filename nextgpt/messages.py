"""Messages: all input and all output, of every system.

A conversation is a sequence of messages; a message is a role and a sequence of parts; a part is text
or a medium. What a system could not do is a `Failure`, a value like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

from nextgpt.media import Audio, Image, Medium, Video

Modality = Literal["text", "image", "video", "audio"]
Role = Literal["user", "assistant"]
Part = str | Medium
Steps = tuple[tuple[str, str], ...]


@runtime_checkable
class Shaped(Protocol):
    """What makes a value a medium, of whatever modality: its own, and a hash of its content."""

    @property
    def modality(self) -> str:
        """Its entry in the table of modalities."""

    @property
    def content_hash(self) -> str:
        """Equal for equal content."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    Args:
        role: who speaks.
        parts: text and media, in the order in which they are said.
        steps: what a system did on the way, for people: ``(("caption", "..."), ("plan", "..."))``.

    Raises:
        ValueError: an unknown role, or a part that is neither text nor a medium.

    Example:
        >>> Message("user", ("draw", "a red star")).text
        'draw a red star'
    """

    role: Role
    parts: tuple[Part, ...]
    steps: Steps = ()

    def __post_init__(self) -> None:
        if self.role not in ("user", "assistant"):
            raise ValueError(f"The role of a message is 'user' or 'assistant', got {self.role!r}.")
        for position, part in enumerate(self.parts):
            if not isinstance(part, Part | Shaped):
                raise ValueError(
                    f"Part {position} of a message is neither text nor a medium but {type(part).__name__}; "
                    "open files first, with nextgpt.Image.open(path), Video.open or Audio.open."
                )

    @property
    def text(self) -> str:
        """The text parts, joined by one space and stripped."""
        return " ".join(part for part in self.parts if isinstance(part, str)).strip()

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    @property
    def videos(self) -> tuple[Video, ...]:
        """The clips, in order."""
        return tuple(part for part in self.parts if isinstance(part, Video))

    @property
    def sounds(self) -> tuple[Audio, ...]:
        """The sounds, in order."""
        return tuple(part for part in self.parts if isinstance(part, Audio))

    @property
    def media(self) -> tuple[Medium, ...]:
        """All media, in order."""
        return tuple(part for part in self.parts if not isinstance(part, str))


def user(*parts: Part) -> Message:
    """What a person says.

    Example:
        >>> user("draw a red star").role
        'user'
    """
    return Message("user", parts)


def assistant(*parts: Part, steps: Steps = ()) -> Message:
    """What a system answers.

    Example:
        >>> assistant("a red star", steps=(("plan", "draw"),)).steps
        (('plan', 'draw'),)
    """
    return Message("assistant", parts, steps)


@dataclass(frozen=True)
class Failure:
    """A sample that a system could not answer: where it went wrong, why, and how far it got.

    Example:
        >>> Failure(stage="plan", reason="no prompt in 'hello'").stage
        'plan'
    """

    stage: str
    reason: str
    steps: Steps = ()


def _no_hints() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Request:
    """What a system is asked.

    Args:
        conversation: the turns so far, the last one by the user.
        wanted: the modalities wanted back; None leaves it to the system.
        seed: where all randomness of this answer comes from, 0 to 2**31 - 1.
        hints: truths given away in attribution runs only; keys ``"caption"`` and ``"plan"``.

    Raises:
        ValueError: an empty conversation, or one that does not end with the user.

    Example:
        >>> Request((user("draw a red star"),), wanted=frozenset({"image"})).seed
        0
    """

    conversation: tuple[Message, ...]
    wanted: frozenset[Modality] | None = None
    seed: int = 0
    hints: Mapping[str, str] = field(default_factory=_no_hints)

    def __post_init__(self) -> None:
        if not self.conversation or self.conversation[-1].role != "user":
            raise ValueError("A request needs a conversation that ends with a message of the user.")


def seed_of(sample_id: str, base: int = 0) -> int:
    """The seed of a sample: 31 bits that depend on its id and on nothing else.

    Batch, order, shard and number of machines leave it as it is; `base` gives another draw for all.

    Example:
        >>> seed_of("coco/42") == seed_of("coco/42") != seed_of("coco/42", base=1)
        True
    """
    digest = hashlib.sha256(f"{base}:{sample_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFF_FFFF
