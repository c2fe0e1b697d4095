"""These benchmarks compute for minutes: plain ``pytest`` leaves them out, and they run when named by path.

What holds a line is `benchmarks.pytest_plugin`'s, which any repository has. Here are the suites of published
data beside it: ``pytest benchmarks/ -k vqa --suite paper --data DIR --system NAME --limit N`` measures
systems on one family of a suite, a test for each benchmark and system. Data or weights that are not here are
skips with the reason. ``--data`` and ``--limit`` are short for the plugin's ``--bench-data`` and
``--bench-limit``, which serve where another plugin has taken the short names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nextgpt.threads import wait_asleep

if TYPE_CHECKING:
    from benchmarks.harness.records import Result

wait_asleep()  # before a test file reads torch

# What times other harnesses runs in environments that hold them, and has no doctests.
collect_ignore_glob = ["speed/neighbours/with_*.py"]

_RESULTS = pytest.StashKey[list["Result"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchmarks", "systems measured on a suite")
    group.addoption("--suite", default=None, help="measure a suite's benchmarks, in place of what is held")
    group.addoption("--system", action="append", default=None, help="with --suite; may be repeated")
    groups = (*parser._groups, parser._anonymous)
    taken = {name for each in groups for option in each.options for name in option.names()}
    for name, kind, words in (("data", Path, "folder of official files"), ("limit", int, "samples of each")):
        if f"--{name}" not in taken:  # another plugin's it stays: the long name serves
            group.addoption(f"--{name}", type=kind, dest=f"bench_{name}", default=None, help=words)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "measured" in metafunc.fixturenames:
        cases = list(_cases(metafunc.module.FAMILY, metafunc.config))
        metafunc.parametrize("measured", cases, indirect=True, ids=[" ".join(case) for case in cases])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what nobody named by file or folder, and of both kinds the one that is not asked for."""
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    paths = [(config.invocation_params.dir / name.split("::")[0]).resolve() for name in named]
    left_out = []
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if not {"holds", "measured"} & set(fixtures):
            continue
        asked = ("measured" in fixtures) == (_option(config, "--suite") is not None)
        if not asked or not any(path.is_relative_to(item.path.parent) for path in paths):
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The headline of a system on a benchmark of the suite; what is not here is a skip."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.run import CannotTakePartError, evaluate
    from benchmarks.holding import or_skip
    from benchmarks.registry import load_benchmark, load_system

    name, system = request.param
    config = request.config
    options = Options(_option(config, "bench_data"), _option(config, "bench_limit"))
    if absent := _absent_data(name, options.data):
        pytest.skip(absent)
    runs = _option(config, "--bench-runs") or tmp_path_factory.mktemp("runs")
    try:
        run = evaluate(load_benchmark(name), or_skip(load_system, system), runs, options)
    except CannotTakePartError as error:
        pytest.skip(str(error))
    whole = [result for result in run.results if result.slice is None]
    config.stash.setdefault(_RESULTS, []).extend(whole)
    headline = next(result for result in whole if result.metric == run.manifest.headline)
    if headline.value is None and not headline.signature:
        pytest.skip(headline.method)  # the metric could not be made: its network's weights are not here
    return headline


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured, all metrics of it."""
    from benchmarks.tables import interval, number
    from nextgpt.terminal import visible

    results = config.stash.get(_RESULTS, [])
    if results:
        terminalreporter.section("measured")
    for each in results:
        cells = (each.benchmark, each.system, each.metric, number(each.value), interval(each.low, each.high))
        terminalreporter.write_line(visible("  ".join((*cells, str(each.n), each.method))))


def _option(config: pytest.Config, name: str) -> Any:
    # Options of this file are unknown to pytest when it is started from a folder above.
    return config.getoption(name, None)


def _cases(family: str, config: pytest.Config) -> Iterator[tuple[str, str]]:
    """What is measured: benchmark and system."""
    from benchmarks.commands.run import DEFAULT_SYSTEMS
    from benchmarks.registry import BENCHMARKS, benchmark_names

    suite = _option(config, "--suite")
    for name in benchmark_names(suite) if suite is not None else ():
        if BENCHMARKS[name].family == family:
            for system in _option(config, "--system") or DEFAULT_SYSTEMS:
                yield name, system


def _absent_data(benchmark: str, data: Path | None) -> str:
    """What is missing of a benchmark's data, empty where nothing is."""
    from benchmarks.registry import BENCHMARKS

    entry = BENCHMARKS[benchmark]
    if not entry.files:
        return ""
    if data is None:
        return f"{benchmark} reads files from {entry.origin}; name their folder by --data or --bench-data"
    return "" if entry.here(data) else f"{benchmark} is not below {data}; see nextgpt-bench data check"
