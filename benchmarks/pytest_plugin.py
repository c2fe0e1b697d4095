"""The gate as a pytest plugin: any repository that has this package installed holds its own systems.

In ``tests/test_quality.py``, with no conftest and no import of ours::

    def test_vqa(holds):
        holds("coco-vqa", system="mypackage.model:load", data="data/coco", limit=500)

The system runs on the benchmark, the headline metric is held against ``expected/`` beside the test file, and
the test fails when it fell significantly (`benchmarks.harness.gate`). ``pytest --update-expected`` makes the
line. A test that may have to fail is told at the end of the session, when all cells that are held at once are
known: Holm's correction is over all of them. A process of pytest-xdist does not know the others' cells: it
judges each at once, as one among all tests that were collected.

Every pytest run of whoever has this package imports this file: it imports pytest and nothing heavy.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from benchmarks.harness.benchmark import Benchmark
    from benchmarks.harness.records import Result
    from benchmarks.harness.system import System
    from benchmarks.holding import Holding


class Holds(Protocol):
    """What the fixture `holds` is: a function that runs a system and holds its line."""

    def __call__(
        self,
        benchmark: str | Benchmark,
        *,
        system: str | System,
        data: str | Path | None = None,
        limit: int | None = None,
        margin: float = 0.01,
        golden: str | None = None,
    ) -> Result:
        """Run a system on a benchmark, and hold its headline metric to what is expected of it.

        Args:
            benchmark: its name, or a benchmark of one's own.
            system: a name of `nextgpt-bench list`, ``package.module:factory``, or a system of one's own.
            data: folder of the data set's official files, relative to the root of the repository; the test
                is skipped where it is not there.
            limit: the line is of the first so many samples.
            margin: a drop of the headline metric that nobody minds, when the line is made.
            golden: also hold what the system draws, by the distance of this extractor's features.

        Returns:
            The headline value with its interval, for whatever else a test has to say of it.
        """


_HOLDING = pytest.StashKey["Holding"]()
_WAITING = pytest.StashKey[list[tuple[pytest.Item, list[pytest.TestReport]]]]()
_REPORTS = pytest.StashKey["_Reports"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nextgpt", "systems held to what is expected of them")
    group.addoption("--update-expected", action="store_true", help="make this run the line that is held")
    group.addoption("--because", default="", help="why --update-expected may lower a line; kept in its file")
    group.addoption("--bench-limit", type=int, default=None, help="only the first so many samples, to look")
    group.addoption(
        "--bench-runs", type=Path, default=None, help="keep runs here, and continue what is there"
    )
    group.addoption("--bench-data", type=Path, default=None, help="folder of official files, for all tests")
    group.addoption("--bench-expected", type=Path, default=None, help="folder of the expectations")
    parser.addini("bench_expected", "folder of the expectations; by default expected/ beside each test file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_WAITING] = []
    config.stash[_REPORTS] = reports = _Reports([])
    config.pluginmanager.register(reports)


@pytest.fixture(scope="session")
def _holding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Holding:
    from benchmarks.holding import Holding, Wishes

    config = request.config
    # Several processes share no folder: each runs what its own tests ask for.
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    runs = config.getoption("--bench-runs")
    wishes = Wishes(
        runs=runs / worker if runs else tmp_path_factory.mktemp("runs"),
        root=config.rootpath,
        limit=config.getoption("--bench-limit"),
        data=config.getoption("--bench-data"),
        update=config.getoption("--update-expected"),
        because=config.getoption("--because"),
        capture=config.pluginmanager.getplugin("capturemanager"),
    )
    held = sum(map(_holds, request.session.items))
    config.stash[_HOLDING] = holding = Holding(wishes, among=held if worker else None)
    return holding


@pytest.fixture
def holds(request: pytest.FixtureRequest, _holding: Holding) -> Holds:
    """Runs a system on a benchmark and holds its line; see `Holds`."""
    config = request.config
    chosen = config.getoption("--bench-expected") or config.getini("bench_expected")
    expected = config.rootpath / chosen if chosen else request.path.parent / "expected"
    return _holding.holder(request.node.nodeid, expected)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that holds something; what may have to fail waits for the others."""
    if not _holds(item):
        return None
    from _pytest.runner import runtestprotocol

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    holding = item.config.stash.get(_HOLDING, None)
    if holding is not None and holding.must_wait(item.nodeid):
        item.config.stash[_WAITING].append((item, reports))
    else:
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """After all tests, tell the outcome of those that waited."""
    try:
        return (yield)
    finally:
        waiting = session.config.stash[_WAITING]
        if waiting:
            session.config.stash[_HOLDING].judge()
        for item, reports in waiting:
            properties: list[tuple[str, object]] = []
            for report in reports:
                if report.when == "call":
                    properties = _tell(report, session.config.stash[_HOLDING])
                report.user_properties += properties  # JUnit's file takes those of the last report
                item.ihook.pytest_runtest_logreport(report=report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what a test came to on its report: rows of the summary, properties for JUnit's file."""
    report = yield
    if _holds(item):
        from benchmarks.outside import is_written_for_people
        from nextgpt.terminal import one_line, visible

        # What pytest shows of a failure holds answers and names as well.
        if call.excinfo is not None and is_written_for_people(call.excinfo.value):
            report.longrepr = one_line(call.excinfo.value)  # where in the harness helps nobody
        elif isinstance(report.longrepr, tuple):  # of a skip: where, and why
            path, line, reason = report.longrepr
            report.longrepr = (path, line, visible(reason))
        elif visible(report.longreprtext) != report.longreprtext:
            report.longrepr = visible(report.longreprtext)
        holding = item.config.stash.get(_HOLDING, None)
        if report.when == "call" and holding is not None and not holding.must_wait(item.nodeid):
            holding.settle(item.nodeid)
            item.user_properties += _tell(report, holding)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and each comparison with what is expected; tell the service that runs the tests."""
    reports = config.stash[_REPORTS].kept
    if not reports:
        return
    from benchmarks.announcing import append_job_summary, marks, table
    from nextgpt.terminal import visible

    told = [
        row | {"test": report.nodeid, "place": report.location} for report in reports for row in report.held
    ]
    terminalreporter.section("benchmarks")
    for line in (*table(told), *marks(told)):
        terminalreporter.write_line(visible(line))
    append_job_summary(told)


@dataclass(eq=False)
class _Reports:
    """Collects what tests hold, of other processes too: reports travel, and what is on them."""

    kept: list[Any]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if getattr(report, "held", None):
            self.kept.append(report)


def _holds(item: pytest.Item) -> bool:
    return "holds" in getattr(item, "fixturenames", ())


def _tell(report: Any, holding: Holding) -> list[tuple[str, object]]:
    """What a test came to, on its report; a line that fell short fails it. Returns JUnit's properties."""
    rows, properties, failure = holding.account(report.nodeid)
    if failure and report.passed:
        report.outcome, report.longrepr = "failed", failure
    elif not report.passed:
        rows.append({"verdict": "skipped" if report.skipped else "error", "words": _reason(report)})
    report.held = rows
    return properties


def _reason(report: Any) -> str:
    """Why a test was skipped or went wrong, in one line."""
    from nextgpt.terminal import one_line

    if isinstance(report.longrepr, tuple):
        return one_line(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return one_line(crash.message if crash else report.longreprtext)
