"""What is missing on this machine, and what that disables; nothing is downloaded or computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.registry import SYSTEMS


@dataclass(frozen=True)
class Finding:
    """One thing that metrics or systems need.

    Attributes:
        what: the tool, package or weights file.
        present: whether it is at hand.
        disables: what does not work without it.
        remedy: how to get it; empty where it is present.
    """

    what: str
    present: bool
    disables: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything that was looked for, in a fixed order."""
    return [finding for look in LOOKS for finding in look()]


def _java() -> Iterator[Finding]:
    from metrics.java import JavaError, java

    disables = "bleu_1..bleu_4, meteor, rouge_l, cider_d (PTB tokeniser and METEOR)"
    try:
        java()
    except JavaError as error:
        yield Finding("Java", False, disables, " ".join(str(error).split()))
    else:
        yield Finding("Java", True, disables)


def _systems() -> Iterator[Finding]:
    for entry in SYSTEMS.values():
        module = entry.target.partition(":")[0]
        present = find_spec(module) is not None
        yield Finding(
            f"system {entry.name}", present, f"runs of {entry.name}", "" if present else f"no {module}"
        )


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (_java, _systems)
