"""The whole grid of input by output, for benchmarks that turn one medium into another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reports.evidence import Dossier
from reports.scores import Cell, SliceTable

EMPTY = "empty"
INPUTS = OUTPUTS = ("text", "image", "video", "audio")
_CELL = re.compile(r"(\w+)-to-(\w+)")


@dataclass(frozen=True)
class Grid:
    """What one system makes of each input in each output; what is never asked for is `EMPTY`.

    Attributes:
        benchmark: whose.
        metric: its headline.
        system: whose answers.
        wanted: the outputs, a column each.
        rows: for each input, its name and a cell for each output.
    """

    benchmark: str
    metric: str
    system: str
    wanted: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def grids(dossier: Dossier, tables: Sequence[SliceTable]) -> list[Grid]:
    """A grid for each benchmark all of whose slices say from what to what, and for each compared system."""
    found = []
    for table in tables:
        ends = [_CELL.fullmatch(row.slice) for row in table.rows]
        if not all(end and end[1] in INPUTS and end[2] in OUTPUTS for end in ends):
            continue
        rows = {row.slice: row for row in table.rows}
        for place, system in enumerate(dossier.main):
            cells = {name: row.cells[place] for name, row in rows.items()}
            lines = tuple(
                (given, tuple(cells.get(f"{given}-to-{wanted}", EMPTY) for wanted in OUTPUTS))
                for given in INPUTS
            )
            found.append(Grid(table.benchmark, table.metric, system, OUTPUTS, lines))
    return found
