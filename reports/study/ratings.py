"""Sheets that came back: read in any of their forms, and refused by cell where they are broken.

A returned file is a page's JSON, a CSV file, a workbook, or the answers that the study's own server kept.
What is wrong with one of them is a complaint that names file, row and column; the others are read all the
same. A file that came twice counts once.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness.storage import RecordError, brief, parse_json, read_file
from nextgpt.terminal import visible
from reports.study.records import RETURNED, Answer, Study, Value, check_value
from reports.study.server import Store, read_served
from reports.study.sheets import COMMENT, FIXED

_LARGEST = 64 * 2**20  # bytes of a returned file, unpacked
_FORMAT = "nextgpt-answers/1"


@dataclass(frozen=True)
class Sheet:
    """What one rater sent.

    Attributes:
        rater: a number, and nothing else is known of a rater.
        source: the file's name.
        answers: by trial.
        seconds: time on a trial, where it is known.
        comments: by trial, where there is one.
    """

    rater: int
    source: str
    answers: Mapping[str, Answer]
    seconds: Mapping[str, float] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Returned:
    """All that came back.

    Attributes:
        sheets: one of each rater who sent one that can be used, by number.
        complaints: what is wrong with files, a line each; none of these files is used.
        remarks: what is worth knowing: files that came twice, trials without an answer.
    """

    sheets: tuple[Sheet, ...]
    complaints: tuple[str, ...]
    remarks: tuple[str, ...]


class SheetError(ValueError):
    """A returned file that can't be used; its message is a line per fault."""


def read_returned(study: Study) -> Returned:
    """Read all that lies in ``returned/``, and what the study's server kept."""
    folder = study.folder / RETURNED
    found: dict[int, list[Sheet]] = {}
    complaints, remarks = list[str](), list[str]()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith((".", "~$")):
            continue
        try:
            sheet = read_sheet(study, path)
        except (SheetError, RecordError) as error:
            complaints += [f"{path.name}: {line}" for line in str(error).splitlines()]
        else:
            found.setdefault(sheet.rater, []).append(sheet)
    for rater, answers, seconds, comments in read_served(study):
        found.setdefault(rater, []).append(Sheet(rater, "the study's server", answers, seconds, comments))
        if (browsers := Store(study).seats(rater)) > 1:
            remarks.append(f"rater {rater}: the link was used in {browsers} browsers; did it go to others?")
    sheets = []
    for rater, mine in sorted(found.items()):
        try:
            sheet, said = _one(mine)
        except SheetError as error:
            complaints.append(str(error))
            continue
        sheets.append(sheet)
        remarks += said
        missing = len(study.trials[rater - 1]) - len(sheet.answers)
        if missing:
            remarks.append(
                f"rater {rater}: {missing} of {len(study.trials[rater - 1])} trials have no answer"
            )
    return Returned(tuple(sheets), tuple(complaints), tuple(remarks))


def read_sheet(study: Study, path: Path) -> Sheet:
    """Read one returned file.

    Raises:
        SheetError: another study's, or broken; a line per fault, with its row and column.
        RecordError: it can't be read.
    """
    size = path.stat().st_size
    if not path.is_file() or size > _LARGEST:
        raise SheetError(f"{'no file' if not path.is_file() else f'{size:,} bytes'}; no sheet is like that")
    match path.suffix.lower():
        case ".json":
            return _from_json(study, path)
        case ".csv":
            text = _text(read_file(path))
            dialect = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
            try:
                table = list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect, strict=True))
            except csv.Error as error:
                raise SheetError(f"not a CSV file ({error}); save it as CSV again") from error
            return _from_table(study, path.name, table)
        case ".xlsx":
            return _from_table(study, path.name, list(_workbook(path)))
    raise SheetError(f"{path.suffix or 'no ending'}; a sheet comes back as .json, .csv or .xlsx")


def _one(sheets: Sequence[Sheet]) -> tuple[Sheet, list[str]]:
    """The one sheet of a rater of whom several came: the fullest, where none contradicts another."""
    fullest = max(sheets, key=lambda sheet: sum(map(len, sheet.answers.values())))
    remarks = []
    for sheet in sheets:
        if sheet is fullest:
            continue
        for trial, answer in sheet.answers.items():
            if any(fullest.answers.get(trial, {}).get(name) != value for name, value in answer.items()):
                raise SheetError(
                    f"rater {sheet.rater}: {sheet.source} and {fullest.source} answer trial {trial} "
                    f"differently; keep the one that counts"
                )
        remarks.append(
            f"rater {sheet.rater}: {sheet.source} holds no more than {fullest.source}; counted once"
        )
    return fullest, remarks


# --- the forms -----------------------------------------------------------------------------------


def _from_json(study: Study, path: Path) -> Sheet:
    try:
        record = parse_json(read_file(path))
    except RecordError:
        raise
    except ValueError as error:
        raise SheetError(f"not JSON ({error}); ask for the file again") from error
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise SheetError(f'no answers of a study ("format" is not {_FORMAT!r})')
    rater = _whose(study, record.get("study"), record.get("rater"))
    faults = list[str]()
    answers = {}
    given = record.get("answers")
    for trial, answer in (given if isinstance(given, dict) else {}).items():
        if isinstance(answer, dict):
            answers[trial] = answer
        else:
            faults.append(f"trial {brief(trial)}: answers by question are needed, got {brief(answer)}")
    checked = _check(study, rater, answers, lambda trial, name: f"trial {trial}, {name}", faults)
    return Sheet(
        rater, path.name, checked, _seconds(record.get("seconds")), _comments(record.get("comments"))
    )


def _from_table(study: Study, name: str, table: Sequence[Sequence[Any]]) -> Sheet:
    rows = [row for row in table if any(cell not in (None, "") for cell in row)]
    if len(rows) < 2:
        raise SheetError("no rows; is it another file?")
    header = [str(cell or "").strip() for cell in rows[0]]
    missing = [column for column in (*FIXED[:3],) if column not in header]
    if missing:
        raise SheetError(f"row 1: no column {missing[0]!r}; its header was changed")
    place = {column: header.index(column) for column in header}
    first = rows[1]
    rater = _whose(study, *(_cell(first, place[column]) for column in ("study", "rater")))
    outputs = {"left", "right", "answer"} | {field.split(" ")[-1] for field in _fields(study, rater)}
    known = {*FIXED, *outputs, *_fields(study, rater), COMMENT}
    faults = [
        f"row 1, column {_letter(n)}: {brief(c)} is no column of this study"
        for n, c in enumerate(header)
        if c and c not in known
    ]
    faults += [f"row 1: no column {brief(name)}" for name in _fields(study, rater) if name not in header]
    faults += [f"row 1: column {brief(name)} stands there twice" for name in known if header.count(name) > 1]
    answers: dict[str, Answer] = {}
    comments, where = {}, {}
    for number, row in enumerate(table, start=1):
        if number == 1 or not any(cell not in (None, "") for cell in row):
            continue
        trial = str(_cell(row, place["trial"]) or "").strip()
        owner = (str(_cell(row, place["study"]) or ""), str(_cell(row, place["rater"]) or ""))
        if owner != (study.id, str(rater)):
            faults.append(f"row {number}: of another study or rater ({brief(owner[0])}, {brief(owner[1])})")
            continue
        if trial in answers:
            faults.append(f"row {number}: trial {brief(trial)} stands there twice")
        answers[trial] = {
            field: value
            for field in _fields(study, rater)
            if field in place and (value := _cell(row, place[field])) not in (None, "")
        }
        where[trial] = number
        if COMMENT in place and _cell(row, place[COMMENT]):
            comments[trial] = _cell(row, place[COMMENT])
    absent = [trial.id for trial in study.trials[rater - 1] if trial.id not in answers]
    if absent:
        faults.append(f"{len(absent)} rows are missing, the first of trial {absent[0]}; send the whole sheet")

    def cell(trial: str, name: str) -> str:
        return f"row {where[trial]}, column {_letter(place[name]) if name in place else '?'} ({name})"

    checked = _check(study, rater, answers, cell, faults)
    return Sheet(rater, name, checked, {}, _comments(comments))


def _whose(study: Study, name: object, rater: object) -> int:
    """The rater whose sheet it is.

    Raises:
        SheetError: another study's, or of nobody in it.
    """
    if str(name) != study.id:
        raise SheetError(f"of another study ({brief(name)}, and this one is {study.id})")
    text = str(rater).strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= study.raters):
        raise SheetError(f"rater {brief(rater)} is none of the {study.raters} of this study")
    return int(text)


def _check(
    study: Study, rater: int, answers: Mapping[str, Any], where: Any, faults: list[str]
) -> dict[str, Answer]:
    """Every answer held against its scale; trials without any are left out.

    Raises:
        SheetError: the faults so far, and those found here.
    """
    trials = {trial.id: trial for trial in study.trials[rater - 1]}
    checked: dict[str, Answer] = {}
    for trial, answer in answers.items():
        if trial not in trials:
            faults.append(f"trial {brief(trial)} is none of rater {rater}'s")
            continue
        values: dict[str, Value] = {}
        for name, value in answer.items():
            if name not in trials[trial].fields:
                faults.append(f"trial {trial}: no question is called {brief(name)}")
                continue
            try:
                values[name] = check_value(study.criteria[trials[trial].fields[name]].scale, value)
            except ValueError as error:
                faults.append(f"{where(trial, name)}: {error}")
        if values and len(values) < len(trials[trial].fields):
            open_ = next(name for name in trials[trial].fields if name not in values)
            if not any(open_ in fault for fault in faults):
                faults.append(f"{where(trial, open_)}: empty, while the rest of the trial is answered")
        elif values:
            checked[trial] = values
    if faults:
        raise SheetError(visible("\n".join(faults)))
    return checked


def _workbook(path: Path) -> Iterator[Sequence[Any]]:
    """The rows of a returned workbook's sheet of answers.

    Raises:
        SheetError: no workbook, one that unpacks to far more than a sheet holds, or a formula in a cell.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                raise SheetError("unpacks to far more than a sheet holds")
        book = load_workbook(path, data_only=False)
        sheet = book["answers"]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError, ValueError, SyntaxError) as error:
        if isinstance(error, SheetError):
            raise
        raise SheetError(
            f"no workbook with a sheet 'answers' ({brief(str(error))}); save it again"
        ) from error
    faults = []
    rows = []
    for row in sheet.iter_rows():
        # What we wrote is text, whatever it begins with; a formula is of another type.
        faults += [
            f"row {cell.row}, column {cell.column_letter}: a formula, where a value is wanted"
            for cell in row
            if cell.data_type == "f"
        ]
        rows.append([cell.value for cell in row])
    if faults:
        raise SheetError("\n".join(faults))
    yield from rows


def _fields(study: Study, rater: int) -> list[str]:
    return list(study.trials[rater - 1][0].fields)


def _cell(row: Sequence[Any], place: int) -> Any:
    value = row[place] if place < len(row) else None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _letter(place: int) -> str:
    """The letter that a spreadsheet gives a column, from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetError(f"not UTF-8 (at byte {error.start:,}); save it as CSV UTF-8") from error


def _seconds(found: Any) -> dict[str, float]:
    pairs: Iterable[tuple[str, Any]] = found.items() if isinstance(found, dict) else ()
    return {t: float(s) for t, s in pairs if type(s) in (int, float) and 0 <= s < 1e7}


def _comments(found: Any) -> dict[str, str]:
    pairs: Iterable[tuple[str, Any]] = found.items() if isinstance(found, dict) else ()
    return {trial: visible(str(text))[:2000] for trial, text in pairs if text}
