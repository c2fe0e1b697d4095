"""The oracle as a system: toyworld's true answers, the ceiling of every score there.

It is given each sample's true plan, says what it says, and renders what it calls for, one thing a line. What
it falls short of the best value, a metric takes from the truth itself: wordings that differ, annotators who
disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from nextgpt.media import Medium
from nextgpt.messages import Failure, Message, Modality, Request, assistant
from toyworld.kinds import called, kind_of


class Oracle:
    """Answers with the truth; data that hold none, as all but toyworld's do, are failures.

    Example:
        >>> from nextgpt.messages import user
        >>> asked = Request((user("draw it"),), hints={"plan": "draw: a small red star in the top left"})
        >>> Oracle().respond([asked])[0].images[0].width
        64
    """

    name, fingerprint = "oracle", "oracle:1"
    accepts: frozenset[Modality] = frozenset(get_args(Modality))
    produces: frozenset[Modality] = frozenset(get_args(Modality))
    given: frozenset[str] = frozenset({"plan"})
    gpus = 0

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """The truth of each sample."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Message | Failure:
        truth = request.hints.get("plan")
        if truth is None:
            return Failure("oracle", "this sample holds no true answer that could be given")
        return assistant(*map(_carried_out, truth.splitlines()), steps=(("plan", truth),))


def _carried_out(line: str) -> str | Medium:
    value = called(line)
    return line if value is None else kind_of(value).render(value)
