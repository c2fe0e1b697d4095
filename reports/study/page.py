"""A study's result as a page of its own; the comparison page shows the same beside automatic scores."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.storage import write_atomically
from reports.pages import TEMPLATES, page_environment
from reports.study.analysis import Result


def write_page(path: Path, result: Result) -> Path:
    """Write the page, style included.

    Raises:
        RecordError: the disk is full or fails.
    """
    from markupsafe import Markup

    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    template = page_environment().get_template("study.html.j2")
    write_atomically(path, str(template.render(study=result, style=style)).encode())
    return path
