"""Where a system answers: in this process, in one of its own, or on the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from benchmarks.harness import System


@dataclass(frozen=True)
class Engine:
    """What a person chose.

    Attributes:
        kind: ``local`` or ``ray``.
        workers: of Ray; each loads the system once.
        address: of a Ray cluster that is there.
        timeout: seconds for a sample; None for as long as it takes.
    """

    kind: Literal["local", "ray"]
    workers: int | None = None
    address: str | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.kind == "ray" and self.workers is None:
            raise typer.BadParameter("--engine ray needs to be told how many --workers")
        if self.kind == "local" and (self.workers, self.address) != (None, None):
            raise typer.BadParameter("--workers and --address are Ray's; add --engine ray")


@contextmanager
def opened(name: str, engine: Engine) -> Iterator[System]:
    """The system of this name, where the engine has it; ended with the context."""
    from benchmarks.harness.isolated import Isolated
    from benchmarks.harness.pool import Pool
    from benchmarks.registry import load_system

    load: Callable[[], System] = partial(load_system, name)
    if engine.timeout is not None:
        load = partial(Isolated, load, engine.timeout)
    system = load() if engine.workers is None else Pool(load, engine.workers, engine.address)
    try:
        yield system
    finally:
        if isinstance(system, Isolated | Pool):
            system.close()
