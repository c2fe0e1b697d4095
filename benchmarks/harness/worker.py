"""One worker of a pool: it loads the system once, answers what it is handed, and measures answers too."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.harness.asking import Answer, Responder
from benchmarks.harness.columns import Measured, Measuring, Once, measured
from benchmarks.harness.door import check_system, one_line, told
from benchmarks.harness.provenance import hardware
from benchmarks.harness.system import System
from nextgpt.messages import Request
from nextgpt.threads import wait_asleep

# Members that say who a system is; what `gpus` says is its wish, and it need not have any.
MEMBERS = ("name", "fingerprint", "accepts", "produces", "given")

Plain = tuple[Any, ...]


def plain(request: Request) -> Plain:
    """A request as it travels: a mapping that can't be changed can't be sent."""
    return request.conversation, request.wanted, request.seed, dict(request.hints)


class Worker:
    """What a worker's process holds.

    Args:
        load: makes the system.
        folder: where modules and files of one's own lie; it counts where this machine has it.
    """

    def __init__(self, load: Callable[[], System], folder: str) -> None:
        wait_asleep()
        if Path(folder).is_dir():
            os.chdir(folder)
            sys.path.insert(0, folder)
        self._load = load
        self._system: System | None = None
        self._scoring, self._makers = -1, dict[int, Once]()

    def about(self) -> dict[str, Any]:
        """Load the system; what it says of itself, or why there is none (``unloadable``)."""
        try:
            system = self._load()
            check_system(system)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the run says it
            return {"unloadable": one_line(told(error))}
        self._system = system
        about = {member: getattr(system, member) for member in MEMBERS}
        return about | {"gpus": getattr(system, "gpus", None), "hardware": hardware(), "pid": os.getpid()}

    def respond(self, requests: Sequence[Plain], size: int) -> tuple[list[Answer], int]:
        """Answers, and the largest batch that memory held."""
        if not requests:
            return [], size
        assert self._system is not None
        responder = Responder(self._system, size, lambda _: None)
        asked = [
            Request(conversation, wanted, seed, MappingProxyType(hints))
            for conversation, wanted, seed, hints in requests
        ]
        return responder.respond(asked), responder.batch_size

    def measure(self, scoring: int, chunk: Sequence[Measuring]) -> list[Measured]:
        """Statistics of a chunk; metrics are built once for each scoring."""
        if scoring != self._scoring:
            self._scoring, self._makers = scoring, {}
        kept = [(each, self._makers.setdefault(each.column, each.make)) for each in chunk]
        return [
            measured(Measuring(each.column, each.start, make, each.predictions, each.references))
            for each, make in kept
        ]
