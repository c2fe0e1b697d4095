"""A storm of faults over runs, shards, scorings and merges.

    python -m benchmarks.storm --faults 1000 --seed 0

Each step of a job runs in a forked process, which is killed (SIGKILL), asked to end (SIGTERM) or given a
full disk (a limit of the size of files) at a random moment, several times over, and is then left in peace.
The end of every job is held against that of one that nothing disturbed: same results, same answers, nothing
lost, doubled or left behind. The seed gives the faults, and a report of the counts follows; exit status 1
says that something differed. Linux and macOS only, for it forks. ``python -m tests.storm`` puts trainings,
studies and Ray's workers into it too.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from benchmarks.storm.jobs import KINDS, WORKER, WORKERS, Kind, Step
from nextgpt.terminal import say

# The packages whose errors are lines for people; so is an error of the disk that names its file.
_OURS = ("benchmarks", "nextgpt", "reports")
_DONE, _REFUSED, _STOPPED, _BROKEN = 0, 3, 4, 5


Ends = dict[str, tuple[list[float], object]]
"""Of each kind undisturbed: seconds of its steps, and what it came to."""


def storm(
    faults: int, seed: int, folder: Path, kinds: Sequence[Kind] = KINDS
) -> tuple[Counter[str], list[str]]:
    """Jobs under faults until so many were injected; counts by what was hit and how, and complaints."""
    random = Random(seed)
    calm, found = _undisturbed(kinds, folder)
    counts = Counter[str]()
    while not found and _injected(counts) < faults:
        kind, job = random.choice(kinds), counts["jobs"]
        out = folder / f"{job}"
        seconds, expected = calm[kind.name]
        for place, step in enumerate(kind.steps(random)):
            for _ in range(random.randint(1, 6)):
                fault = random.choice(kind.faults)
                status = _under(step, out, fault, random.uniform(0, seconds[place]), random)
                name = f"{kind.name}, step {place + 1}: {fault}"
                if status == _BROKEN:
                    found.append(f"job {job}, {name} ended in a traceback, see above")
                counts[name if status != _DONE or fault == WORKER else "came too late"] += 1
            found += _in_peace(step, out, f"job {job} ({kind.name})")
        found += [f"job {job} ({kind.name}): {each}" for each in kind.complaints(out, expected)]
        shutil.rmtree(out)
        counts["jobs"] += 1
    return counts, found


def _undisturbed(kinds: Sequence[Kind], folder: Path) -> tuple[Ends, list[str]]:
    """How each kind ends when nothing befalls it, and what is wrong with that; ways to one end end alike."""
    calm, found = Ends(), list[str]()
    first: dict[object, Kind] = {}
    for kind in kinds:
        out, seconds = folder / f"calm-{kind.name}", []
        for step in kind.steps(Random(0)):
            start = time.perf_counter()
            found += _in_peace(step, out, f"undisturbed {kind.name}")
            seconds.append(time.perf_counter() - start)
        calm[kind.name] = seconds, kind.outcome(out)
        found += [f"undisturbed {kind.name}: {each}" for each in kind.complaints(out, calm[kind.name][1])]
        other = first.setdefault(kind.outcome, kind).name
        if calm[kind.name][1] != calm[other][1]:
            found.append(f"undisturbed, {kind.name} and {other} end differently")
    return calm, found


def _injected(counts: Counter[str]) -> int:
    return counts.total() - counts["jobs"] - counts["came too late"]


def _in_peace(step: Step, out: Path, name: str) -> list[str]:
    """Do a step without a fault, in a forked process too: what it starts must not be forked along later."""
    status = os.waitstatus_to_exitcode(os.waitpid(_forked(step, out, None), 0)[1])
    return [f"{name} ended with status {status}, though nothing befell it"] if status != _DONE else []


def _forked(step: Step, out: Path, limit: int | None) -> int:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os._exit(_child(step, out, limit))
    return child


def _under(step: Step, out: Path, fault: str, delay: float, random: Random) -> int:
    """Do a step in a forked process under a fault; returns how it ended, negative by a signal."""
    limit = random.randint(0, 20_000)
    child = _forked(step, out, limit if fault == "full disk" else None)
    if fault == WORKER:
        time.sleep(delay)
        _kill_worker(out, random)
    elif fault != "full disk":
        time.sleep(delay)
        os.kill(child, signal.SIGKILL if fault == "kill" else signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _kill_worker(out: Path, random: Random) -> None:
    """One of the workers that have written down who they are, if it lives."""
    known = out / WORKERS
    pids = known.read_text("ascii").split()[-4:] if known.exists() else []
    if pids:
        with suppress(ProcessLookupError):
            os.kill(int(random.choice(pids)), signal.SIGKILL)


def _child(step: Step, out: Path, limit: int | None) -> int:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)  # as the command line does
    try:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        step(out)
    except KeyboardInterrupt:
        return _STOPPED
    except BaseException as error:  # noqa: BLE001 - the parent counts it
        ours = isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _OURS
        if limit is not None and ours:  # the disk is full, and one line says so
            return _REFUSED
        import traceback

        say(traceback.format_exc(), err=True)
        return _BROKEN
    return _DONE


def main(kinds: Sequence[Kind] = KINDS) -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faults", type=int, default=100, help="how many are injected, at least")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts, found = storm(options.faults, options.seed, Path(folder), kinds)
    for name, count in sorted(counts.items()):
        say(f"{count:6d}  {name}")
    say(f"{_injected(counts)} faults in {counts['jobs']} jobs, {len(found)} complaints")
    for each in found:
        say(each, err=True)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
