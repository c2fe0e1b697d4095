"""Answers that are markup, script, formulas, commands or endless: shown on every sheet, obeyed on none."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import load_workbook

from nextgpt.terminal import visible
from reports.study.making import make_study
from reports.study.material import Item, Material
from reports.study.protocols import PROTOCOLS
from reports.study.ratings import read_returned
from reports.study.sheets import write_sheets
from tests.hostile import HOSTILE, raw
from tests.reports.study.raters import answers, prefers, send_csv, send_json, send_xlsx

ATTACKS = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)><!--",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\n+1+1",
    visible(HOSTILE),
    "x" * 100_000,
    "עברית \u202e gnp.exe",
    "&lt;b&gt;\u2028{{data}}",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    items = tuple(
        Item("made-up", f"i{n}", (text,), {"good": (text,), "bad": (f"{text}!",)})
        for n, text in enumerate(ATTACKS)
    )
    study = tmp_path / "study"
    made = make_study(study, PROTOCOLS["pairwise"], Material(("good", "bad"), items, ()), raters=3)
    write_sheets(made)
    for rater, send in ((1, send_json), (2, send_csv), (3, send_xlsx)):
        send(made.study, rater, answers(made.study, made.key, rater, prefers(("good", "bad"))))
    assert read_returned(made.study).complaints == ()
    return study


class Page(HTMLParser):
    """The scripts and tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["script"] and data.strip():
            self.scripts.append(data)


def test_a_page_holds_answers_as_data_and_nothing_else(folder: Path) -> None:
    page = Page((folder / "raters" / "rater-1" / "sheet.html").read_text("utf-8"))
    assert page.tags.count("script") == 2
    assert "img" not in page.tags
    shown = json.loads(page.scripts[0])
    texts = {trial["asked"][0]["text"] for trial in shown["trials"]}
    assert set(ATTACKS) <= texts  # nothing is lost, the hundred thousand characters neither
    assert not re.search(r"\.innerHTML|insertAdjacentHTML|document\.write|\beval\(", page.scripts[1])


def test_no_cell_of_a_csv_file_is_a_formula(folder: Path) -> None:
    text = (folder / "raters" / "rater-1" / "sheet.csv").read_text("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert any("=cmd|" in cell for cell in cells)
    assert [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@|")] == []


def test_no_cell_of_a_workbook_is_a_formula_or_longer_than_a_cell(folder: Path) -> None:
    book = load_workbook(folder / "raters" / "rater-1" / "sheet.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert any("=cmd|" in str(cell.value) for cell in cells)
    assert {cell.data_type for cell in cells} == {"s"}
    assert max(len(str(cell.value)) for cell in cells) <= 32_767
    assert any("more characters; see sheet.html" in str(cell.value) for cell in cells)
    assert [
        cell.value for cell in cells if raw(str(cell.value).replace("\u2028", "").replace("\u202e", ""))
    ] == []
    assert not book.properties.creator


def test_a_workbook_offers_the_answers_and_locks_the_rest(folder: Path) -> None:
    book = load_workbook(folder / "raters" / "rater-1" / "sheet.xlsx")
    sheet = book["answers"]
    (rule,) = sheet.data_validations.dataValidation
    assert rule.formula1 == '"left,right,tie,both bad"'
    header = [cell.value for cell in sheet[1]]
    place = header.index("preference")
    assert (
        str(rule.sqref) == f"{sheet[2][place].column_letter}2:{sheet[2][place].column_letter}{sheet.max_row}"
    )
    assert sheet.protection.sheet
    assert [cell.protection.locked for cell in sheet[2]].count(False) == 2  # the answer and the comment


def test_no_sheet_asks_who_a_rater_is_and_no_record_says_it(folder: Path) -> None:
    page = (folder / "raters" / "rater-1" / "sheet.html").read_text("utf-8")
    assert not re.search(r'name="(name|email|address)"|type="email"|navigator\.', page)
    kept = json.loads((folder / "study.json").read_text())
    assert set(kept) == {"study", "protocol", "systems", "items", "commitment", "trials"}
