"""The published cells: all of them, as they are printed, with setting and doubts."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.registry import load_benchmark
from reports.paper import published
from reports.paper.links import LinkError, measure_of, parse_row
from reports.paper.published import CONTRADICTIONS, Cell, PublishedError, contradictions_of, published_cells

# Counted by hand in the paper's tables.
COUNTS = {2: 35, 3: 18, 4: 15, 5: 15, 8: 5, 9: 11, 10: 10, 11: 10, 12: 14, 13: 10, 14: 20, 15: 10, 16: 4}
REFERENCE = Path(__file__).resolve().parents[4] / "shared/reference/paper_results.csv"


def test_every_published_cell_is_there_with_its_setting() -> None:
    cells = published_cells()
    assert Counter(cell.table for cell in cells) == COUNTS
    assert len(cells) == sum(COUNTS.values()) == 177
    assert Counter(cell.setting for cell in cells) == {"unstated": 117, "zero-shot": 51, "fine-tuned": 9}
    keys = {(cell.table, cell.dataset, cell.metric, cell.system, cell.setting) for cell in cells}
    assert len(keys) == 177, "two cells stand in one place"
    assert sum(bool(cell.note) for cell in cells) == 32


@pytest.mark.skipif(not REFERENCE.exists(), reason=f"{REFERENCE} is not here")
def test_published_cells_are_those_that_were_read_from_the_paper() -> None:
    with REFERENCE.open(newline="") as file:
        read = [
            (int(row["table"]), row["system"], row["setting"], float(row["value"]), row["note"])
            for row in csv.DictReader(file)
        ]
    assert [(c.table, c.system, c.setting, c.value, c.note) for c in published_cells()] == read


def test_every_contradiction_touches_cells_and_no_other_paper_s_systems() -> None:
    for each in CONTRADICTIONS:
        assert any(each.touches(cell) for cell in published_cells()), each.words
    touched = {
        cell.printed for cell in published_cells() if "158.3 in Table 12" in " ".join(contradictions_of(cell))
    }
    assert touched == {"124.9", "158.3"}
    assert {"31.97", "30.96"} == {
        cell.printed
        for cell in published_cells()
        if "whose caption says" in " ".join(contradictions_of(cell))
    }


def test_every_cell_has_a_measure_unless_its_metric_has_no_name() -> None:
    for cell in published_cells():
        assert (measure_of(cell) is None) == (cell.metric == "unstated")


@pytest.mark.parametrize(("table", "scale"), [(2, 100.0), (11, 1.0), (12, 100.0)])
def test_cider_is_scaled_as_each_table_prints_it(table: int, scale: float) -> None:
    cell = next(cell for cell in published_cells() if (cell.table, cell.metric) == (table, "CIDEr"))
    measure = measure_of(cell)
    assert measure is not None
    assert measure.scale == scale


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("arXiv:2309.05519v3,2,t,d,m,higher,s,few-shot,1,", "line 2: another source, setting"),
        ("arXiv:2309.05519v3,2,t,d,m,sideways,s,unstated,1,", "line 2: another source, setting or direction"),
        ("arXiv:2309.05519v3,2,t,d,m,higher,s,unstated,many,", "line 2: could not convert"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: str
) -> None:
    path = tmp_path / "cells.csv"
    path.write_text(f"source,table,task,dataset,metric,better,system,setting,value,note\n{line}\n")
    monkeypatch.setattr(published, "FILE", path)
    with pytest.raises(PublishedError, match=words):
        published_cells.__wrapped__()


@pytest.mark.parametrize("text", ["", "x=y", "x@few-shot=y", "@unstated=y", "x@unstated", "x@unstated="])
def test_a_row_of_another_form_is_explained(text: str) -> None:
    with pytest.raises(LinkError, match="write ROW@SETTING=SYSTEM"):
        parse_row(text)


def test_rounding_is_half_a_unit_of_the_last_printed_digit() -> None:
    def rounding(printed: str) -> float:
        return Cell(1, "t", "d", "m", False, "s", "unstated", printed).rounding

    assert [rounding(printed) for printed in ("66.7", "1.80", "0.9240", "12")] == [0.05, 0.005, 0.00005, 0.5]


def test_benchmarks_that_are_registered_measure_what_the_cells_ask_for() -> None:
    asked = {
        (measure.benchmark, measure.metrics) for cell in published_cells() if (measure := measure_of(cell))
    }
    asked -= {("audiocaps", ("spider",))}  # SPIDEr needs SPICE's parser, which captioning runs do without
    for name, metrics in asked:
        if name in registry.BENCHMARKS:
            assert {use.name for use in load_benchmark(name).metrics} & set(metrics), (name, metrics)
