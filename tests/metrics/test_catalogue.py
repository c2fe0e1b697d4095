"""The page of all metrics: every public name is on it once, and it is the one that the code makes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import metrics
from metrics.catalogue import SECTIONS, named, page

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_every_public_name_is_on_the_page_once_and_no_other() -> None:
    counted = Counter(named())
    assert set(counted) == set(metrics.__all__)
    assert [name for name, count in counted.items() if count > 1] == []


def test_the_page_is_the_one_that_the_code_makes() -> None:
    again = "make it anew: from metrics.catalogue import write; write(Path('docs/metrics.md'))"
    assert PAGE.read_text(encoding="utf-8") == page(), again


@pytest.mark.parametrize(
    "entry", [each for entries in SECTIONS.values() for each in entries], ids=lambda e: e.names
)
def test_every_row_says_who_defined_it_and_what_it_can_be(entry: object) -> None:
    row = next(line for line in page().splitlines() if line.startswith("| `" + entry.names.split()[0] + "`"))  # type: ignore[attr-defined]
    cells = [cell.strip() for cell in row.strip("|").replace("\\|", "/").split("|")]
    assert len(cells) == 6
    assert all(cells)


def test_every_metric_class_says_which_way_is_better() -> None:
    rows = {
        line.split("`")[1]: line.split("|")[-3].strip()
        for line in page().splitlines()
        if line.startswith("| `")
    }
    kinds = [
        name
        for name in metrics.__all__
        if isinstance(getattr(metrics, name), type)
        and issubclass(getattr(metrics, name), metrics.Metric)
        and name not in ("Metric", "MeanMetric")
    ]
    undecided = [name for name in kinds if name in rows and rows[name] == "-"]
    assert undecided == []
