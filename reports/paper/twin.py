"""The twin of the paper's tables: which cell was measured, its interval, and how it stands to the print.

`build_twin` reads runs and returns plain values; the writers beside it say how they look. Nothing here
depends on the time, the place or the command: the same runs make the same twin, so that a committed table can
be checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from benchmarks.harness.results import Result
from benchmarks.harness.storage import build, read_json
from reports.evidence import Evidence, read_evidence
from reports.paper import links
from reports.paper.best import separated_best
from reports.paper.links import RowKey, Rows
from reports.paper.published import (
    GENERAL,
    SETTINGS,
    Cell,
    Setting,
    contradictions_of,
    published_cells,
    tables,
)
from reports.tables import interval, metric_words, number

TITLES: Mapping[int, str] = {
    2: "Image captioning and question answering",
    3: "Video and audio captioning, video question answering",
    4: "Generation from text: images, sound, video",
    5: "Ablation of the input projection",
    8: "Text to image",
    9: "Text to video",
    10: "Text to audio",
    11: "Audio captioning",
    12: "Image captioning",
    13: "Video captioning",
    14: "Image editing, objects and backgrounds",
    15: "Video editing",
    16: "Speech editing",
}

LEGEND = (
    "Each published figure stands beside the measured one with its 95 % interval. Reproduced: the printed "
    "figure, give or take its rounding, lies in that interval. Bold: a paired test separates the measured "
    "value from all others of its column, after Holm's correction."
)

SCORED = "Scored from files of other programs"
SCORED_COLUMNS = ("file", "family", "metric", "part", "value", "95 % interval", "n", "failed", "how")

Kind = Literal["reproduced", "outside", "undecided", "not run", "measured"]


@dataclass(frozen=True)
class Column:
    """One measurement at one setting; cells of different settings never share a column."""

    dataset: str
    metric: str
    setting: Setting
    lower_is_better: bool
    measure: links.Measure | None

    @property
    def heading(self) -> str:
        """Data set, metric, the direction of improvement, and the setting."""
        metric = "metric unstated" if self.metric == "unstated" else self.metric
        return f"{self.dataset} {metric} {'↓' if self.lower_is_better else '↑'}, {self.setting}"


@dataclass(frozen=True)
class Measured:
    """A run's value on the paper's scale; `best` where a paired test separates it from all others.

    Attributes:
        evidence: the run.
        metric: our name of what was measured.
        value, low, high: None where there is none; then `method` says why.
        n, failed, signature, method: as in `Result`.
    """

    evidence: Evidence
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    failed: int
    signature: str
    method: str
    best: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a measured value stands to a printed one.

    Attributes:
        kind: ``measured`` is what the paper has no figure for.
        words: for a table.
        gap: how far the printed figure lies outside the interval; negative where it lies below.
    """

    kind: Kind
    words: str
    gap: float | None = None


@dataclass(frozen=True)
class Entry:
    """One cell of the twin: what is printed, what was measured, and what a reader must know of either."""

    column: Column
    row: str
    published: Cell | None
    measured: Measured | None
    verdict: Verdict
    remarks: tuple[str, ...]

    @property
    def beside(self) -> str:
        """The interval and how it stands to the print; empty where nothing was measured."""
        if self.measured is None:
            return ""
        found = interval(self.measured.low, self.measured.high)
        return f"({found}), {self.verdict.words}" if found else self.verdict.words


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        rows: names of systems, the paper's first, then those that were only measured.
        entries: by row and column.
        remarks: true of the whole table.
    """

    number: int
    title: str
    columns: tuple[Column, ...]
    rows: tuple[str, ...]
    entries: Mapping[tuple[str, Column], Entry]
    remarks: tuple[str, ...]

    @cached_property
    def footnotes(self) -> dict[str, int]:
        """Remarks on single cells and their numbers, in the order in which they are read."""
        found: dict[str, int] = {}
        for row in self.rows:
            for column in self.columns:
                entry = self.entries.get((row, column))
                for remark in entry.remarks if entry else ():
                    found.setdefault(remark, len(found) + 1)
        return found

    def marks(self, entry: Entry) -> list[int]:
        """The numbers of an entry's footnotes."""
        return sorted({self.footnotes[remark] for remark in entry.remarks})


@dataclass(frozen=True)
class Twin:
    """All tables, and what stands in none of them.

    Attributes:
        tables: the paper's.
        scored: what `nextgpt-bench score` made of other programs' files.
        elsewhere: runs that stand in no table.
        left_out: runs that could not be read, and why.
    """

    tables: tuple[Table, ...]
    scored: tuple[Result, ...]
    elsewhere: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every cell, table by table."""
        return tuple(entry for table in self.tables for entry in table.entries.values())

    @property
    def summary(self) -> str:
        """How many published cells were reproduced, and what became of the others."""
        kinds = [entry.verdict.kind for entry in self.entries if entry.published]
        counts = {kind: kinds.count(kind) for kind in ("reproduced", "outside", "undecided", "not run")}
        return f"{len(kinds)} published cells: " + ", ".join(f"{n} {kind}" for kind, n in counts.items())


def build_twin(folder: Path, rows: Rows | None = None, scored: Sequence[Path] = ()) -> Twin:
    """The twin of every table of the paper.

    Args:
        folder: holds runs at any depth.
        rows: systems that stand for rows of the paper, or for rows of their own, beyond the usual ones.
        scored: files that `nextgpt-bench score --json` wrote; their rows get a table of their own.

    Raises:
        ReportError: no such folder, or no run in it.
        RecordError: a file of scored rows that can't be used.
    """
    found, left_out = read_evidence(folder, lambda run: run.results)
    runs = {key: entry for key, entry in found.items() if not entry.about.given}
    made = tuple(
        _table(number, cells, runs, rows or {}) for number, cells in tables(published_cells()).items()
    )
    shown = {
        id(entry.measured.evidence) for table in made for entry in table.entries.values() if entry.measured
    }
    elsewhere = [
        f"{entry.system} on {entry.benchmark}" + (", given the truth" if entry.about.given else "")
        for entry in found.values()
        if id(entry) not in shown
    ]
    read = [build(Result, row, path) for path in scored for row in read_json(path, list)]
    return Twin(made, tuple(read), tuple(elsewhere), tuple(left_out))


def _table(
    number_: int, cells: Sequence[Cell], runs: Mapping[tuple[str, str], Evidence], rows: Rows
) -> Table:
    entries = {entry_key(entry): entry for entry in (_entry(cell, runs, rows) for cell in cells)}
    for extra in _extras(list(entries.values()), runs, rows):
        entries.setdefault(entry_key(extra), extra)
    columns = _in_order({column for _, column in entries}, cells)
    remarks = [GENERAL]
    for column in columns:
        best, remark = _best([entry for entry in entries.values() if entry.column == column])
        if best is not None and best.measured is not None:
            entries[entry_key(best)] = replace(best, measured=replace(best.measured, best=True))
        remarks += [f"{column.heading}: {remark}."] if remark else []
    names = tuple(dict.fromkeys(row for row, _ in entries))
    return Table(number_, TITLES[number_], columns, names, entries, tuple(remarks))


def entry_key(entry: Entry) -> tuple[str, Column]:
    """Where a table holds an entry."""
    return entry.row, entry.column


def _column(cell: Cell, setting: Setting | None = None) -> Column:
    measure = links.measure_of(cell)
    return Column(cell.dataset, cell.metric, setting or cell.setting, cell.lower_is_better, measure)


def _entry(cell: Cell, runs: Mapping[tuple[str, str], Evidence], rows: Rows) -> Entry:
    """What is known of one published cell."""
    column = _column(cell)
    remarks = [cell.note[:1].upper() + cell.note[1:] + "."] if cell.note else []
    remarks += contradictions_of(cell)
    found = _measured(column, links.system_of(cell, rows), runs)
    if isinstance(found, str):
        if column.measure is not None and links.system_of(cell, rows) is None:
            found = links.NO_WEIGHTS if cell.setting == "fine-tuned" else links.NO_SYSTEM
        return Entry(
            column, cell.system, cell, None, Verdict("not run", found), (*remarks, f"{_capital(found)}.")
        )
    return Entry(column, cell.system, cell, found, judge(cell, found), (*remarks, *_remarks_on(found)))


def _extras(
    published: Sequence[Entry], runs: Mapping[tuple[str, str], Evidence], rows: Rows
) -> Iterable[Entry]:
    """Cells that the paper has no figure for: whoever else was run on the benchmarks of a table.

    Where nobody says a system's setting, it is unstated, and stands in no column of another.
    """
    taken = {id(entry.measured.evidence) for entry in published if entry.measured}
    for entry in published:
        cell, measure = entry.published, entry.column.measure
        if cell is None or measure is None:
            continue
        for (benchmark, system), run in runs.items():
            if benchmark != measure.benchmark or id(run) in taken:
                continue
            alone: list[RowKey] = [(system, "unstated")]
            for row, setting in [key for key, named in rows.items() if named == system] or alone:
                column = _column(cell, setting)
                found = _measured(column, system, runs)
                if isinstance(found, Measured):
                    verdict = Verdict("measured", "not in the paper")
                    yield Entry(column, row, None, found, verdict, tuple(_remarks_on(found)))


def _best(entries: Sequence[Entry]) -> tuple[Entry | None, str]:
    """The entry of a column that is to be set in bold, or None and why."""
    found = {id(each.evidence): each for entry in entries if (each := entry.measured)}
    values = [(each.evidence, each.value) for each in found.values() if each.value is not None]
    metrics = {each.metric for each in found.values()}
    if len(values) > 1 and len(metrics) > 1:
        return None, "no value is set in bold, for their metrics differ"
    column = entries[0].column
    if len(values) > 1 and column.measure and column.measure.part:
        return None, "no value is set in bold, for parts of a benchmark are not paired"
    lower = column.lower_is_better
    best, remark = separated_best(values, "".join(metrics), lower_is_better=lower)
    return next((each for each in entries if each.measured and each.measured.evidence is best), None), remark


def _measured(column: Column, system: str | None, runs: Mapping[tuple[str, str], Evidence]) -> Measured | str:
    """A run's value for a column, or why there is none."""
    measure = column.measure
    if measure is None:
        return links.UNNAMED_METRIC
    run = runs.get((measure.benchmark, system or ""))
    if run is None:
        return f"not run: no run of {system} on {measure.benchmark} here"
    if run.run.unscored:
        return f"not run to its end: {system} on {measure.benchmark} is {run.run.unscored}"
    names = sorted(measure.metrics, key=lambda name: name != run.about.headline)
    result = next((found for name in names if (found := run.result(name, measure.part))), None)
    if result is None:
        where = f"{measure.benchmark}, {measure.part}" if measure.part else measure.benchmark
        return f"not measured: the run of {system} on {where} has no {' or '.join(names)}"
    value, low, high = (
        None if each is None else each * measure.scale for each in (result.value, result.low, result.high)
    )
    rest = (result.n, result.failed, result.signature, result.method)
    return Measured(run, result.metric, value, low, high, *rest)


def judge(cell: Cell, measured: Measured) -> Verdict:
    """Whether the printed figure lies in the measured interval, give or take what printing rounded off."""
    if measured.value is None:
        return Verdict("undecided", f"no value: {measured.method}")
    if measured.low is None or measured.high is None:
        gap = cell.value - measured.value
        return Verdict("undecided", f"no interval; the print is {number(abs(gap))} {_side(gap)}", gap)
    gap = cell.value - min(max(cell.value, measured.low), measured.high)
    if abs(gap) <= cell.rounding:
        return Verdict("reproduced", "reproduced", 0.0)
    gap -= cell.rounding if gap > 0 else -cell.rounding
    return Verdict("outside", f"outside: the print is {number(abs(gap))} {_side(gap)} the interval", gap)


def scored_cells(result: Result) -> tuple[str, ...]:
    """A row of the table of what was scored from files, by `SCORED_COLUMNS`."""
    span = interval(result.low, result.high)
    value = (number(result.value), span or "–", str(result.n), str(result.failed), result.method)
    return (result.system, result.benchmark, metric_words(result.metric), result.slice or "", *value)


def _side(gap: float) -> str:
    return "above" if gap > 0 else "below"


def _remarks_on(measured: Measured) -> list[str]:
    """What a value is of, and what keeps it from being the last word."""
    about = measured.evidence.about
    found = [f"{about.system} on {about.benchmark}: n {measured.n}, {measured.signature}."]
    if about.limit is not None:
        found.append(f"Only the first {about.limit} samples of {about.benchmark} were run.")
    if measured.failed:
        found.append(
            f"{measured.failed} of {about.samples} samples of {about.benchmark} failed: {measured.method}."
        )
    return found


def _in_order(columns: Iterable[Column], cells: Sequence[Cell]) -> tuple[Column, ...]:
    """Columns as the paper orders data sets and metrics, the settings of one beside each other."""
    systems = [cell.system for cell in cells]
    # A row without gaps has the paper's order.
    cells = sorted(cells, key=lambda cell: -systems.count(cell.system))
    places = {(cell.dataset, cell.metric): place for place, cell in reversed([*enumerate(cells)])}
    order = {setting: place for place, setting in enumerate(SETTINGS)}
    return tuple(sorted(columns, key=lambda each: (places[each.dataset, each.metric], order[each.setting])))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
