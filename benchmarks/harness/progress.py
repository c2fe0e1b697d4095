"""Progress on standard error: a bar for what is under way or for a whole job, where somebody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from nextgpt.terminal import note, visible, watched

Tick = Callable[[int], object]
_LISTENER: ContextVar[Callable[[float], object] | None] = ContextVar("listener", default=None)


class Job:
    """How far a whole job is.

    Args:
        total: what all of it takes, in any unit.
        bar: rich's progress, where somebody is watching; None has lines noted instead.

    Example:
        >>> job = Job(10.0, clock=iter([0.0, 6.0]).__next__)
        >>> job.reach(4.0)
        >>> job.words
        '40 % of the job, about 9 s left'
    """

    def __init__(self, total: float, bar: Any = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done, self._bar, self._clock = total, 0.0, bar, clock
        self._began = clock()
        self._task = None if bar is None else bar.add_task("the whole job", total=total)

    def reach(self, done: float) -> None:
        """So much of the total is done."""
        self.done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def tell(self, what: str) -> None:
        """Note how far it is, where no bar says it."""
        if self._bar is None:
            note(f"{what}: {self.words}")

    @property
    def words(self) -> str:
        """How far it is and how long it still takes, judged by what is done."""
        share = self.done / self.total if self.total else 1.0
        seconds = self._clock() - self._began
        left = seconds * (1 / share - 1) if share else 0.0
        about = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
        return f"{100 * share:.0f} % of the job" + (f", about {about} left" if share < 1 else "")


@contextmanager
def whole_job(total: float) -> Iterator[Job]:
    """One line for all that is done inside: a bar where somebody is watching, else what `Job.tell` notes."""
    if not watched():
        yield Job(total)
        return
    with _bar() as bar:
        yield Job(total, bar)


@contextmanager
def told_to(listener: Callable[[float], object]) -> Iterator[None]:
    """The listener hears how much of what is run inside is done, 0 to 1, about each hundredth."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def progress(title: str, total: int | None, show: bool | None = None) -> Iterator[Tick]:
    """A bar; call what it yields with the number of items that were done.

    Args:
        title: what is being done.
        total: number of items, None where unknown.
        show: None shows the bar on a terminal only.

    Example:
        >>> with progress("counting", 3, show=False) as tick:
        ...     tick(1)
    """
    listener, done, heard = _LISTENER.get(), 0, 0.0
    with _bar() if (watched() if show is None else show) else nullcontext() as bar:
        task = None if bar is None else bar.add_task(visible(title), total=total)

        def tick(count: int) -> None:
            nonlocal done, heard
            done += count
            if bar is not None:
                bar.advance(task, count)
            if listener is not None and total and done / total >= heard + 0.01:
                heard = min(1.0, done / total)
                listener(heard)

        yield tick


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))
