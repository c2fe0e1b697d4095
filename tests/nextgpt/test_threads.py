"""Threads wait asleep: what OpenMP itself says that it was told when torch was read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

READS_TORCH = {
    "nextgpt": "from nextgpt.cli import main as program; sys.argv[1:] = ['params', '--preset', 'tiny']",
    "nextgpt-bench": "from benchmarks.cli import main as program; sys.argv[1:] = ['selftest']",
    "pytest benchmarks": "program = lambda: pytest.main(['benchmarks', '-k', 'vqa', '--collect-only', '-q'])",
}


def told(start: str, **given: str) -> str:
    """What OpenMP says of its settings, in a program that starts so and reads torch."""
    code = f"import sys, pytest\n{start}\ntry:\n    program()\nfinally:\n    import torch"
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment = {**own, **given, "OMP_DISPLAY_ENV": "VERBOSE"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    if "OPENMP DISPLAY ENVIRONMENT" not in done.stderr:
        pytest.skip("this build of torch does not say how its threads wait")
    return done.stderr


@pytest.mark.slow  # torch is read anew
@pytest.mark.parametrize("program", READS_TORCH)
def test_threads_of_every_program_wait_asleep(program: str) -> None:
    assert "GOMP_SPINCOUNT = '0'" in told(READS_TORCH[program])


@pytest.mark.slow
def test_who_says_how_threads_wait_is_heard() -> None:
    assert "GOMP_SPINCOUNT = '77'" in told(READS_TORCH["nextgpt"], GOMP_SPINCOUNT="77")
