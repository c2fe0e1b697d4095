"""Simulated raters who know how good each system is, and the sheets that they send back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import load_workbook

from reports.study.making import Made, make_study
from reports.study.material import Item, Material
from reports.study.protocols import NEVER, PROTOCOLS
from reports.study.records import Hidden, Key, Study, Trial, Value
from reports.study.sheets import write_sheets

Opinion = Callable[[Hidden, str], Value]
"""What a rater says to a trial, by what is hidden in it and the criterion."""


def material(systems: tuple[str, ...] = ("good", "fair", "bad"), items: int = 24) -> Material:
    """Items whose answers are the systems' names, as texts."""
    made = tuple(
        Item(
            "made-up",
            f"i{n}",
            (f"question {n}",),
            {name: (f"{name} says {n}",) for name in systems},
        )
        for n in range(items)
    )
    return Material(systems, made, ())


def study_of(folder: Path, design: str, *, raters: int = 5, items: int = 24, **changes: Any) -> Made:
    """A study, written."""
    made = make_study(folder, PROTOCOLS[design], material(items=items, **changes), raters=raters, seed=3)
    write_sheets(made)
    return made


def prefers(order: tuple[str, ...] = ("good", "fair", "bad"), noise: float = 0.0, seed: int = 0) -> Opinion:
    """Prefers systems in this order, with some noise."""
    rng = np.random.default_rng(seed)

    def opinion(hidden: Hidden, criterion: str) -> Value:
        worth = [-float(order.index(name)) + noise * rng.normal() for name in hidden.slots]
        if criterion == "preference":
            return "left" if worth[0] > worth[1] else "right"
        return int(np.clip(np.round(5 + worth[0]), 1, 5))

    return opinion


def answers(study: Study, key: Key, rater: int, opinion: Opinion) -> dict[str, dict[str, Value]]:
    """What a careful rater answers to every trial: checks as they ask."""

    def said(trial: Trial) -> dict[str, Value]:
        hidden = key.trials[trial.id]
        if hidden.kind == "check":
            return dict(hidden.expected)
        return {name: opinion(hidden, criterion) for name, criterion in trial.fields.items()}

    return {trial.id: said(trial) for trial in study.trials[rater - 1]}


def never(hidden: Hidden, criterion: str) -> Value:
    return NEVER


def send_json(
    study: Study, rater: int, said: Mapping[str, Any], name: str = "", seconds: float = 9.0
) -> Path:
    """The file that a page saves."""
    record = {
        "format": "nextgpt-answers/1",
        "study": study.id,
        "rater": rater,
        "answers": said,
        "seconds": dict.fromkeys(said, seconds),
        "comments": {},
    }
    path = study.folder / "returned" / (name or f"answers-{rater}.json")
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def send_csv(study: Study, rater: int, said: Mapping[str, Mapping[str, Value]], delimiter: str = ",") -> Path:
    """The rater's CSV file, filled in."""
    source = study.folder / "raters" / f"rater-{rater}" / "sheet.csv"
    rows = list(csv.reader(io.StringIO(source.read_text("utf-8-sig"), newline="")))
    header = rows[0]
    for row in rows[1:]:
        for name, value in said[row[header.index("trial")]].items():
            row[header.index(name)] = str(value)
    path = study.folder / "returned" / f"sheet-{rater}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def send_xlsx(study: Study, rater: int, said: Mapping[str, Mapping[str, Value]]) -> Path:
    """The rater's workbook, filled in."""
    book = load_workbook(study.folder / "raters" / f"rater-{rater}" / "sheet.xlsx")
    sheet = book["answers"]
    header = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        for name, value in said[str(row[header.index("trial")].value)].items():
            row[header.index(name)].value = value
    path = study.folder / "returned" / f"sheet-{rater}.xlsx"
    book.save(path)
    return path
