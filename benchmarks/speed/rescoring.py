"""What it takes to score a finished run again, and to write the paper's tables with it.

    python -m benchmarks.speed.rescoring

The run is made first and not counted. Scoring and tables each run in a process of their own, as a person
starts them: from the files on disk to the files on disk, start of Python included.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.benchmark import Options
from benchmarks.speed.overhead import BENCHMARK, Null

SIZE = 200_000
# A cell of the paper's tables, so that the run stands in one.
QUESTIONS = replace(BENCHMARK, name="vqav2")
SYSTEM = "nextgpt-7b"


def make(folder: Path, size: int) -> Path:
    """A run of text samples on disk; returns its folder."""
    from benchmarks.harness.run import evaluate

    class Named(Null):
        name = SYSTEM

    run = evaluate(QUESTIONS, Named(), folder, Options(limit=size), batch_size=1000, progress=False)
    return run.folder


def score_again(folder: Path) -> None:
    """Score the run of a folder, whose results are there already."""
    from benchmarks.harness.records import read_run
    from benchmarks.harness.scoring import score

    score(read_run(folder), QUESTIONS)


def timed(command: Sequence[str]) -> tuple[float, float, float]:
    """Seconds and CPU seconds of a command, and the peak in MiB of all commands so far."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", *command], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, after.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=SIZE, help="predictions")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # what a child process is asked for
    options = parser.parse_args()
    if options.one:
        score_again(options.one)
        return
    with tempfile.TemporaryDirectory() as folder:
        run = make(Path(folder), options.size)
        print("what       predictions   seconds   CPU seconds   peak MiB so far")
        steps = {
            "score again": [__spec__.name, "--one", str(run)],
            "tables": ["reports.cli", "tables", "--paper", folder],
        }
        found = []
        for what, command in steps.items():
            found.append(timed(command))
            seconds, cpu, peak = found[-1]
            print(f"{what:11s} {options.size:10d} {seconds:9.2f} {cpu:13.2f} {peak:17.0f}", flush=True)
        total = [sum(each) for each in list(zip(*found, strict=True))[:2]]
        print(f"{'together':11s} {options.size:10d} {total[0]:9.2f} {total[1]:13.2f} {found[-1][2]:17.0f}")


if __name__ == "__main__":
    main()
