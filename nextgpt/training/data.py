"""Training examples: conversations with media, and where they come from."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from nextgpt.config import Stage
from nextgpt.errors import ConfigError, UserError
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Message, Modality

AT_ONCE = 128
# Stand in a conversation for media that their makers did not publish: their captions are known.
UNSEEN: Mapping[Modality, Medium] = MappingProxyType(
    {
        "image": Image(np.zeros((1, 1, 3), np.uint8)),
        "video": Video(np.zeros((1, 1, 1, 3), np.uint8), fps=1),
        "audio": Audio(np.zeros(1, np.float32), rate=1000),
    }
)


class TrainingError(UserError):
    """Training cannot go on; the message says where it stopped, why, and what is kept."""


@dataclass(frozen=True)
class Example:
    """One conversation to learn from.

    Args:
        conversation: an assistant's medium is a target: what the model is to make there. Where only its
            caption is known, its `UNSEEN` stands for it, and it is left out of the denoising loss.
        captions: describe the assistant's media, in order; their frozen text conditions are what the
            output projections are drawn to.
        name: where it comes from (file and record), for messages.

    Raises:
        TrainingError: captions and the assistant's media differ in number.
    """

    conversation: tuple[Message, ...]
    captions: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        media = targets(self.conversation)
        if len(media) != len(self.captions):
            what = "pictures" if all(isinstance(medium, Image) for medium in media) else "media"
            raise TrainingError(
                f"{self.name or 'an example'} has {len(media)} {what} by the assistant but "
                f"{len(self.captions)} captions; give one caption for each"
            )


@dataclass(frozen=True)
class Broken:
    """A record that cannot be learnt from: left out, counted and shown.

    Args:
        name: file and record.
        reason: what is wrong with it, and what to do.
    """

    name: str
    reason: str


Source = Callable[[Stage, int, int], Iterable[Example | Broken]]


def source(name: str, options: Mapping[str, Any] | None = None) -> Source:
    """Find a function ``examples(stage, count, seed, **options)`` named as ``module:function``.

    Raises:
        ConfigError: there is no such module or function, or it does not take these options.
    """
    module, _, function = name.partition(":")
    try:
        found: Callable[..., Iterable[Example | Broken]] = getattr(importlib.import_module(module), function)
        if not callable(found):
            raise ValueError(f"{function} is no function")
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"training source {name!r}: {error}; name it as module:function") from error
    given = dict(options or {})
    try:
        inspect.signature(found).bind("encoding", 0, 0, **given)
    except TypeError as error:
        own = list(inspect.signature(found).parameters)[3:]  # after stage, count and seed
        raise ConfigError(
            f"training source {name!r}: does not take the options {', '.join(given) or '(none)'}; "
            f"its own are {', '.join(own) or '(none)'}"
        ) from error
    return partial(found, **given)


def seen(conversation: Sequence[Message]) -> list[Medium]:
    """The media that the model is shown, in order."""
    return [medium for message in conversation if message.role == "user" for medium in message.media]


def targets(conversation: Sequence[Message]) -> list[Medium]:
    """The media that it is to make, in order."""
    return [medium for message in conversation if message.role == "assistant" for medium in message.media]


def pieces(examples: Iterable[Example | Broken]) -> Iterator[list[Example | Broken]]:
    """Cut a stream into lists of `AT_ONCE`; media need not all be in memory."""
    piece: list[Example | Broken] = []
    for example in examples:
        piece.append(example)
        if len(piece) == AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece


def refuse(left_out: Sequence[str], read: int, tolerated: float) -> None:
    """Stop where too many examples cannot be used.

    Args:
        left_out: what is wrong with each that cannot be used.
        read: how many there are, these included.
        tolerated: share that may be unusable.

    Raises:
        TrainingError: more than the tolerated share; names the first of them.

    Example:
        >>> refuse(["cc3m.json: record 3: no caption"], read=100, tolerated=0.02)
    """
    if len(left_out) > tolerated * read:
        more = f"; and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        raise TrainingError(
            f"{len(left_out)} of {read} training examples cannot be used, and the preset tolerates "
            f"{tolerated:.0%}: {'; '.join(left_out[:3])}{more}"
        )
