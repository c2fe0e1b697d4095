"""Measuring two programs side by side: each in a process of its own, compared before any time is shown."""

from __future__ import annotations

import json
import multiprocessing
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float64]]
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


@dataclass(frozen=True, eq=False)
class Measured:
    """What a program answered and what that took.

    Attributes:
        arrays: its answers by name.
        seconds: wall-clock time.
        cpu_seconds: processor time, of the processes that it started too.
        megabytes: peak resident memory of the largest of its processes, its input included.
    """

    arrays: Arrays
    seconds: float
    cpu_seconds: float
    megabytes: float


def measured(program: Callable[..., Arrays], setup: Callable[[], tuple[Any, ...]] = tuple) -> Measured:
    """Runs a program in a forked process, so that its peak memory is its own and nothing stays behind.

    Args:
        program: what is timed.
        setup: makes the program's arguments, in that process too but before the time starts: a fork's
            memory is copied when it is first touched, which must not be counted.

    Raises:
        RuntimeError: the program failed; its traceback has been printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.npz"
        process = multiprocessing.get_context("fork").Process(target=_run, args=(program, setup, answers))
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"a measured program ended with status {process.exitcode}; see above")
        took = json.loads(answers.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(answers) as arrays:
            return Measured(dict(arrays), **took)


def _run(program: Callable[..., Arrays], setup: Callable[[], tuple[Any, ...]], answers: Path) -> None:
    given = setup()
    start, cpu = time.perf_counter(), _cpu_seconds()
    arrays = program(*given)
    took = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": _cpu_seconds() - cpu,
        "megabytes": max(resource.getrusage(who).ru_maxrss for who in _WHO) / 1024,
    }
    np.savez(answers, allow_pickle=False, **arrays)
    answers.with_suffix(".json").write_text(json.dumps(took), encoding="utf-8")


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in _WHO]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def largest_difference(ours: Arrays, theirs: Arrays, tolerance: Mapping[str, float]) -> float:
    """The largest difference between two programs' answers of the same names.

    Raises:
        AssertionError: a name that only one has, or a difference above its tolerance (default 1e-9).
    """
    assert set(ours) == set(theirs), f"{sorted(set(ours) ^ set(theirs))} came from one program only"
    largest = 0.0
    for name, array in ours.items():
        difference = float(np.abs(array - theirs[name]).max(initial=0.0))
        assert difference <= tolerance.get(name, 1e-9), f"{name} differs by {difference:g}: no time is shown"
        largest = max(largest, difference)
    return largest


def row(what: str, ours: Measured, theirs: Measured, difference: float) -> str:
    """One line of the Markdown table that `header` opens."""
    return (
        f"| {what} | {theirs.seconds:.2f} | {ours.seconds:.2f} | **{theirs.seconds / ours.seconds:.1f}** "
        f"| {theirs.cpu_seconds / ours.cpu_seconds:.1f} | {theirs.megabytes:.0f} | {ours.megabytes:.0f} "
        f"| {difference:.0e} |"
    )


def header(peer: str, *packages: str) -> str:
    """The head of the table, under the versions and the machine that it holds for."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Python {platform.python_version()}, {versions}; "
        f"{platform.machine()}, {multiprocessing.cpu_count()} cores\n\n"
        f"| | {peer}, s | here, s | times faster | in CPU time | {peer}, MB | here, MB "
        "| largest difference |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
