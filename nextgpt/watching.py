"""Watching an answer in the making: its words so far, and how far a picture, a clip or a sound has come.

A system tells what it does where it does it, by `words` and `step`. Nobody hears it, and it costs next to
nothing, unless `watched` is around the call; whoever watches may stop the answer at any of these moments.

Example:
    >>> class Printer:
    ...     def words(self, text: str) -> None:
    ...         print(f"so far: {text}")
    ...     def step(self, what: str, done: int, total: int) -> None:
    ...         print(f"{what}: {done} of {total}")
    >>> with watched(Printer()):
    ...     step("image", 1, 12)
    image: 1 of 12
    >>> step("image", 2, 12)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Stop(BaseException):
    """Raised by a watcher to stop the answer. No system's own handling of errors may swallow it."""


class Watcher(Protocol):
    """Is told of an answer in the making, in the thread that makes it; may raise `Stop`."""

    def words(self, text: str) -> None:
        """What has been said so far, from the beginning."""

    def step(self, what: str, done: int, total: int) -> None:
        """So many steps of making a medium ("image", "video" or "audio") are done."""


_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Tell a watcher of what is answered inside the block, in this thread."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def words(text: Callable[[], str]) -> None:
    """Tell what has been said so far; `text` is called only where somebody watches."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher.words(text())


def step(what: str, done: int, total: int) -> None:
    """Tell how many steps of making a medium are done."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher.step(what, done, total)
