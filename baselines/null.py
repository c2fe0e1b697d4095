"""Null: a system that says nothing; what a metric gives for that is where its scale begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from nextgpt.messages import Failure, Message, Modality, Request, assistant


class Null:
    """Answers every request with a message without parts.

    Example:
        >>> from nextgpt.messages import user
        >>> Null().respond([Request((user("hello"),))])[0].parts
        ()
    """

    name, fingerprint = "null", "null:1"
    accepts: frozenset[Modality] = frozenset(get_args(Modality))
    produces: frozenset[Modality] = frozenset(get_args(Modality))
    given: frozenset[str] = frozenset()
    gpus = 0

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Nothing, for each."""
        return [assistant() for _ in requests]
