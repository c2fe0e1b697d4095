"""A session of tests that hold lines: every system runs once, and all cells are judged together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from benchmarks.harness import golden as media_lines
from benchmarks.harness.benchmark import Benchmark, MetricUse, Options
from benchmarks.harness.expectations import (
    ExpectationError,
    expectation_of,
    headline,
    holds_line,
    read_expectation,
    renewed,
    write_expectation,
)
from benchmarks.harness.gate import Cell, Verdict, judge_together, measure
from benchmarks.harness.records import Result, Run, why_meaningless
from benchmarks.harness.run import CannotTakePartError, evaluate
from benchmarks.harness.system import System
from benchmarks.registry import load_benchmark, load_extractor, load_system
from nextgpt.terminal import one_line
from nextgpt.threads import wait_asleep

if TYPE_CHECKING:
    from benchmarks.pytest_plugin import Holds

Told = dict[str, Any]
"""A row of the summary in plain values, which travel between processes."""

NEW = "new line"


@dataclass(frozen=True)
class Wishes:
    """What the command line asks of a session.

    Attributes:
        runs: folder of the runs.
        root: of the repository; paths in tests are relative to it.
        limit: at most so many samples, to have a look.
        data: folder of official files in place of the tests' own.
        update: make the runs the lines.
        because: why a line may be lowered.
        capture: pytest's capture of output, which a progress bar must pass by.
    """

    runs: Path
    root: Path
    limit: int | None = None
    data: Path | None = None
    update: bool = False
    because: str = ""
    capture: Any = None


@dataclass
class Held:
    """What one test holds: rows for the summary, and of those that are held the cell and the verdict."""

    results: list[Result] = field(default_factory=list)
    words: dict[int, str] = field(default_factory=dict)
    cells: dict[int, Cell] = field(default_factory=dict)
    verdicts: dict[int, Verdict] = field(default_factory=dict)

    def add(self, result: Result, cell: Cell | None = None, words: str = "") -> None:
        """A row; with its cell where it is held, else what to say of it."""
        if cell is not None:
            self.cells[len(self.results)] = cell
        self.words[len(self.results)] = words
        self.results.append(result)


class Holding:
    """All that a session of tests runs and holds.

    Args:
        wishes: what the command line asks for.
        among: the number of cells that are judged with these, where they are judged one by one; None to
            judge all together, at the end.
    """

    def __init__(self, wishes: Wishes, among: int | None = None) -> None:
        self.wishes, self.among = wishes, among
        self.tests: dict[str, Held] = {}
        self._systems: dict[str, System] = {}
        self._runs: dict[tuple[object, ...], Run] = {}

    def holder(self, test: str, expected: Path) -> Holds:
        """The function that a test calls, with its expectations in this folder."""
        held = self.tests[test] = Held()
        return partial(self._hold, held, expected)

    def must_wait(self, test: str) -> bool:
        """Whether a test's outcome depends on what else is held: it falls short if it is alone."""
        if self.among is not None or test not in self.tests:
            return False
        alone = (judge_together([cell])[0] for cell in self.tests[test].cells.values())
        return any(verdict.kind in ("short", "better") for verdict in alone)

    def settle(self, test: str) -> None:
        """Reach the verdicts of a test that need not wait."""
        held = self.tests.get(test, Held())
        for row, cell in held.cells.items():
            (held.verdicts[row],) = judge_together([cell], self.among)

    def judge(self) -> None:
        """Reach the verdicts on all cells, corrected over all of them."""
        places = [(held, row) for held in self.tests.values() for row in held.cells]
        verdicts = judge_together([held.cells[row] for held, row in places])
        for (held, row), verdict in zip(places, verdicts, strict=True):
            held.verdicts[row] = verdict

    def account(self, test: str) -> tuple[list[Told], list[tuple[str, object]], str]:
        """What a test came to: its rows, JUnit's properties, and why it fails; empty where it passes."""
        held = self.tests.get(test, Held())
        rows, properties, failures = [], list[tuple[str, object]](), []
        for row, result in enumerate(held.results):
            verdict = held.verdicts.get(row)
            kind = verdict.kind if verdict else held.words[row].partition(":")[0]
            words = verdict.words if verdict else held.words[row]
            rows.append(asdict(result) | {"verdict": kind, "words": words})
            properties += _properties(result, kind) if kind else []
            if verdict and not verdict.passed:
                failures.append(f"{result.system} on {result.benchmark}, {result.metric}: {words}")
        return rows, properties, one_line("; ".join(failures))

    def _hold(
        self,
        held: Held,
        expected: Path,
        benchmark: str | Benchmark,
        *,
        system: str | System,
        data: str | Path | None = None,
        limit: int | None = None,
        margin: float = 0.01,
        golden: str | None = None,
    ) -> Result:
        wait_asleep()  # before anything reads torch
        loaded = load_benchmark(benchmark) if isinstance(benchmark, str) else benchmark
        again = partial(self._run, loaded, self._system(system), self._options(data, limit))
        try:
            made = again(0)
        except CannotTakePartError as error:
            if holds_line(loaded.name, self._system(system).name, expected):
                raise
            _skip(one_line(error))
        _need_values(made, loaded)
        use = next(use for use in loaded.metrics if use.name == loaded.headline)
        for result in (row for row in made.results if row.slice is None):
            if result.metric != loaded.headline:
                held.add(result)
            elif self.wishes.update:
                new = expectation_of(made, margin, lower_is_better=_falls(use), limit=limit)
                held.add(result, words=self._update(new, expected))
            else:
                line = read_expectation(loaded.name, made.manifest.system, expected)
                held.add(result, measure(made, line))
        if golden is not None:
            self._hold_golden(held, expected, made, again, golden)
        return headline(made)

    def _update(self, new: Any, expected: Path) -> str:
        new = renewed(new, expected, self.wishes.because)
        path = write_expectation(new, expected)
        lowered = f"; lowered: {new.because}" if new.because else ""
        count = len(new.samples)
        return f"{NEW}: {new.value:g} over {count} samples is expected from now on, in {path}{lowered}"

    def _hold_golden(
        self, held: Held, expected: Path, made: Run, again: Callable[[int], Run], extractor: str
    ) -> None:
        """Hold what a system draws, or make it the golden media, from runs at several seeds."""
        network = or_skip(load_extractor, extractor)
        if self.wishes.update:
            media = media_lines.golden_of([made, *map(again, range(1, media_lines.SEEDS))], network)
            path = media_lines.write_golden(media, expected)
            result, _ = media_lines.measure_golden(made, media, network)
            floor = f"noise over {media_lines.SEEDS} seeds is {media.noise.mean():.4f}"
            held.add(result, words=f"{NEW}: golden media of {len(media.ids)} samples, {floor}, in {path}")
        else:
            media = media_lines.read_golden(made.manifest.benchmark, made.manifest.system, expected)
            held.add(*media_lines.measure_golden(made, media, network))

    def _system(self, system: str | System) -> System:
        if not isinstance(system, str):
            return system
        if system not in self._systems:
            with self._terminal():
                self._systems[system] = or_skip(load_system, system)
        return self._systems[system]

    def _options(self, data: str | Path | None, limit: int | None) -> Options:
        """The data and the number of samples; a test whose data are not here is skipped."""
        folder = self.wishes.data or (None if data is None else self.wishes.root / data)
        if folder is not None and not folder.is_dir():
            _skip(f"{folder}: no such folder; put the data set's files there, or name it by --bench-data")
        limits = [each for each in (limit, self.wishes.limit) if each is not None]
        return Options(folder, min(limits, default=None))

    def _run(self, benchmark: Benchmark, system: System, options: Options, seed: int) -> Run:
        """The scored run of a system on a benchmark, made when its first test needs it."""
        key = (benchmark.name, system.name, options, seed)
        if key not in self._runs:
            # Runs of one pair that differ in what was asked can't share a folder.
            parts = [f"limit-{options.limit}"] * (options.limit is not None) + [f"seed-{seed}"] * bool(seed)
            out = self.wishes.runs / "-".join(parts) if parts else self.wishes.runs
            with self._terminal():
                self._runs[key] = evaluate(benchmark, system, out, options, seed=seed)
        return self._runs[key]

    def _terminal(self) -> Any:
        """A progress bar belongs on the terminal, not into the captured output of the first test."""
        capture = self.wishes.capture
        return capture.global_and_fixture_disabled() if capture else nullcontext()


def _need_values(made: Run, benchmark: Benchmark) -> None:
    """Fail where the run says nothing or a metric has no value; skip where that is for want of weights."""
    results = {row.metric: row for row in made.results if row.slice is None}
    for use in benchmark.metrics:
        result = results[use.name]
        if result.value is None:
            or_skip(use.make)
            raise ExpectationError(f"{result.system} on {result.benchmark}: {use.name} is {result.method}")
    if reason := why_meaningless(made):
        raise ExpectationError(reason)


def _falls(use: MetricUse) -> bool:
    """Whether less of a metric is better."""
    return not use.make().higher_is_better


def or_skip(make: Any, *arguments: Any) -> Any:
    """What is made; where weights that it needs are not here, the test is skipped."""
    from metrics.extractors.weights import MissingWeightsError

    try:
        return make(*arguments)
    except (OSError, ValueError) as error:
        causes: list[BaseException | None] = [error, error.__cause__]
        if not any(isinstance(cause, MissingWeightsError) for cause in causes):
            raise
        _skip(one_line(error))


def _skip(reason: str) -> NoReturn:
    import pytest

    pytest.skip(reason)


def _properties(result: Result, kind: str) -> list[tuple[str, object]]:
    """What JUnit's file says of a row that is held."""
    ends = "" if result.low is None or result.high is None else f"[{result.low:.6g}, {result.high:.6g}]"
    where = f"{result.benchmark}/{result.system}/{result.metric}"
    value = "undefined" if result.value is None else f"{result.value:.6g}"
    return [
        (f"{where}/value", value),
        (f"{where}/interval", ends),
        (f"{where}/n", str(result.n)),
        (f"{where}/verdict", kind),
    ]
