"""A report on paper: one self-contained HTML file, the same as Markdown beside it, and JSON for programs.

What models and data sets say is foreign text. Every expression of a page is made visible and escaped, in
HTML unless it is `Markup` already, in Markdown unless it is `Verbatim`, so that no forgotten filter lets
markup through.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.storage import write_atomically, write_json
from metrics.metric import Estimate
from nextgpt.terminal import visible
from reports.comparison import Report
from reports.gallery import Picture
from reports.tables import (
    Verbatim,
    escape_markdown,
    interval,
    metric_words,
    number,
    p_value,
    percent,
    said,
    signed,
    undefined,
)
from reports.tabular import plain

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"

SECTIONS = (
    ("compared", "What was compared"),
    ("scores", "Scores"),
    ("people", "What people said"),
    ("metrics", "Every metric"),
    ("differences", "Paired differences"),
    ("slices", "Slices"),
    ("ablation", "Ablation, blind and deaf"),
    ("attribution", "Where the pipeline lost it"),
    ("failures", "What failed"),
    ("costs", "Cost and quality"),
    ("gallery", "Gallery"),
    ("samples", "Every sample"),
    ("repeat", "How to repeat"),
)


def write_pages(report: Report, page: Path) -> tuple[Path, Path]:
    """Write ``page`` (HTML) and, beside it, the same as Markdown with its pictures in a folder.

    Returns:
        The two files.

    Raises:
        RecordError: a file can't be written; names it, and what to do.
    """
    text = page.with_suffix(".md")
    pictures = media_folder(page)
    write_atomically(page, render_html(report).encode())
    write_atomically(text, render_markdown(report, pictures.name).encode())
    for picture in _pictures(report):
        if picture.inside:
            write_atomically(pictures / picture.file, picture.data)
    return page, text


def media_folder(page: Path) -> Path:
    """The folder beside a page that holds its media."""
    return page.parent / f"{page.stem}_media"


def render_html(report: Report) -> str:
    """The page, style and pictures included; it makes no request to anywhere."""
    from markupsafe import Markup

    style = Markup((TEMPLATES / "style.css").read_text())
    script, allowed = trusted_script("samples.js")
    template = page_environment().get_template("comparison.html.j2")
    rows = Markup(report.browser.json)  # escaped for a script element by itself
    return str(
        template.render(
            report=report, style=style, sections=SECTIONS, script=script, allowed=allowed, rows=rows
        )
    )


def write_page(report: object, template: str, page: Path, script: str = "") -> None:
    """Write a page of one template: its style inside, and at most one script of ours.

    Raises:
        RecordError: the file can't be written.
    """
    from markupsafe import Markup

    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    text, allowed = trusted_script(script) if script else (Markup(), "'none'")
    made = page_environment().get_template(template)
    write_atomically(
        page, str(made.render(report=report, style=style, script=text, allowed=allowed)).encode()
    )


def trusted_script(name: str) -> tuple[Markup, str]:
    """A script of ours for a page, and the source by which its policy lets that run and no other."""
    from markupsafe import Markup

    text = (TEMPLATES / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"'sha256-{digest}'"


def page_environment() -> Any:
    """Where templates of HTML pages are found, all of whose expressions are made visible and escaped."""
    return _environment(autoescape=True, finalize=_shown)


def render_markdown(report: Report, pictures: str) -> str:
    """The same page as Markdown (GitHub's dialect).

    Args:
        report: what to write.
        pictures: folder of the pictures, relative to the page.
    """
    environment = _environment(autoescape=False, finalize=_escaped)
    link = _verbatim(lambda picture: f"{pictures}/{picture.file}")
    return str(environment.get_template("comparison.md.j2").render(report=report, link=link))


def write_report_json(report: Report, path: Path, pages: Sequence[Path] = ()) -> None:
    """The report for programs: where its pages lie, every result, every comparison, every loss, every note.

    ``results``, ``differences`` and ``ablations`` are the rows of the report's frames; the others name the
    system, or the pipeline, that they are about. What has no finite value is null, and its method or its
    words say why. ``left_out`` names the runs that could not be read.

    Raises:
        RecordError: the file can't be written.
    """
    comparisons = plain(report.comparisons)
    value = {
        "command": report.command,
        "pages": list(map(str, pages)),
        "systems": [asdict(system) for system in report.systems],
        "results": report_rows(report),
        "differences": [row for row in comparisons if row["question"] == "baseline"],
        "ablations": [row for row in comparisons if row["question"] != "baseline"],
        "attribution": [
            {key: getattr(account, key) for key in ("benchmark", "metric", "pipeline", "rival")}
            | asdict(account.ladder)
            for account in report.attributions
        ],
        "failures": [asdict(failure) for failure in report.failures],
        "notes": list(report.notes),
        "left_out": list(report.left_out),
    }
    write_json(path, _finite(value))


def report_rows(report: Report) -> list[dict[str, Any]]:
    """Every result of a report, of benchmarks and of their slices: the rows of its frame."""
    return plain(report.results)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _environment(*, autoescape: bool, finalize: Callable[[Any], Any]) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=autoescape,
    )
    environment.filters.update(
        number=number, signed=signed, p_value=p_value, percent=percent, metric_words=metric_words
    )
    environment.filters.update(undefined=undefined)
    # For what a macro returns: it was escaped expression by expression.
    environment.filters.update(code=_code, verbatim=Verbatim)
    environment.globals.update(interval=interval, percent_interval=_percent_interval)
    return environment


def _percent_interval(share: Estimate) -> str:
    return f"{percent(share.low)} to {percent(share.high)}" if math.isfinite(share.low + share.high) else ""


def _pictures(report: Report) -> list[Picture]:
    exhibits = [exhibit for room in report.gallery for kind in room.kinds for exhibit in kind.samples]
    found = [
        picture
        for exhibit in exhibits
        for pictures in (
            exhibit.input.pictures,
            exhibit.reference.pictures,
            *(answer.pictures for answer in exhibit.answers),
        )
        for picture in pictures
    ]
    return [picture for picture in found if picture.uri]


def _shown(value: Any) -> Any:
    return value if hasattr(value, "__html__") else visible(value)


def _escaped(value: Any) -> str:
    return value if isinstance(value, Verbatim) else escape_markdown(value)


def _code(command: str) -> Verbatim:
    """A command for an indented block, where Markdown takes every character as it is."""
    return Verbatim(" ".join(said(command).split()))


def _verbatim(function: Callable[[Any], str]) -> Callable[[Any], Verbatim]:
    return lambda value: Verbatim(function(value))
