"""The twin as Markdown, LaTeX, HTML and CSV; foreign text is made visible, and escaped for where it goes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path

from benchmarks.harness.results import Result
from nextgpt.rows import harmless
from nextgpt.terminal import one_line
from reports.paper.latex import document
from reports.paper.twin import LEGEND, SCORED, SCORED_COLUMNS, Entry, Table, Twin, scored_cells
from reports.tables import escape_markdown, number

NAME = "paper"
_CSV_COLUMNS = (
    "table", "task", "dataset", "metric", "setting", "system", "published", "verdict", "gap", "measured",
    "low", "high", "n", "failed", "best", "benchmark", "run_of", "measured_metric", "signature", "remarks",
)  # fmt: skip


def markdown(twin: Twin) -> str:
    """GitHub's dialect: a heading, a table and its footnotes for each table of the paper."""
    lines = ["# The paper's tables, measured", "", escape_markdown(LEGEND), "", f"{twin.summary}.", ""]
    for table in twin.tables:
        sides = ("published", "measured")
        heads = ["system", *(f"{column.heading}, {side}" for column in table.columns for side in sides)]
        lines += [f"## Table {table.number}: {escape_markdown(table.title)}", ""]
        lines += [_line(heads), _line(["---"] * len(heads), str)]
        for row in table.rows:
            cells = [escape_markdown(row)]
            for column in table.columns:
                cells += _markdown_cells(table, table.entries.get((row, column)))
            lines.append(_line(cells, str))
        lines += ["", *(f"- {escape_markdown(remark)}" for remark in table.remarks)]
        lines += [f"- \\[{mark}\\] {escape_markdown(words)}" for words, mark in table.footnotes.items()]
        lines.append("")
    if twin.scored:
        lines += [f"## {SCORED}", "", _line([*SCORED_COLUMNS]), _line(["---"] * len(SCORED_COLUMNS), str)]
        lines += [*(_line([*scored_cells(result)]) for result in twin.scored), ""]
    for title, found in _rest(twin).items():
        lines += [f"## {title}", "", *(f"- {escape_markdown(one_line(each))}" for each in found), ""]
    return "\n".join(lines)


def html(twin: Twin) -> str:
    """One self-contained page that makes no request to anywhere."""
    from markupsafe import Markup

    from reports.pages import TEMPLATES, page_environment

    template = page_environment().get_template("paper.html.j2")
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    scored = (SCORED, SCORED_COLUMNS, [scored_cells(result) for result in twin.scored])
    return str(template.render(twin=twin, style=style, legend=LEGEND, scored=scored, rest=_rest(twin)))


def csv_text(twin: Twin) -> str:
    """A line for each cell, published or measured; no text of it is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    rows = [_fields(table, entry) for table in twin.tables for entry in table.entries.values()]
    for row in (*rows, *map(_scored_fields, twin.scored)):
        writer.writerow([harmless(one_line(cell)) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()


WRITERS: Mapping[str, Callable[[Twin], str]] = {
    ".md": markdown,
    ".tex": document,
    ".html": html,
    ".csv": csv_text,
}
"""What writes the twin, by the ending of its file."""


def write_all(twin: Twin, folder: Path) -> list[Path]:
    """Write the twin in every form; returns the files.

    Raises:
        RecordError: a file can't be written; names it, and what to do.
    """
    from benchmarks.harness.storage import write_atomically

    files = []
    for ending, write in WRITERS.items():
        files.append(folder / f"{NAME}{ending}")
        write_atomically(files[-1], write(twin).encode())
    return files


def differing(twin: Twin, path: Path) -> list[str]:
    """What of committed tables no longer follows from the runs, a line for each file; empty where all does.

    Args:
        twin: of the runs.
        path: one file of `write_all`, by whatever name, or the folder that holds some of them.

    Raises:
        RecordError: no such file, none of these kinds, or one that can't be read.
    """
    from benchmarks.harness.storage import RecordError, read_file

    files = [path]
    if path.is_dir():
        files = [file for ending in WRITERS if (file := path / f"{NAME}{ending}").exists()]
    if not files or any(file.suffix not in WRITERS for file in files):
        raise RecordError(
            f"{path}: holds no table that can be checked; name one of {', '.join(WRITERS)}, or their folder"
        )
    found = []
    for file in files:
        made, held = WRITERS[file.suffix](twin).encode().split(b"\n"), read_file(file).split(b"\n")
        if made != held:
            pairs = zip_longest(made, held)
            line = next(k for k, (one, other) in enumerate(pairs, start=1) if one != other)
            found.append(f"{file}: no longer follows from its runs, first in line {line}")
    return found


def _markdown_cells(table: Table, entry: Entry | None) -> list[str]:
    if entry is None:
        return ["", ""]
    printed = entry.published.printed if entry.published else "–"
    value = entry.verdict.kind if entry.measured is None else escape_markdown(number(entry.measured.value))
    if entry.measured and entry.measured.best:
        value = f"**{value}**"
    return [
        escape_markdown(printed),
        " ".join(filter(None, (value, escape_markdown(entry.beside), escape_markdown(_marks(table, entry))))),
    ]


def _marks(table: Table, entry: Entry) -> str:
    return f"[{', '.join(map(str, found))}]" if (found := table.marks(entry)) else ""


def _line(cells: list[str], write: Callable[[str], str] = escape_markdown) -> str:
    return f"| {' | '.join(map(write, cells))} |"


def _rest(twin: Twin) -> dict[str, tuple[str, ...]]:
    """What stands in no table, by the heading that it gets."""
    found = {"Runs that stand in no table of the paper": twin.elsewhere, "Left out": twin.left_out}
    return {title: lines for title, lines in found.items() if lines}


def _scored_fields(result: Result) -> list[str | float | int | None]:
    """The line of the CSV of what was scored from a file of another program's."""
    known: list[str | float | int | None] = ["scored", "", "", "", "", result.system, None, "measured", None]
    known += [result.value, result.low, result.high, result.n, result.failed]
    return [*known, "", result.benchmark, result.system, result.metric, result.signature, result.method]


def _fields(table: Table, entry: Entry) -> list[str | float | int | None]:
    column, cell, run = entry.column, entry.published, entry.measured
    benchmark = column.measure.benchmark if column.measure else ""
    known = [
        table.number,
        cell.task if cell else "",
        column.dataset,
        column.metric,
        column.setting,
        entry.row,
    ]
    known += [cell.value if cell else None, entry.verdict.kind, entry.verdict.gap]
    found = [None] * 5 if run is None else [run.value, run.low, run.high, run.n, run.failed]
    said = ["", benchmark, "", "", ""]
    if run is not None:
        said = ["best" if run.best else "", benchmark, run.evidence.system, run.metric, run.signature]
    return [*known, *found, *said, " ".join(entry.remarks)]
