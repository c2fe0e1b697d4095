"""How many people a study needs: said in words, and as rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from typer.testing import CliRunner

from reports.cli import app


def test_power_writes_what_it_prints(tmp_path: Path) -> None:
    rows, table = tmp_path / "rows.json", tmp_path / "rows.csv"
    counts = ["--raters", "10", "--raters", "20"]
    done = CliRunner().invoke(app, ["power", "0.1", *counts, "--json", str(rows), "--csv", str(table)])
    assert done.exit_code == 0, done.stderr
    found = json.loads(rows.read_text("utf-8"))
    assert [row["raters"] for row in found] == [10, 20]
    for row in found:
        assert f"{row['raters']:>4} raters  {row['items']:,} items" in done.stdout
    with table.open(encoding="utf-8", newline="") as file:
        assert [row["items"] for row in csv.DictReader(file)] == [str(row["items"]) for row in found]


def test_what_no_number_of_items_shows_is_null(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    done = CliRunner().invoke(app, ["power", "0.01", "--raters", "2", "--taste", "0.5", "--json", str(rows)])
    assert "no number of items is enough" in done.stdout
    assert [row["items"] for row in json.loads(rows.read_text("utf-8"))] == [None]


def test_power_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["power", "0.1", "--csv", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr
