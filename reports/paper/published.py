"""The published cells: every figure that can be read in the paper's tables, with its setting and its doubts.

``cells.csv`` holds them, a line each: facts, and nothing that this project measured. A cell's setting is
``zero-shot``, ``fine-tuned``, or ``unstated`` where the paper does not say; its note says what is uncertain
about that one figure. What cells say about each other is in `CONTRADICTIONS`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

FILE = Path(__file__).with_name("cells.csv")
PAPER = "arXiv:2309.05519v3"

Setting = Literal["zero-shot", "fine-tuned", "unstated"]
SETTINGS: tuple[Setting, ...] = get_args(Setting)


class PublishedError(ValueError):
    """A line of the published cells that makes no sense; names file and line."""


@dataclass(frozen=True)
class Cell:
    """One published figure.

    Attributes:
        table: number of the paper's table.
        task, dataset, metric, system: as the paper names them; `metric` is ``unstated`` where it does not.
        lower_is_better: the direction of improvement.
        setting: see the module.
        printed: the figure as it is printed, which says how far it was rounded.
        note: what is uncertain about it; empty where nothing is.
    """

    table: int
    task: str
    dataset: str
    metric: str
    lower_is_better: bool
    system: str
    setting: Setting
    printed: str
    note: str = ""

    @property
    def value(self) -> float:
        """The figure."""
        return float(self.printed)

    @property
    def rounding(self) -> float:
        """How far the unrounded figure may be from the printed one.

        >>> Cell(2, "image-qa", "VQAv2", "accuracy", False, "NExT-GPT", "zero-shot", "66.7").rounding
        0.05
        """
        return 0.5 * float(10 ** -len(self.printed.partition(".")[2]))


@dataclass(frozen=True)
class Contradiction:
    """Something that the paper says twice and differently, or leaves open, and the cells that it touches.

    Attributes:
        words: what it is, for a footnote.
        tables: whose cells it touches.
        datasets, metrics: of these cells; empty for all.
        systems: how their systems' names begin; empty for all.
    """

    words: str
    tables: tuple[int, ...]
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()

    def touches(self, cell: Cell) -> bool:
        """Whether it is about this cell."""
        return (
            cell.table in self.tables
            and (not self.datasets or cell.dataset in self.datasets)
            and (not self.metrics or cell.metric in self.metrics)
            and (not self.systems or cell.system.startswith(self.systems))
        )


_OURS = ("NExT-GPT",)

CONTRADICTIONS = (
    Contradiction(
        "COCO CIDEr of NExT-GPT is 124.9 in Table 2 (zero-shot) and 158.3 in Table 12 (setting unstated).",
        (2, 12),
        ("COCO",),
        ("CIDEr",),
        _OURS,
    ),
    Contradiction(
        "CLIPSIM 31.97 stands in Table 4 in the row that is not zero-shot, where the zero-shot row reads "
        "30.96, and in Table 9, whose caption says zero-shot.",
        (4, 9),
        ("MSR-VTT",),
        ("CLIPSIM",),
        _OURS,
    ),
    Contradiction(
        "AudioCaps captioning of NExT-GPT is 81.3 in Table 3 (fine-tuned, metric unnamed), the same 81.3 in "
        "the ablation of Table 5 (setting unstated), and CIDEr 0.807 in Table 11.",
        (3, 5, 11),
        ("AudioCaps",),
        ("unstated", "CIDEr"),
        _OURS,
    ),
    Contradiction(
        "COCO FID of NExT-GPT is 10.07 in Table 4 (fine-tuned) and 11.18 in Table 8 (setting unstated); the "
        "frozen Stable Diffusion that it draws with is quoted at 11.21.",
        (4, 8),
        ("COCO-caption",),
        ("FID",),
        ("NExT-GPT", "SD"),
    ),
    Contradiction(
        "Sample count, resolution and feature extractor of this distance or score are stated nowhere.",
        (4, 8, 9, 10, 14),
        (),
        ("FID", "FAD", "FD", "CLIPSIM", "FID (object)", "FID (background)"),
    ),
    Contradiction(
        "The published recipe trains on AudioCaps' validation and test clips too: contaminated.",
        (3, 4, 5, 10, 11),
        ("AudioCaps",),
        (),
        _OURS,
    ),
)
"""Where the paper contradicts itself, or leaves open what a figure depends on."""

GENERAL = "Figures of other systems are copied from other papers, whose protocols differ from each other."
"""True of every table."""


@cache
def published_cells() -> tuple[Cell, ...]:
    """Every published cell, in the paper's order.

    Raises:
        PublishedError: a line that makes no sense.

    >>> len(published_cells())
    177
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        return tuple([_cell(row, f"{FILE.name}, line {reader.line_num}") for row in reader])


def contradictions_of(cell: Cell) -> list[str]:
    """What the paper says elsewhere against a cell, or leaves open about it; its own note is not repeated.

    >>> cells = published_cells()
    >>> [len(contradictions_of(cell)) for cell in cells if (cell.table, cell.metric) == (12, "CIDEr")]
    [0, 0, 0, 0, 1]
    """
    return [each.words for each in CONTRADICTIONS if each.touches(cell)]


def tables(cells: Iterable[Cell]) -> dict[int, list[Cell]]:
    """Cells by the number of their table, in order."""
    found: dict[int, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.table, []).append(cell)
    return found


def _cell(row: dict[str, str], where: str) -> Cell:
    setting = next((each for each in SETTINGS if each == row["setting"]), None)
    if setting is None or row["better"] not in ("higher", "lower") or row["source"] != PAPER:
        raise PublishedError(f"{where}: another source, setting or direction than any that is known")
    try:
        cell = Cell(
            int(row["table"]),
            row["task"],
            row["dataset"],
            row["metric"],
            row["better"] == "lower",
            row["system"],
            setting,
            row["value"],
            row["note"],
        )
        float(cell.printed)
    except ValueError as error:
        raise PublishedError(f"{where}: {error}") from error
    return cell
