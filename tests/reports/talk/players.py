"""Systems that the page is tried with: one that says everything, one that is slow, one that breaks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nextgpt import watching
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant
from tests.hostile import HOSTILE

ALL: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
ATTACK = (
    "<script>window.owned=1</script><img src=x onerror='window.owned=1'> **no markdown** =cmd|' /C calc'!A0"
)


def picture() -> Image:
    return Image(np.full((16, 16, 3), 120, dtype=np.uint8))


def clip() -> Video:
    return Video(np.tile(np.arange(8, dtype=np.uint8)[:, None, None, None] * 30, (1, 32, 32, 3)), 8.0)


def sound() -> Audio:
    return Audio((np.sin(np.arange(8000) / 8) / 2).astype(np.float32), 8000)


@dataclass
class Player:
    """Answers as its behaviour says, and remembers what it was asked."""

    name: str
    behaviour: str
    accepts: frozenset[Modality] = ALL
    produces: frozenset[Modality] = ALL
    fingerprint: str = "1"
    given: frozenset[str] = frozenset()
    asked: int = 0
    stopped: bool = False

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        (request,) = requests
        self.asked += 1
        last = request.conversation[-1]
        match self.behaviour:
            case "everything":
                heard = ", ".join(medium.modality for medium in last.media)
                return [
                    assistant(f"heard {heard or 'nothing'}", picture(), clip(), sound(), ATTACK + HOSTILE)
                ]
            case "slow":
                return [self._slowly()]
            case "deaf":  # tells nobody of its steps
                time.sleep(5)
                return [assistant("late")]
            case "breaks":
                raise RuntimeError(f"{ATTACK}\nof {self.name}")
            case "wrong":
                return "nonsense"  # type: ignore[return-value]
        return [assistant(f"{self.behaviour}: {last.text}", steps=(("plan", self.name),))]

    def _slowly(self) -> Message:
        try:
            for done in range(1, 101):
                watching.words(f"word {done}".format)
                watching.step("image", done, 100)
                time.sleep(0.1)
        except watching.Stop:
            self.stopped = True
            raise
        return assistant("at last", picture())


def everything() -> Player:
    return Player("everything", "everything")


def slow() -> Player:
    return Player("slow", "slow")


def breaks() -> Player:
    return Player("breaks", "breaks")


def first() -> Player:
    return Player("first", "one")


def second() -> Player:
    return Player("second", "two")
