"""Sheets that come back: every form, and everything that can be wrong with one."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from reports.study.making import Made
from reports.study.ratings import read_returned
from reports.study.records import Hidden, Value, read_study
from tests.reports.study.raters import answers, prefers, send_csv, send_json, send_xlsx, study_of


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return study_of(tmp_path / "study", "likert", raters=4)


def said(made: Made, rater: int) -> dict[str, dict[str, Value]]:
    return answers(made.study, made.key, rater, prefers())


def test_every_form_of_a_sheet_says_the_same(made: Made) -> None:
    study = read_study(made.study.folder)
    send_json(study, 1, said(made, 1))
    send_csv(study, 2, said(made, 2))
    send_xlsx(study, 3, said(made, 3))
    send_csv(study, 4, said(made, 4), delimiter=";")  # as spreadsheets of half of Europe write it
    returned = read_returned(study)
    assert returned.complaints == ()
    assert [sheet.rater for sheet in returned.sheets] == [1, 2, 3, 4]
    for sheet in returned.sheets:
        assert sheet.answers == said(made, sheet.rater)


def test_a_file_that_came_twice_counts_once(made: Made) -> None:
    whole = said(made, 1)
    send_json(made.study, 1, whole)
    send_json(made.study, 1, whole, "answers-1 (1).json")
    send_json(made.study, 1, dict(list(whole.items())[:5]), "half way.json")
    send_csv(made.study, 1, whole)
    returned = read_returned(made.study)
    (sheet,) = returned.sheets
    assert sheet.answers == whole
    assert sum("counted once" in remark for remark in returned.remarks) == 3


def test_two_files_that_contradict_each_other_are_refused_and_others_kept(made: Made) -> None:
    first = said(made, 1)
    trial = next(iter(first))
    send_json(made.study, 1, first)
    changed = {name: 6 - int(value) for name, value in first[trial].items()}
    send_json(made.study, 1, first | {trial: changed}, "other.json")
    send_json(made.study, 2, said(made, 2))
    returned = read_returned(made.study)
    assert [sheet.rater for sheet in returned.sheets] == [2]
    (complaint,) = returned.complaints
    assert f"answer trial {trial} differently" in complaint


def test_rows_that_are_missing_are_named(made: Made) -> None:
    path = send_csv(made.study, 1, said(made, 1))
    lines = list(csv.reader(io.StringIO(path.read_text(), newline="")))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([*lines[:3], *lines[5:]])
    (complaint,) = read_returned(made.study).complaints
    assert f"2 rows are missing, the first of trial {lines[3][2]}" in complaint


def test_a_column_that_is_not_the_study_s_is_named_by_its_letter(made: Made) -> None:
    path = send_csv(made.study, 1, said(made, 1))
    lines = list(csv.reader(io.StringIO(path.read_text(), newline="")))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[*lines[0], "my mood"], *([*line, "fine"] for line in lines[1:])])
    (complaint,) = read_returned(made.study).complaints
    assert f"row 1, column {chr(65 + len(lines[0]))}: 'my mood' is no column of this study" in complaint


@pytest.mark.parametrize("form", [send_csv, send_xlsx])
@pytest.mark.parametrize("wrong", [11, 0, 2.5, "six", True, "٣", 10**30])
def test_a_value_beyond_its_scale_is_refused_by_its_cell(form: Any, wrong: Any, tmp_path: Path) -> None:
    made = study_of(tmp_path / "study", "1to10", raters=2)

    def ten(hidden: Hidden, criterion: str) -> Value:
        return 10

    whole = answers(made.study, made.key, 1, ten)
    trial = made.study.trials[0][2].id
    form(made.study, 1, whole | {trial: {"conversion": wrong}})
    send_json(made.study, 2, answers(made.study, made.key, 2, ten))
    returned = read_returned(made.study)
    assert [sheet.rater for sheet in returned.sheets] == [2]
    (complaint,) = returned.complaints
    assert "row 4, column F (conversion): " in complaint
    assert complaint.endswith("is not an answer; give a whole number from 1 to 10")


def test_another_study_s_sheet_is_refused_by_name(made: Made, tmp_path: Path) -> None:
    other = study_of(tmp_path / "other", "likert", raters=4)
    path = send_csv(other.study, 1, said(other, 1))
    path.rename(made.study.folder / "returned" / "stray.csv")
    (complaint,) = read_returned(made.study).complaints
    assert complaint.startswith("stray.csv: of another study")
    assert other.study.id in complaint


def test_a_formula_in_a_workbook_is_refused_by_its_cell(made: Made) -> None:
    path = send_xlsx(made.study, 1, said(made, 1))
    book = load_workbook(path)
    book["answers"]["F3"] = "=1+2"
    book.save(path)
    (complaint,) = read_returned(made.study).complaints
    assert "row 3, column F: a formula" in complaint


def test_half_an_answer_is_refused_and_none_is_no_answer(made: Made) -> None:
    whole = said(made, 1)
    first, second, *_ = whole
    send_json(made.study, 1, whole | {first: {}, second: {"quality": 3}})
    (complaint,) = read_returned(made.study).complaints
    assert f"trial {second}, following: empty, while the rest of the trial is answered" in complaint
    send_json(made.study, 1, whole | {first: {}})
    returned = read_returned(made.study)
    assert first not in returned.sheets[0].answers
    assert returned.remarks == ("rater 1: 1 of 28 trials have no answer",)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b"[]", "no answers of a study"),
        ("a.csv", b"\xff\xfe\x00", "not UTF-8"),
        ("a.csv", b"", "no rows"),
        ("a.csv", b"name\nx\n", "no column 'study'"),
        ("a.xlsx", b"PK\x03\x04", "no workbook"),
        ("a.docx", b"", ".docx; a sheet comes back as .json, .csv or .xlsx"),
    ],
)
def test_a_file_that_is_no_sheet_is_named(made: Made, name: str, content: bytes, reason: str) -> None:
    (made.study.folder / "returned" / name).write_bytes(content)
    send_json(made.study, 2, said(made, 2))
    returned = read_returned(made.study)
    assert [sheet.rater for sheet in returned.sheets] == [2]
    assert any(complaint.startswith(name) and reason in complaint for complaint in returned.complaints)


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(made: Made) -> None:
    path = made.study.folder / "returned" / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x", "w") as inner:
        for _ in range(100):
            inner.write(bytes(2**20))
    (complaint,) = read_returned(made.study).complaints
    assert "unpacks to far more" in complaint


@pytest.mark.parametrize("rater", [0, 5, "1; DROP", None, "٣", 1.5])
def test_a_rater_whom_the_study_does_not_have_is_refused(made: Made, rater: Any) -> None:
    path = send_json(made.study, 1, said(made, 1))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rater": rater}))
    (complaint,) = read_returned(made.study).complaints
    assert "is none of the 4 of this study" in complaint
