"""One bar for all pieces together: how far the whole pretraining is, and how long it still takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Watcher(Protocol):
    """Is told after every step of every recipe."""

    def __call__(self, recipe: str, step: int, steps: int) -> None:
        """A step of a recipe is done."""


_WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


def stepped(recipe: str, step: int, steps: int) -> None:
    """Tell whoever watches that a recipe has done `step` of its `steps`."""
    watcher = _WATCHER.get()
    if watcher is not None:
        watcher(recipe, step, steps)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Let `watcher` see every step in this block.

    Example:
        >>> seen = []
        >>> with watched(lambda recipe, step, steps: seen.append((recipe, step / steps))):
        ...     stepped("line", 1, 4)
        >>> seen
        [('line', 0.25)]
    """
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)


@contextmanager
def one_bar(minutes: Mapping[str, float]) -> Iterator[None]:
    """Show one bar over recipes that take so many minutes each; one that is done already is full at once."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    share = Share(minutes)
    with Progress(*columns) as bar:
        task = bar.add_task("pretraining", total=sum(minutes.values()))

        def advance(recipe: str, step: int, steps: int) -> None:
            done = share.after(recipe, step, steps)
            bar.update(task, completed=done, description=f"pretraining: {recipe.replace('_', ' ')}")

        with watched(advance):
            yield


class Share:
    """How many of all minutes are done.

    Example:
        >>> share = Share({"first": 30.0, "second": 60.0})
        >>> share.after("first", 5, 10), share.after("second", 1, 4)
        (15.0, 30.0)
    """

    def __init__(self, minutes: Mapping[str, float]) -> None:
        self.minutes = minutes
        self.done: dict[str, float] = {}

    def after(self, recipe: str, step: int, steps: int) -> float:
        """Minutes done when a recipe has done so many of its steps."""
        self.done[recipe] = self.minutes.get(recipe, 0.0) * step / steps
        return sum(self.done.values())
