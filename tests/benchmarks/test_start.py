"""`nextgpt-bench init`: from an empty folder to a red gate, as a stranger does it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.benchmarks.repository import make, pytest_in
from tests.benchmarks.terminal import Command

FILES = ("quality_benchmark.py", "tests/test_quality.py", ".github/workflows/quality.yml")


def test_a_stranger_comes_from_nothing_to_a_red_gate(bench: Command, tmp_path: Path) -> None:
    code, out, _ = bench("init", "mine")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("wrote")] == [
        f"wrote mine/{name}" for name in FILES
    ]
    mine = make(tmp_path / "mine")
    test = "tests/test_quality.py"
    assert "nothing is expected of adder yet" in pytest_in(mine, test).stdout
    assert pytest_in(mine, test, "--update-expected").returncode == 0
    assert pytest_in(mine, test).returncode == 0
    model = mine / "quality_benchmark.py"
    model.write_text(model.read_text().replace("return str(a + b)", "return str(a + b if a > 2 else a - b)"))
    done = pytest_in(mine, test)
    assert done.returncode == 1
    assert "adder on sums: falls short: -0." in done.stdout


def test_its_benchmark_runs_on_the_command_line_too(bench: Command) -> None:
    bench("init")
    code, out, _ = bench("run", "--benchmark", "quality_benchmark:SUMS", "--system", "quality_benchmark:load")
    assert code == 0
    assert "adder" in out
    code, _, err = bench("expect", "runs", "--expected", "expected")
    assert code == 1
    assert "the line of your own is made by `pytest --update-expected`" in err


def test_what_a_person_wrote_is_kept(bench: Command, tmp_path: Path) -> None:
    (tmp_path / "quality_benchmark.py").write_text("mine")
    code, out, _ = bench("init")
    assert code == 0
    assert "kept quality_benchmark.py, which was there" in out
    assert (tmp_path / "quality_benchmark.py").read_text() == "mine"
    (tmp_path / "file").write_text("")
    code, _, err = bench("init", "file")
    assert code == 1
    assert "file" in err


def test_the_workflow_runs_what_there_is(bench: Command, tmp_path: Path) -> None:
    bench("init")
    text = (tmp_path / ".github" / "workflows" / "quality.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["quality"]["steps"]
    commands = [step["run"].split() for step in steps if "run" in step]
    assert [command[0] for command in commands] == ["pip", "pytest", "nextgpt-report"]
    assert {word for word in commands[1] if word.startswith("--")} == {"--bench-runs", "--junitxml"}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere:SUMS", "no module named 'nowhere'"),
        ("quality_benchmark:SUM", "did you mean SUMS?"),
        ("quality_benchmark:load", "is no Benchmark but function"),
        ("quality benchmark:SUMS", "not of the form package.module:benchmark"),
        ("broken:SUMS", "raised ZeroDivisionError"),
    ],
)
def test_a_benchmark_of_ones_own_that_is_none_is_one_line(
    bench: Command, tmp_path: Path, name: str, complaint: str
) -> None:
    bench("init")
    (tmp_path / "broken.py").write_text("1 / 0")
    code, _, err = bench("run", "--benchmark", name, "--system", "quality_benchmark:load")
    assert code == 1
    assert complaint in err
    assert len(err.strip().splitlines()) == 1
