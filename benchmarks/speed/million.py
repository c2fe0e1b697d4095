"""A million samples on one machine: a null system is run, scored, and put onto a page.

    python -m benchmarks.speed.million

Each step is a process of its own, from the files on disk to the files on disk, start of Python included. The
aims: less than 2 GB, less than 0.1 ms of overhead for each sample of run and scoring together, and from the
answers to the page in less than 60 s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.benchmark import Options
from benchmarks.harness.records import read_run
from benchmarks.harness.run import run
from benchmarks.harness.scoring import score
from benchmarks.speed.overhead import Null
from benchmarks.speed.rescoring import QUESTIONS

SIZE = 1_000_000


def do(step: str, folder: Path, size: int) -> None:
    """One step, in this process."""
    if step == "run":
        run(QUESTIONS, Null(), folder, Options(limit=size), progress=False)
    else:
        score(read_run(folder / Null.name / QUESTIONS.name), QUESTIONS)


def measured(command: Sequence[str]) -> tuple[float, float]:
    """Seconds of a command, and its peak memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # `subprocess` does not tell what was used
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    unit = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - start, usage.ru_maxrss * unit / 1e9


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=SIZE, help="samples")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # what a child process is asked for
    options = parser.parse_args()
    if options.one:
        do(options.one[0], Path(options.one[1]), options.size)
        return
    with tempfile.TemporaryDirectory() as folder:
        here = [__spec__.name, "--size", str(options.size), "--one"]
        page = ["reports.cli", "compare", folder, "--out", str(Path(folder) / "page.html")]
        steps = {"run": [*here, "run", folder], "score": [*here, "score", folder], "page": page}
        print("what     samples   seconds   ms/sample   peak GB")
        took = {}
        for what, command in steps.items():
            took[what], peak = measured(command)
            each = took[what] / options.size * 1e3
            print(f"{what:5s} {options.size:10d} {took[what]:9.2f} {each:11.4f} {peak:9.2f}", flush=True)
    overhead = (took["run"] + took["score"]) / options.size * 1e3
    print(f"overhead of run and scoring: {overhead:.4f} ms for each sample")
    print(f"from the answers to the page: {took['score'] + took['page']:.1f} s")


if __name__ == "__main__":
    main()
