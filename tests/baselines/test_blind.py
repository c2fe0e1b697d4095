from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from baselines.blind import Without
from benchmarks.harness.system import System
from nextgpt.media import Audio, Image, Video
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
    system = Without(Seer())
    talk = (user(PICTURE, "look"), assistant("a cat", PICTURE), user("and here?", PICTURE))
    (answer,) = system.respond([Request(talk, seed=5)])
    assert isinstance(answer, Message)
    assert answer.text == "1 5"  # what the assistant itself drew stays


def test_it_takes_part_where_the_sighted_system_does_under_a_name_of_its_own() -> None:
    system = Without(Seer())
    assert isinstance(system, System)
    assert system.name == "seer-blind"
    assert system.fingerprint != Seer.fingerprint
    assert system.accepts >= Seer.accepts


def test_each_sense_takes_its_own_media_away() -> None:
    clip, sound = Video(np.zeros((2, 4, 4, 3), np.uint8), 4), Audio(np.zeros(800, np.float32), 16_000)

    class All(Seer):
        accepts = frozenset[Modality]({"text", "image", "video", "audio"})

        def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
            return [assistant(" ".join(m.modality for m in r.conversation[0].media)) for r in requests]

    asked = [Request((user(PICTURE, clip, sound, "look and listen"),))]
    for sense, left in (("blind", "audio"), ("deaf", "image video")):
        system = Without(All(), sense)  # type: ignore[arg-type]
        (answer,) = system.respond(asked)
        assert isinstance(answer, Message)
        assert answer.text == left
        assert system.name == f"seer-{sense}"
        assert system.accepts == All.accepts
