"""Sheets for raters: a page that needs no network, a workbook and a CSV file, in a folder for each."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from benchmarks.harness.storage import disk, to_json, write_atomically
from nextgpt.rows import harmless
from reports.study.design import StudyError
from reports.study.making import Made, Page
from reports.study.material import Exhibit, Shown
from reports.study.protocols import SIDES, Protocol, Scale
from reports.study.records import RATERS, RETURNED, SERVED, STUDY, Study, write_study

TEMPLATES = Path(__file__).parent / "templates"
MEDIA, PAGE, SHEET = "media", "sheet.html", "sheet"
FIXED = ("study", "rater", "trial", "asked")
COMMENT = "comment"
MOST_CELL = 32_000  # characters; a cell of a workbook holds 32,767
Media = Literal["inside", "beside"]


def write_sheets(made: Made, media: Media = "inside") -> list[Path]:
    """Write a study: its own two files, and for each rater a folder to hand over.

    Args:
        made: the study.
        media: whether a page holds its pictures, clips and sounds, or shows those that lie beside it.

    Returns:
        The raters' folders.

    Raises:
        StudyError: a study lies there already.
        RecordError: the disk is full or fails.
    """
    study = made.study
    if (study.folder / STUDY).exists():
        raise StudyError(
            f"{study.folder}: a study lies here already, and raters may have its sheets; choose another"
        )
    folders = []
    for rater, pages in enumerate(made.pages, start=1):
        folder = study.folder / RATERS / f"rater-{rater}"
        shelf = _Shelf(folder, made.key.nonce)
        shown = [_trial(page, shelf.add) for page in pages]
        data = page_data(study, rater, shown)
        inside = shelf.inlined(data) if media == "inside" else data
        write_atomically(folder / PAGE, render_page(inside).encode())
        write_atomically(study.folder / SERVED / f"{rater}.json", to_json(data))
        table = _rows(study, rater, pages, shelf.add)
        write_atomically(folder / f"{SHEET}.csv", _csv(table))
        write_atomically(folder / f"{SHEET}.xlsx", _workbook(study.protocol, table))
        folders.append(folder)
    with disk(study.folder / RETURNED):
        (study.folder / RETURNED).mkdir(parents=True, exist_ok=True)
    write_study(study, made.key)
    return folders


def page_data(
    study: Study, rater: int, trials: Sequence[Mapping[str, Any]], post: str = ""
) -> dict[str, Any]:
    """All that a page knows; `post` is where it sends answers, empty for a page that keeps them."""
    protocol = study.protocol
    return {
        "study": study.id,
        "commitment": study.commitment,
        "rater": rater,
        "title": protocol.title,
        "instructions": protocol.instructions,
        "layout": protocol.layout,
        "criteria": [asdict(criterion) for criterion in protocol.criteria],
        "sides": list(SIDES),
        "trials": list(trials),
        "post": post,
    }


def render_page(data: Mapping[str, Any]) -> str:
    """A rater's page. What it shows is data to it, set as text by its script: no output can become markup."""
    script = (TEMPLATES / "rater.js").read_text(encoding="utf-8")
    # Inside a script element only these could end it or start a comment.
    held = (
        json.dumps(data, ensure_ascii=True)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        (TEMPLATES / "rater.html")
        .read_text(encoding="utf-8")
        .replace("{{hash}}", digest)
        .replace("{{style}}", (TEMPLATES / "rater.css").read_text(encoding="utf-8"))
        .replace("{{script}}", script)
        .replace("{{data}}", held)
    )


class _Shelf:
    """Keeps media of one rater in files whose names tell nothing."""

    def __init__(self, folder: Path, nonce: str) -> None:
        self._folder, self._nonce = folder, nonce
        self._uris: dict[str, str] = {}

    def add(self, exhibit: Exhibit) -> str:
        digest = hashlib.sha256(self._nonce.encode() + exhibit.data).hexdigest()[:16]
        name = f"{MEDIA}/{digest}{exhibit.ending}"
        if name not in self._uris:
            write_atomically(self._folder / name, exhibit.data)
            self._uris[name] = f"data:{exhibit.mime};base64,{base64.b64encode(exhibit.data).decode()}"
        return name

    def inlined(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The page's data with the media themselves, each once."""
        return {**data, "media": self._uris}


def _trial(page: Page, add: Callable[[Exhibit], str]) -> dict[str, Any]:
    def parts(shown: Shown) -> list[dict[str, str]]:
        return [{"text": p} if isinstance(p, str) else {"kind": p.kind, "src": add(p)} for p in shown]

    return {
        "id": page.trial.id,
        "fields": dict(page.trial.fields),
        "asked": parts(page.asked),
        "outputs": [{"label": label, "parts": parts(shown)} for label, shown in page.outputs],
    }


# --- tables --------------------------------------------------------------------------------------


def _rows(study: Study, rater: int, pages: Sequence[Page], add: Callable[[Exhibit], str]) -> list[list[str]]:
    """A header and a row for each trial, its answers empty."""

    def words(shown: Shown) -> str:
        return "\n".join(part if isinstance(part, str) else add(part) for part in shown)

    labels = [label for label, _ in pages[0].outputs]
    fields = list(pages[0].trial.fields)
    header = [*FIXED, *labels, *fields, COMMENT]
    rows = [header]
    for page in pages:
        outputs = [words(shown) for _, shown in page.outputs]
        told = [study.id, str(rater), page.trial.id, words(page.asked), *outputs]
        rows.append([*told, *("" for _ in fields), ""])
    return rows


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[harmless(text) for text in row] for row in rows])
    return out.getvalue().encode("utf-8-sig", errors="backslashreplace")


def _workbook(protocol: Protocol, rows: Sequence[Sequence[str]]) -> bytes:
    """The table with a drop-down in each answer, everything else locked, and the instructions beside it."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.properties.creator = ""
    sheet = book.active
    sheet.title = "answers"
    criteria = {criterion.name: criterion for criterion in protocol.criteria}
    header = list(rows[0])
    answered = {
        column: criteria[_criterion(name, criteria)]
        for column, name in enumerate(header, start=1)
        if column > len(FIXED) and _criterion(name, criteria)
    }
    soft = PatternFill("solid", fgColor="FFF7E0")
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            _set_text(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if number == 1:
                cell.font = Font(bold=True)
            elif column in answered or column == len(header):
                cell.protection, cell.fill = Protection(locked=False), soft
    for column, criterion in answered.items():
        letter = get_column_letter(column)
        rule = _validation(criterion.scale)
        rule.add(f"{letter}2:{letter}{len(rows)}")
        sheet.add_data_validation(rule)
    for column in range(1, len(header) + 1):
        wide = len(FIXED) <= column < len(header) and column not in answered
        sheet.column_dimensions[get_column_letter(column)].width = 44 if wide else 14
    sheet.freeze_panes = "A2"
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False
    _explain(book.create_sheet("read me first", 0), protocol)
    book.active = 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _criterion(name: str, criteria: Mapping[str, Any]) -> str:
    """The criterion that a column answers, empty where it answers none."""
    return next((each for each in criteria if name == each or name.startswith(f"{each} ")), "")


def _set_text(cell: Any, text: str) -> None:
    """Put text into a cell as text, whatever it begins with."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    clean = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)
    clean = clean.encode(errors="replace").decode()
    if len(clean) > MOST_CELL:
        clean = f"{clean[:MOST_CELL]} … ({len(clean) - MOST_CELL:,} more characters; see {PAGE})"
    if clean:
        cell.value = clean
        cell.data_type = "s"
        cell.quotePrefix = True


def _validation(scale: Scale) -> Any:
    from openpyxl.worksheet.datavalidation import DataValidation

    if scale.kind == "moment":  # a number or a word: no drop-down has both
        return DataValidation(type=None, showInputMessage=True, prompt=scale.words, promptTitle="answer")
    if scale.kind == "points" and scale.most - scale.least > 20:
        rule = DataValidation(
            type="whole", operator="between", formula1=str(scale.least), formula2=str(scale.most)
        )
    else:
        values = SIDES if scale.kind == "choice" else range(scale.least, scale.most + 1)
        rule = DataValidation(type="list", formula1=f'"{",".join(map(str, values))}"')
    rule.allow_blank, rule.showErrorMessage, rule.error = True, True, f"Please give {scale.words}."
    return rule


def _explain(sheet: Any, protocol: Protocol) -> None:
    from openpyxl.styles import Alignment, Font

    lines = [protocol.title, protocol.instructions, ""]
    for criterion in protocol.criteria:
        lines += [f"{criterion.name}: {criterion.question}"]
        lines += [f"    {point} = {words}" for point, words in criterion.scale.anchors.items()]
        lines += [] if criterion.scale.anchors else [f"    {criterion.scale.words}"]
    lines += ["", "Fill in the coloured cells of the sheet 'answers', save the file and send it back."]
    for number, line in enumerate(lines, start=1):
        cell = sheet.cell(number, 1, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=number == 1, size=14 if number == 1 else 11)
    sheet.column_dimensions["A"].width = 100
    sheet.protection.sheet = True
