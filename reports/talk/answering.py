"""One answer in the making: asked for in a thread of its own, watched, and stopped when nobody wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.harness.system import System
from nextgpt import watching
from nextgpt.messages import Failure, Message, Request
from nextgpt.terminal import one_line

_TICK = 0.1  # seconds between two looks at what has been said
_GRACE = 1.0  # seconds in which a system that was stopped may stop by itself


@dataclass(frozen=True)
class Making:
    """How far an answer has come.

    Attributes:
        waits: whether another conversation has the system.
        words: said so far.
        what: the medium that is being made ("image", "video", "audio"), empty where none is.
        done, total: steps of making it.
    """

    waits: bool = False
    words: str = ""
    what: str = ""
    done: int = 0
    total: int = 0


STOPPED = Failure("stopped", "you stopped it")


class Answering:
    """Asks a system for one answer, one at a time for all who talk to it.

    Args:
        system: who answers.
        request: what is asked.
        turn: held while a system answers; two answers at once would share its memory and its cores.
        stop: set by whoever wants no more. A system that tells nobody of its steps goes on by itself to its
            end, unheard; others wait for it.
    """

    def __init__(self, system: System, request: Request, turn: threading.Lock, stop: threading.Event) -> None:
        self._system, self._request, self._turn, self._stop = system, request, turn, stop
        self._making = Making(waits=True)
        self._answer: Message | Failure = STOPPED
        self._done = threading.Event()

    def __iter__(self) -> Iterator[Making | Message | Failure]:
        """How far it has come, whenever that has changed; the answer last."""
        threading.Thread(target=self._work, daemon=True).start()
        told: Making | None = None
        while not self._done.wait(_TICK):
            if self._stop.is_set():
                self._done.wait(_GRACE)
                break
            if self._making != told:
                told = self._making
                yield told
        yield STOPPED if self._stop.is_set() else self._answer

    def words(self, text: str) -> None:
        """See `watching.Watcher`."""
        self._check()
        self._making = Making(words=text)

    def step(self, what: str, done: int, total: int) -> None:
        """See `watching.Watcher`."""
        self._check()
        self._making = Making(words=self._making.words, what=what, done=done, total=total)

    def _check(self) -> None:
        if self._stop.is_set():
            raise watching.Stop

    def _work(self) -> None:
        try:
            with self._turn:
                if self._stop.is_set():
                    return
                self._making = Making()
                with watching.watched(self):
                    self._answer = _checked(self._system.respond((self._request,)))
        except watching.Stop:
            pass
        except BaseException as error:  # noqa: BLE001  (whatever a system raises is that answer's failure)
            self._answer = Failure("error", one_line(f"{type(error).__name__}: {error}")[:300])
        finally:
            self._done.set()


def _checked(answers: object) -> Message | Failure:
    if isinstance(answers, list) and len(answers) == 1 and isinstance(answers[0], Message | Failure):
        return answers[0]
    return Failure("contract", "the system gave no list of one message or failure")
