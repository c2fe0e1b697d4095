"""A system in a process of its own, which can be given up: it hangs, dies or exits, and the run goes on.

Inside one process nothing can be done about a call that does not return: Python has no way to end a
thread, and one that is left behind keeps its memory, its locks and the GPU, and answers later to nobody.
A process can be ended, whatever it is doing. It is started anew, and the system loaded again, for the next
request.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from types import MappingProxyType
from typing import Any

from benchmarks.harness.asking import out_of_memory
from benchmarks.harness.door import check_system, one_line, told
from benchmarks.harness.system import System
from nextgpt.messages import Failure, Message, Modality, Request

_KILLED = -9  # by the system itself, where nobody here did it: as a rule, for want of memory


class IsolatedError(ValueError):
    """A system that could not be loaded in its own process; the message is its error."""


class Isolated:
    """A `System` that runs in a process of its own, under a time limit.

    Args:
        load: makes the system, there; it and its arguments must be importable.
        timeout: seconds for one request; a batch has so many for each. None waits for ever.

    Raises:
        IsolatedError: the system can't be loaded.
    """

    def __init__(self, load: Callable[[], System], timeout: float | None = None) -> None:
        self._load, self._timeout = load, timeout
        self._process: Any = None
        said = self._start()
        self.name: str = said["name"]
        self.fingerprint: str = said["fingerprint"]
        self.accepts: frozenset[Modality] = said["accepts"]
        self.produces: frozenset[Modality] = said["produces"]
        self.given: frozenset[str] = said["given"]
        self.gpus: float | None = said["gpus"]

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch, in the other process.

        Raises:
            TimeoutError: it took too long, and was ended.
            MemoryError: it was killed, as the system does when memory is full.
            RuntimeError: it ended.
            Exception: of the same name and words as what the system raised.
        """
        if self._process is None:
            self._start()
        plain = [(each.conversation, each.wanted, each.seed, dict(each.hints)) for each in requests]
        limit = None if self._timeout is None else self._timeout * len(requests)
        try:
            self._connection.send(plain)
            if not self._connection.poll(limit):
                self.close()
                raise TimeoutError(f"no answer within {self._timeout:g} s; its process was ended")
            what, *said = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise self._death() from None
        if what == "raised":
            kind, words, full = said
            raise type(kind, (MemoryError if full else Exception,), {})(words)
        answers: list[Message | Failure] = said[0]
        return answers

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _start(self) -> dict[str, Any]:
        context = multiprocessing.get_context("spawn")  # a fork would share locks, threads and a GPU's state
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._load, theirs), daemon=True)
        self._process.start()
        theirs.close()
        try:
            what, *said = self._connection.recv()
        except EOFError:
            raise IsolatedError(f"the system can't be loaded: {self._death()}") from None
        if what != "ready":
            self.close()
            raise IsolatedError(f"the system can't be loaded: {said[0]}")
        found: dict[str, Any] = said[0]
        return found

    def _death(self) -> Exception:
        self._process.join()
        status = self._process.exitcode
        self.close()
        if status == _KILLED:
            return MemoryError("its process was killed, as happens when memory is full")
        return RuntimeError(f"its process ended with status {status}")


def _serve(load: Callable[[], System], connection: Connection) -> None:
    """What the other process does: load, then answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the run, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        system = load()
        check_system(system)
        members = ("name", "fingerprint", "accepts", "produces", "given")
        about = {member: getattr(system, member) for member in members}
        connection.send(("ready", about | {"gpus": getattr(system, "gpus", None)}))
    except Exception as error:  # noqa: BLE001 - whatever it is, the run says it
        connection.send(("unloadable", one_line(told(error))))
        return
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            return
        try:
            requests = [
                Request(conversation, wanted, seed, MappingProxyType(hints))
                for conversation, wanted, seed, hints in asked
            ]
            connection.send(("answers", system.respond(tuple(requests))))
        except BaseException as error:  # noqa: BLE001 - one that exits, too; or an answer that can't be sent
            words = told(error).removeprefix(f"{type(error).__name__}: ")
            connection.send(("raised", type(error).__name__, words, out_of_memory(error)))


def _end_with_parent() -> None:
    """A run that is killed can't end this process; it ends itself, in whatever call it hangs."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
