"""Reports: runs -> pages, tables and plots for people.

>>> from pathlib import Path
>>> from reports import build_report, write_pages
>>> report = build_report(Path("runs"))  # doctest: +SKIP
>>> page, text = write_pages(report, Path("page.html"))  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.attribution import Attribution, attribute
    from reports.comparison import Report, build_report
    from reports.evidence import ReportError
    from reports.pages import render_html, render_markdown, write_pages, write_report_json

_WHERE = {
    "Attribution": "attribution",
    "Report": "comparison",
    "ReportError": "evidence",
    "attribute": "attribution",
    "build_report": "comparison",
    "render_html": "pages",
    "render_markdown": "pages",
    "write_pages": "pages",
    "write_report_json": "pages",
}

__all__ = [
    "Attribution",
    "Report",
    "ReportError",
    "attribute",
    "build_report",
    "render_html",
    "render_markdown",
    "write_pages",
    "write_report_json",
]


def __getattr__(name: str) -> Any:
    # Loaded when asked for, so that the command line answers --help at once.
    if name not in _WHERE:
        raise AttributeError(f"module 'reports' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"reports.{_WHERE[name]}"), name)
