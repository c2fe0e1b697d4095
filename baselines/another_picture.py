"""The same system shown another picture: what of an answer comes from looking, and what from habit.

Which other picture a picture is replaced by says its content alone, so batch and order change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from baselines.optional import fingerprint
from nextgpt.errors import ConfigError
from nextgpt.media import Image, Medium
from nextgpt.messages import Failure, Message, Part, Request


class AnotherPicture:
    """A system that is shown, for each picture, another one of a list.

    Args:
        system: whose eyes are led astray.
        pictures: files of pictures, two different ones at least.

    Raises:
        ConfigError: there are fewer.
    """

    def __init__(self, system: Any, pictures: Sequence[Path]) -> None:
        if len(pictures) < 2:
            raise ConfigError(f"to show another picture takes two, and there are {len(pictures)}")
        self._system, self._pictures = system, list(pictures)
        self.name = f"{system.name}-another-picture"
        self.accepts, self.produces, self.given = system.accepts, system.produces, system.given
        self.fingerprint = fingerprint(1, system.fingerprint, [path.name for path in self._pictures])

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer each request as if its pictures were others."""
        answers: list[Message | Failure] = self._system.respond([self._swapped(each) for each in requests])
        return answers

    def _swapped(self, request: Request) -> Request:
        turns = (replace(turn, parts=tuple(map(self._other, turn.parts))) for turn in request.conversation)
        return replace(request, conversation=tuple(turns))

    def _other(self, part: Part) -> Part:
        if not isinstance(part, Image):
            return part
        begin = int(part.content_hash[:8], 16) % len(self._pictures)
        for path in (*self._pictures[begin:], *self._pictures[:begin]):
            other: Medium = Image.open(path)
            if other.content_hash != part.content_hash:
                return other
        raise ConfigError("all pictures to show in another's place are the same picture")


def load(place: str) -> AnotherPicture:
    """nextgpt-photo, shown in the place of each picture another one that is kept from its training.

    Args:
        place: folder of the photographs; see `nextgpt.captioned`.

    Raises:
        ConfigError: weights are missing, or there are too few photographs.
        CaptionedError: a file of the folder cannot be read.
    """
    import nextgpt
    from nextgpt.captioned import read

    kept = [item.path for item in read(Path(place)) if item.kind == "image" and item.kept_back]
    return AnotherPicture(nextgpt.load("photo"), kept)
