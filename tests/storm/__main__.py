"""The whole storm: runs, parts, scorings, merges, trainings, studies, and workers where Ray is installed.

python -m tests.storm --faults 1000 --seed 0
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from benchmarks.storm.__main__ import main
from benchmarks.storm.jobs import KINDS
from tests.storm.kinds import study, training, workers

_CLUSTER = """
import ray, sys
found = ray.init(address="local", num_cpus=8, include_dashboard=False)
print(found.address_info["gcs_address"], flush=True)
sys.stdin.read()
"""


def everything() -> None:
    """Start what is needed, and loose the storm."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = [*KINDS, *KINDS, training(Path(folder)), study()]
        if find_spec("ray") is None:
            main(kinds)
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
        with subprocess.Popen(
            [sys.executable, "-c", _CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as head:
            assert head.stdin is not None
            assert head.stdout is not None
            try:
                main([*kinds, workers(head.stdout.readline().strip())])
            finally:
                head.stdin.close()


if __name__ == "__main__":
    everything()
