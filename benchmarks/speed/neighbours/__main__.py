"""This harness, lm-eval and inspect_ai, with the same null system, one after the other.

    python -m benchmarks.speed.neighbours --lm-eval PYTHON --inspect-ai PYTHON

Each runs in a process of its own, twice: the difference of two sizes is what a sample costs, and the rest is
what a run costs. All write what was answered to a disk, and all have to find the same accuracy, or no time is
shown. PYTHON is an interpreter that has the neighbour, this one where none is named; a neighbour that is not
installed is left out, by name.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.benchmark import Options
from benchmarks.harness.run import evaluate
from benchmarks.speed.overhead import BENCHMARK, Null

SIZES = (1_000, 4_000)
_HERE = Path(__file__).parent


def ours(size: int, folder: Path) -> None:
    """The same under this harness, in this process."""
    run = evaluate(BENCHMARK, Null(), folder, Options(limit=size), progress=False)
    print(run.results[0].value)


def installed(python: str, package: str) -> bool:
    """Whether an interpreter has a package; it is not imported, which may take long."""
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", look], check=False).returncode == 0


def seconds(command: Sequence[str], size: int) -> float:
    """What a process took, start of Python included.

    Raises:
        AssertionError: it found another accuracy than one half.
    """
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            [*command, str(size), folder], check=True, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        took = time.perf_counter() - start
    found = float(done.stdout.split()[-1])
    assert found == 0.5, f"{command[-1]} found {found}, not 0.5: no time is shown"
    return took


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lm-eval", default=sys.executable, help="an interpreter that has lm_eval")
    parser.add_argument("--inspect-ai", default=sys.executable, help="an interpreter that has inspect_ai")
    parser.add_argument("--sizes", type=int, nargs=2, default=SIZES)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # what a child process is asked for
    options = parser.parse_args()
    if options.one:
        ours(int(options.one[0]), Path(options.one[1]))
        return
    commands = {"here": [sys.executable, "-m", "benchmarks.speed.neighbours", "--one"]}
    for name, python in (("lm-eval", options.lm_eval), ("inspect_ai", options.inspect_ai)):
        package = name.replace("-", "_")
        if installed(python, package):
            commands[name] = [python, str(_HERE / f"with_{package}.py")]
        else:
            print(f"{name} is not installed in {Path(python).name}, and is left out")
    small, large = options.sizes
    print(f"harness      {large} samples, s   ms/sample   times ours")
    each: dict[str, float] = {}
    for name, command in commands.items():
        first, second = seconds(command, small), seconds(command, large)
        each[name] = max(second - first, 1e-9) / (large - small) * 1e3
        ratio = each[name] / each["here"]
        print(f"{name:12s} {second:16.2f} {each[name]:12.4f} {ratio:12.1f}", flush=True)


if __name__ == "__main__":
    main()
