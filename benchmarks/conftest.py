"""The benchmarks as tests: ``pytest benchmarks/ -k vqa`` runs a family and holds the line.

There is one test for each benchmark, system and metric, never one for each sample; a system runs once for
all its metrics. The headline metric is held against ``expected/``; the others must have a value. A test
file names its ``FAMILY`` and takes the fixture `measurement`, which is parametrised here.

The shipped systems must have expectations for toyworld; whatever else has one is held too. Tests run when
they are asked for by path: plain ``pytest`` leaves them out, for they compute for minutes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import DEFAULT_SUITE, DEFAULT_SYSTEMS
from benchmarks.harness.benchmark import Options
from benchmarks.harness.gate import FOLDER, hold, read_expectation
from benchmarks.harness.records import Result, Run
from benchmarks.harness.run import evaluate
from benchmarks.harness.system import System
from benchmarks.registry import BENCHMARKS, SUITES, load_benchmark, load_system
from benchmarks.tables import interval, number
from nextgpt.terminal import visible
from nextgpt.threads import wait_asleep

HEAD = ("benchmark", "system", "metric", "score", "95 % interval", "n", "s/sample", "verdict", "signature")


@dataclass
class Session:
    """All runs of a test session, each made when its first test needs it, and the lines of the summary."""

    folder: Path
    options: Options
    expected: Path
    capture: Any
    systems: dict[str, System] = field(default_factory=dict)
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    lines: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def run(self, benchmark: str, system: str) -> Run:
        """The scored run of a system on a benchmark."""
        if (benchmark, system) not in self.runs:
            # The progress bar belongs on the terminal, not into the captured output of the first test.
            with self.capture.global_and_fixture_disabled() if self.capture else nullcontext():
                loaded = self.systems[system] = self.systems.get(system) or load_system(system)
                run = evaluate(load_benchmark(benchmark), loaded, self.folder, self.options)
            self.runs[benchmark, system] = run
        return self.runs[benchmark, system]


@dataclass
class Measurement:
    """One metric of one system on one benchmark."""

    session: Session
    benchmark: str
    system: str
    metric: str

    @cached_property
    def result(self) -> Result:
        """The whole benchmark's value with its interval."""
        run = self.session.run(self.benchmark, self.system)
        return next(row for row in run.results if row.metric == self.metric and row.slice is None)

    def hold(self) -> None:
        """Fail when there is no value, or the headline value is significantly below what is expected."""
        result, verdict = self.result, None
        run = self.session.run(self.benchmark, self.system)
        try:
            assert result.value is not None, result.method
            if self.metric == run.manifest.headline:
                expected = read_expectation(self.benchmark, run.manifest.system, self.session.expected)
                verdict = hold(run, expected)
                self.session.remarks.append(f"{self.system} on {self.benchmark}: {verdict.words}")
                assert verdict.passed, verdict.words
        finally:
            self.session.lines.append(_line(result, verdict.kind if verdict else ""))


wait_asleep()  # before a test file reads torch


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchmarks")
    group.addoption("--limit", type=int, default=None, help="only the first so many samples of a benchmark")
    group.addoption(
        "--runs", type=Path, default=None, help="keep and continue runs here (default: a new folder)"
    )
    group.addoption("--data", type=Path, default=None, help="folder of a data set's official files")
    group.addoption("--expected", type=Path, default=FOLDER, help="folder of the expectations")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "measurement" in metafunc.fixturenames:
        cases = list(_cases(metafunc.module.FAMILY, _option(metafunc.config, "--expected", FOLDER)))
        metafunc.parametrize("measurement", cases, indirect=True, ids=[" ".join(case) for case in cases])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave benchmarks out that nobody named by path."""
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    paths = [(config.invocation_params.dir / name.split("::")[0]).resolve() for name in named]
    left_out = [
        item
        for item in items
        if "measurement" in getattr(item, "fixturenames", ())
        and not any(path.is_relative_to(item.path.parent) for path in paths)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def benchmark_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Session:
    config = request.config
    session = Session(
        folder=_option(config, "--runs") or tmp_path_factory.mktemp("runs"),
        options=Options(_option(config, "--data"), _option(config, "--limit")),
        expected=_option(config, "--expected", FOLDER),
        capture=config.pluginmanager.getplugin("capturemanager"),
    )
    config.stash[_SESSION] = session
    return session


@pytest.fixture
def measurement(request: pytest.FixtureRequest, benchmark_session: Session) -> Measurement:
    return Measurement(benchmark_session, *request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What pytest shows of a failure holds answers and names as well."""
    report = yield
    if visible(report.longreprtext) != report.longreprtext:
        report.longrepr = visible(report.longreprtext)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and each comparison with what is expected."""
    session = config.stash.get(_SESSION, None)
    if session is not None and session.lines:
        terminalreporter.section("benchmarks")
        widths = [max(map(len, column)) for column in zip(HEAD, *session.lines, strict=True)]
        for line in (HEAD, *session.lines):
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            terminalreporter.write_line(visible("  ".join(cells).rstrip()))
        for remark in session.remarks:
            terminalreporter.write_line(visible(remark))


_SESSION = pytest.StashKey[Session]()


def _option(config: pytest.Config, name: str, default: Any = None) -> Any:
    # Options of this file are unknown to pytest when it is started from a folder above.
    return config.getoption(name, default)


def _cases(family: str, expected: Path) -> Iterator[tuple[str, str, str]]:
    """What is tested: benchmark, system, metric."""
    for name in (entry.name for entry in BENCHMARKS.values() if entry.family == family):
        shipped = DEFAULT_SYSTEMS if name in SUITES[DEFAULT_SUITE].benchmarks else ()
        held = sorted(file.stem for file in (expected / name).glob("*.json"))
        for system in dict.fromkeys((*shipped, *held)):
            for use in load_benchmark(name).metrics:
                yield name, system, use.name


def _line(result: Result, verdict: str) -> tuple[str, ...]:
    return (
        result.benchmark,
        result.system,
        result.metric,
        number(result.value),
        interval(result.low, result.high),
        str(result.n),
        "–" if result.seconds is None else f"{result.seconds:.3f}",
        verdict,
        result.signature,
    )
