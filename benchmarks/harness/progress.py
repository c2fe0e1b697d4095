"""Progress on standard error: a bar for what is under way and one for a whole job, where somebody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from nextgpt.terminal import note, visible, watched

Tick = Callable[[int], object]
_JOB: ContextVar[Job | None] = ContextVar("job", default=None)


class Job:
    """A whole job of several parts, each of which is a share of it.

    Args:
        total: what all parts together take, in any unit.
        bar: rich's progress, where somebody is watching; None has a line noted after each part instead.

    Example:
        >>> job = Job(10.0, clock=iter([0.0, 6.0]).__next__)
        >>> with job.part(4.0):
        ...     job.advance(0.5)
        ...     job.done
        2.0
        >>> job.words
        '40 % of the job, about 9 s left'
    """

    def __init__(
        self, total: float, bar: Any = None, clock: Callable[[], float] = time.monotonic, done: float = 0.0
    ) -> None:
        self.total, self.done, self.bar, self._clock = total, done, bar, clock
        self._began, self._share, self._start = clock(), 0.0, done
        self._task = None if bar is None else bar.add_task("the whole job", total=total, completed=done)

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """A part that is so much of the whole, and done when the context ends."""
        self._start, self._share = self.done, share
        yield
        self.advance(1.0)

    def advance(self, fraction: float) -> None:
        """So much of the part is done, 0 to 1."""
        self.done = self._start + self._share * min(1.0, fraction)
        if self.bar is not None:
            self.bar.update(self._task, completed=self.done)

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
    """One line for all that is done inside: a bar where somebody is watching, else one after each part."""
    if not watched():
        yield from _set(Job(total))
        return
    with _bar() as bar:
        yield from _set(Job(total, bar))


def _set(job: Job) -> Iterator[Job]:
    token = _JOB.set(job)
    try:
        yield job
    finally:
        _JOB.reset(token)


def tell_job(what: str) -> None:
    """Note how far the job is, where no bar says it."""
    job = _JOB.get()
    if job is not None and not watched():
        note(f"{what}: {job.words}")


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
    job, done = _JOB.get(), 0
    shown = watched() if show is None else show
    shared = job.bar if job is not None and shown else None
    with nullcontext(shared) if shared is not None or not shown else _bar() as bar:
        task = None if bar is None else bar.add_task(visible(title), total=total)

        def tick(count: int) -> None:
            nonlocal done
            done += count
            if bar is not None:
                bar.advance(task, count)
            if job is not None and total:
                job.advance(done / total)

        try:
            yield tick
        finally:
            if shared is not None:
                shared.remove_task(task)


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
