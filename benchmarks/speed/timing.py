"""Measuring two programs side by side: each in a process of its own, compared before any time is shown."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
        megabytes: peak resident memory, its input included: of it and the processes that it started
            together where the system tells (Linux), else of the largest of them.
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
            return Measured(dict(arrays), *took)


def fastest(runs: Sequence[Measured]) -> Measured:
    """Of several runs of one program that one which nothing held up."""
    return min(runs, key=lambda run: run.seconds)


def timed(program: Callable[[], Arrays]) -> Measured:
    """Runs a program here, as a part of one that is measured."""
    start, cpu = time.perf_counter(), _cpu_seconds()
    with _watched_memory() as peak:
        arrays = program()
    took = time.perf_counter() - start, _cpu_seconds() - cpu
    return Measured(arrays, *took, peak())


def _run(program: Callable[..., Arrays], setup: Callable[[], tuple[Any, ...]], answers: Path) -> None:
    given = setup()
    run = timed(partial(program, *given))
    np.savez(answers, **run.arrays)  # type: ignore[arg-type]  # none is called allow_pickle
    took = run.seconds, run.cpu_seconds, run.megabytes
    answers.with_suffix(".json").write_text(json.dumps(took), encoding="utf-8")


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in _WHO]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@contextmanager
def _watched_memory() -> Iterator[Callable[[], float]]:
    """Gives a function that tells the peak so far, looking every tenth of a second."""
    over, together = threading.Event(), [0.0]

    def watch() -> None:
        while not over.wait(0.1):
            together[0] = max(together[0], _resident(os.getpid()))

    def peak() -> float:
        unit = 1024**2 if sys.platform == "darwin" else 1024
        return max(together[0], *(resource.getrusage(who).ru_maxrss / unit for who in _WHO))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _resident(process: int) -> float:
    """Megabytes of a process and those below it; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text("ascii").split()]
    except OSError:  # no such file system, or the process has just ended
        return 0.0
    own = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0) / 1024
    return own + sum(_resident(int(child)) for child in children)


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


def assert_around(name: str, interval: NDArray[np.float64], value: float) -> None:
    """Refuses an interval, [low, high, value], that is not of the other program's value, or not around it.

    Raises:
        AssertionError: the value differs by more than 1e-9, or lies in an outer sixth of the interval.
    """
    low, high, own = interval.tolist()
    assert abs(own - value) <= 1e-9, f"the interval of {name} is of {own}, not of {value}: no time is shown"
    off = abs((low + high) / 2 - value)
    assert off <= (high - low) / 3 + 1e-9, f"{name} {value} is not amid {low} to {high}: no time is shown"


def row(what: str, peer: str, ours: Measured, theirs: Measured, difference: float, least: float) -> str:
    """One line of the Markdown table that `header` opens; `least` is the ratio that this project asks for."""
    return (
        f"| {what} | {peer} | {theirs.seconds:.2f} | {ours.seconds:.2f} "
        f"| **{theirs.seconds / ours.seconds:.1f}** | {least:g} "
        f"| {theirs.cpu_seconds / ours.cpu_seconds:.1f} | {theirs.megabytes:.0f} | {ours.megabytes:.0f} "
        f"| {difference:.0e} |"
    )


def interval_row(what: str, intervals: Measured, values: Measured) -> str:
    """The line that holds 1,000-resample intervals against what their values cost: 1.5 times that at most."""
    return (
        f"| 1,000-resample intervals of {what} | their values "
        f"| {values.seconds:.2f} | {intervals.seconds:.2f} "
        f"| **{values.seconds / intervals.seconds:.1f}** | 0.67 "
        f"| {values.cpu_seconds / intervals.cpu_seconds:.1f} | {values.megabytes:.0f} "
        f"| {intervals.megabytes:.0f} | - |"
    )


def header(*packages: str) -> str:
    """The head of the table, under the versions and the machine that it holds for."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return (
        f"Python {platform.python_version()}, {versions}; "
        f"{platform.machine()}, {multiprocessing.cpu_count()} cores, threads of linear algebra: {threads}\n\n"
        "| what | against | peer, s | here, s | times faster | at least | in CPU time | peer, MB | here, MB "
        "| largest difference |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
