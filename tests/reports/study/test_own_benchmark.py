"""A study, and a page, of a benchmark that stands in a module of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.records import SEAL, read_run, write_json
from reports.evidence import ReportError
from reports.frames import read_frames

MODULE = """
from benchmarks.harness.benchmark import Benchmark, MetricUse, Sample
from metrics.answers.accuracy import ExactMatch
from nextgpt.messages import Request, assistant, user

def load(options):
    for n in range(8):
        asked = Request((user(f"the riddle of number {n}"),))
        yield Sample(f"s{n}", asked, {"text": (str(n),)}, group=f"g{n}")

TEXT = frozenset({"text"})
USE = MetricUse("exact_match", ExactMatch, lambda said: said.text, lambda one: one.references["text"][0])
RIDDLES = Benchmark(
    name="riddles", family="vqa", version=1, source="made up", licence="CC0 1.0", protocol={}, note="",
    load=load, metrics=(USE,), headline="exact_match", accepts=TEXT, produces=TEXT, slices=lambda s: "all",
)

class Parrot:
    fingerprint, accepts, produces, given = "1", TEXT, TEXT, frozenset()
    def __init__(self, name): self.name = name
    def respond(self, requests): return [assistant(self.name) for _ in requests]

def grey(): return Parrot("grey")
def green(): return Parrot("green")
"""


def command(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parents[3])
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": os.pathsep.join([root, *sys.path])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_benchmark_of_one_s_own_becomes_a_study(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(MODULE)
    systems = [word for name in ("grey", "green") for word in ("--system", f"own:{name}")]
    done = command(tmp_path, "benchmarks.cli", "run", "--benchmark", "own:RIDDLES", *systems, "--out", "runs")
    assert done.returncode == 0, done.stderr
    making = ("sheets", "runs", "--out", "study", "--items", "6", "--raters", "2")
    done = command(tmp_path, "reports.cli", *making)
    assert done.returncode == 1
    assert "the benchmark 'riddles' stands in own:RIDDLES" in done.stderr
    assert done.stderr.endswith("if you trust it, name it with --benchmark own:RIDDLES.\n")
    assert len(done.stderr) < 400
    done = command(tmp_path, "reports.cli", *making, "--benchmark", "own:RIDDLES")
    assert done.returncode == 0, done.stderr
    assert "the riddle of number" in (tmp_path / "study/raters/rater-1/sheet.csv").read_text("utf-8-sig")
    done = command(tmp_path, "reports.cli", "compare", "runs", "--benchmark", "own:RIDDLES")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "runs" / "comparison.html").read_text()
    assert "the riddle of number" in page
    assert "are not shown" not in page
    done = command(tmp_path, "reports.cli", "compare", "runs", "--benchmark", "own:RIDDLE")
    assert done.stderr.startswith("error: unknown benchmark in own: 'RIDDLE'; did you mean RIDDLES?")


def test_a_page_of_a_benchmark_whose_code_nobody_names_stands_without_its_inputs(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(MODULE)
    words = ("run", "--benchmark", "own:RIDDLES", "--system", "own:grey", "--out", "runs")
    assert command(tmp_path, "benchmarks.cli", *words).returncode == 0
    (tmp_path / "own.py").unlink()
    done = command(tmp_path, "reports.cli", "compare", "runs")
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "runs" / "comparison.md").read_text()
    assert "**0.000**" in page
    assert "Inputs and references are not shown: the benchmark 'riddles' stands in own:RIDDLES;" in page
    assert "nextgpt-bench verify grey/riddles --benchmark own:RIDDLES" in page


def test_parts_of_a_run_of_one_s_own_are_merged_and_verified(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(MODULE)
    words = ("run", "--benchmark", "own:RIDDLES", "--system", "own:grey", "--out", "runs")
    for part in ("1/2", "2/2"):
        assert command(tmp_path, "benchmarks.cli", *words, "--shard", part).returncode == 0
    for verb in ("merge", "verify"):
        asked = (verb, "runs/grey/riddles")
        done = command(tmp_path, "benchmarks.cli", *asked)
        assert done.returncode == 1
        assert "name it with --benchmark own:RIDDLES" in done.stderr
        done = command(tmp_path, "benchmarks.cli", *asked, "--benchmark", "own:RIDDLES")
        assert done.returncode == 0, done.stderr


def test_parts_are_no_runs_of_their_own_to_any_report(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(MODULE)
    systems = ("--system", "own:grey", "--system", "own:green")
    words = ("run", "--benchmark", "own:RIDDLES", *systems, "--out", "runs")
    for part in ("1/2", "2/2"):
        assert command(tmp_path, "benchmarks.cli", *words, "--shard", part).returncode == 0
    making = (
        "sheets",
        "runs",
        "--out",
        "study",
        "--items",
        "6",
        "--raters",
        "2",
        "--benchmark",
        "own:RIDDLES",
    )
    for verb in (("compare", "runs"), ("index", "runs"), making):
        done = command(tmp_path, "reports.cli", *verb)
        assert "runs: no runs here but parts of some; put them together" in done.stderr, verb
    with pytest.raises(ReportError, match="put them together"):
        read_frames(tmp_path / "runs")
    for system in ("grey", "green"):
        merging = ("merge", f"runs/{system}/riddles", "--benchmark", "own:RIDDLES")
        assert command(tmp_path, "benchmarks.cli", *merging).returncode == 0
    assert command(tmp_path, "reports.cli", *making).returncode == 0
    assert command(tmp_path, "reports.cli", "index", "runs").stdout.startswith("2 runs")
    found = read_frames(tmp_path / "runs")
    assert (len(found.runs), len(found.predictions)) == (2, 16)


@pytest.mark.parametrize("name", ["trap:RIDDLES", "riddles"])
def test_code_that_a_run_names_is_not_imported(tmp_path: Path, name: str) -> None:
    (tmp_path / "own.py").write_text(MODULE)
    words = ("run", "--benchmark", "own:RIDDLES", "--system", "own:grey", "--out", ".")
    assert command(tmp_path, "benchmarks.cli", *words).returncode == 0
    (tmp_path / "trap.py").write_text("from pathlib import Path; Path('sprung').touch()\n" + MODULE)
    path = tmp_path / "grey" / "riddles" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"benchmark": name, "origin": "trap:RIDDLES"}))
    write_json(path.with_name(SEAL), read_run(path.parent).seal())
    for module, *asked in (
        ("reports.cli", "compare", "."),
        ("reports.cli", "sheets", ".", "--out", "study"),
        ("benchmarks.cli", "verify", "grey/riddles"),
        (
            "benchmarks.cli",
            "run",
            "--benchmark",
            "judged-answers",
            "--data",
            "grey/riddles",
            "--system",
            "null",
        ),
    ):
        done = command(tmp_path, module, *asked)
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "sprung").exists(), asked
