"""Requests to end, which wait until a step of training is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def whole() -> Iterator[None]:
    """Let Ctrl-C and a request to end wait for the end of the block; a second one does not wait.

    In the middle of a step some weights are those of the next one already: a state that is saved there would
    go on to other digits than a training that nobody stopped.

    Raises:
        KeyboardInterrupt: at the end of the block, as the one who takes such requests has it.

    Example:
        >>> done = []
        >>> try:
        ...     with whole():
        ...         signal.raise_signal(signal.SIGINT)
        ...         done.append("the rest")
        ... except KeyboardInterrupt:
        ...     print(done)
        ['the rest']
    """
    if threading.current_thread() is not threading.main_thread():  # which alone takes signals
        yield
        return
    kept: dict[int, Callable[..., Any]] = {}
    waiting: list[int] = []

    def wait(number: int, frame: Any) -> None:
        waiting.append(number)
        if len(waiting) > 1:
            kept[number](number, frame)

    for end in _ENDS:
        handler = signal.getsignal(end)
        if callable(handler):
            kept[end] = handler
            signal.signal(end, wait)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    if waiting:
        kept[waiting[0]](waiting[0], None)
