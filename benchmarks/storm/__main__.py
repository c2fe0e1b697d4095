"""A storm of faults over runs, shards, scorings and merges.

    python -m benchmarks.storm --faults 1000 --seed 0

Each step of a job runs in a forked process, which is killed (SIGKILL), asked to end (SIGTERM) or given a
full disk (a limit of the size of files) at a random moment, several times over, and is then left in peace.
The end of every job is held against that of one that nothing disturbed: same results, same answers, nothing
lost, doubled or left behind. The seed gives the faults, and a report of the counts follows; exit status 1
says that something differed. Linux and macOS only, for it forks.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.harness.storage import RecordError
from benchmarks.storm.jobs import KINDS, Step, complaints, outcome, steps
from nextgpt.terminal import say

FAULTS = ("kill", "kill", "kill", "terminate", "full disk")
_DONE, _REFUSED, _STOPPED, _BROKEN = 0, 3, 4, 5


def storm(faults: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Jobs under faults until so many were injected; counts by what was hit and how, and complaints."""
    random = Random(seed)
    expected = {}
    durations: dict[tuple[str, int], float] = {}
    for kind in KINDS:
        calm = folder / f"calm-{kind}"
        for place, step in enumerate(steps(kind, Random(0))):
            start = time.perf_counter()
            step(calm)
            durations[kind, place] = time.perf_counter() - start
        expected[kind] = outcome(calm)
    counts, found = Counter[str](), list[str]()
    assert all(each == expected[KINDS[0]] for each in expected.values()), "undisturbed jobs differ"
    while _injected(counts) < faults:
        kind, job = random.choice(KINDS), counts["jobs"]
        out = folder / f"{job}"
        for place, step in enumerate(steps(kind, random)):
            for _ in range(random.randint(1, 6)):
                fault = random.choice(FAULTS)
                status = _under(step, out, fault, random.uniform(0, durations[kind, place]), random)
                if status == _BROKEN:
                    found.append(f"job {job} ({kind}, step {place}): {fault} ended in a traceback, see above")
                name = f"{kind}, step {place + 1}: {fault}"
                counts[name if status != _DONE else "came too late"] += 1
            step(out)
        found += [f"job {job} ({kind}): {each}" for each in complaints(out, expected[kind])]
        counts["jobs"] += 1
    return counts, found


def _injected(counts: Counter[str]) -> int:
    return counts.total() - counts["jobs"] - counts["came too late"]


def _under(step: Step, out: Path, fault: str, delay: float, random: Random) -> int:
    """Do a step in a forked process under a fault; returns how it ended, negative by a signal."""
    sys.stdout.flush()
    limit = random.randint(0, 20_000)
    child = os.fork()
    if not child:
        os._exit(_child(step, out, limit if fault == "full disk" else None))
    if fault != "full disk":
        time.sleep(delay)
        os.kill(child, signal.SIGKILL if fault == "kill" else signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _child(step: Step, out: Path, limit: int | None) -> int:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)  # as the command line does
    try:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        step(out)
    except RecordError:  # the disk is full, and one line says so
        return _REFUSED
    except KeyboardInterrupt:
        return _STOPPED
    except BaseException:  # noqa: BLE001 - the parent counts it
        import traceback

        say(traceback.format_exc(), err=True)
        return _BROKEN
    return _DONE


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faults", type=int, default=100, help="how many are injected, at least")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts, found = storm(options.faults, options.seed, Path(folder))
    for name, count in sorted(counts.items()):
        say(f"{count:6d}  {name}")
    say(f"{_injected(counts)} faults in {counts['jobs']} jobs, {len(found)} complaints")
    for each in found:
        say(each, err=True)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
