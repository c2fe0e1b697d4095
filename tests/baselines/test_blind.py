from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from baselines.blind import Blind
from benchmarks.harness.system import System
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user

PICTURE = Image(np.zeros((4, 4, 3), dtype=np.uint8))


class Seer:
    """Says how many pictures it was shown, and what it was told."""

    name, fingerprint = "seer", "1"
    accepts: frozenset[Modality] = frozenset({"text", "image"})
    produces: frozenset[Modality] = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [
            assistant(f"{sum(len(turn.images) for turn in request.conversation)} {request.seed}")
            for request in requests
        ]


def test_no_picture_reaches_the_system_and_all_else_does() -> None:
    system = Blind(Seer())
    talk = (user(PICTURE, "look"), assistant("a cat", PICTURE), user("and here?", PICTURE))
    (answer,) = system.respond([Request(talk, seed=5)])
    assert isinstance(answer, Message)
    assert answer.text == "1 5"  # what the assistant itself drew stays


def test_it_takes_part_where_the_sighted_system_does_under_a_name_of_its_own() -> None:
    system = Blind(Seer())
    assert isinstance(system, System)
    assert system.name == "seer-blind"
    assert system.fingerprint != Seer.fingerprint
    assert system.accepts >= Seer.accepts
