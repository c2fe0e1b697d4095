"""A progress bar on standard error, where somebody is watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nextgpt.terminal import visible, watched

Tick = Callable[[int], object]


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
    if not (watched() if show is None else show):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(visible(title), total=total)
        yield lambda count: bar.advance(task, count)
