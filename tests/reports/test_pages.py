"""The page: self-contained, escaped, accessible; the same as Markdown and for programs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from reports.comparison import Report, build_report
from reports.pages import SECTIONS, render_html, render_markdown, write_pages, write_report_json
from tests.reports.invented import play, right_below

VOID = {"meta", "img", "br", "line", "circle", "rect", "path", "input"}


class Page(HTMLParser):
    """All elements of a page, checked to be properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def all(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module")
def report(runs: Path) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        from benchmarks import registry
        from tests.reports.invented import benchmark

        patch.setattr(registry, "benchmark_of_run", lambda made: benchmark(made.benchmark))
        return build_report(runs, command="nextgpt-report compare runs", examples=3)


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return render_html(report)


def test_what_a_model_says_is_escaped(html: str) -> None:
    page = Page(html)
    assert "&lt;script&gt;alert" in html
    assert not [tag for tag, _ in page.elements if tag in ("iframe", "object", "link")]
    # The rows of the browser, which no text of them ends, and the one script that the policy lets run.
    kinds = [attrs.get("type") for tag, attrs in page.elements if tag == "script"]
    assert kinds == ["application/json", None]
    rows, script = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    assert not set("<>&") & set(rows)
    assert "alert(" in rows
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [content for content in page.all("content") if "default-src" in content]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy.replace("style-src 'unsafe-inline'", "")
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert "\x00" not in html
    assert "\r" not in html
    html.encode("utf-8")


def test_the_page_asks_nothing_of_anyone(html: str) -> None:
    page = Page(html)
    assert all(source.startswith("data:image/") for source in page.all("src"))
    assert all(link.startswith("#") for link in page.all("href"))
    assert not re.search(r"url\((?!#)|@import|srcset", html)
    assert any("default-src 'none'" in content for content in page.all("content"))


def test_links_ids_labels_and_alternative_texts_hold(html: str) -> None:
    page = Page(html)
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in page.all("href")} <= set(ids)
    assert {name for names in page.all("aria-labelledby") for name in names.split()} <= set(ids)
    assert all(attrs.get("alt") for tag, attrs in page.elements if tag == "img")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_each_value_leads_to_the_command_the_hashes_and_the_answers_that_it_rests_on(
    report: Report, html: str, runs: Path
) -> None:
    values = re.findall(r'<a class="proof" href="#([^"]+)"><strong>', html)
    scored = [proof for proof in report.proofs if proof.files]
    assert len(scored) >= 2
    assert {f"run-{proof.system}-{proof.benchmark}" for proof in scored} == set(values)
    markdown = render_markdown(report, "m")
    for proof in scored:
        block = html.partition(f'<div id="run-{proof.system}-{proof.benchmark}">')[2].partition("</div>")[0]
        assert f"{proof.folder}/predictions.jsonl" in block
        assert f"nextgpt-bench verify {proof.folder}" in block
        assert escape(proof.command) in block
        assert [*proof.files] == ["predictions.jsonl", "scores.parquet", "results.json"]
        for name, digest in proof.files.items():
            assert hashlib.sha256((runs / proof.folder / name).read_bytes()).hexdigest() == digest
            assert digest in block
            assert f"{digest}  {proof.folder}/{name}" in markdown


def test_sections_come_in_their_order(html: str) -> None:
    assert re.findall(r'<section id="(\w+)">', html) == [
        anchor for anchor, _ in SECTIONS if anchor != "people"
    ]


def test_a_page_stays_small(html: str) -> None:
    assert len(html) < 5_000_000


def test_numbers_and_their_conditions_are_on_the_page(html: str) -> None:
    for text in ("exact_match|norm:none|v:1", "Nobody can be good at this.", "CC0 1.0", "28 failed"):
        assert text in html
    assert "nextgpt-tiny is better than caption-then-tool by 0.450" in html
    assert "corrected over 1 comparison." in html


def test_failures_alike_stand_together(report: Report) -> None:
    (failure,) = report.failures
    assert (failure.system, failure.stage, failure.count) == ("caption-then-tool", "plan", 28)
    assert failure.examples == "s12, s13, s14"


def test_markdown_is_the_same_page_without_a_way_out(report: Report) -> None:
    text = render_markdown(report, "page_media")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens for child in (token.children or [])]
    assert not [
        token for token in (*tokens, *inline) if token.type in ("html_block", "html_inline", "link_open")
    ]
    pictures = [str(token.attrs["src"]) for token in inline if token.type == "image"]
    assert pictures
    assert all(re.fullmatch(r"page_media/[0-9a-f]{16}\.(png|jpg)", source) for source in pictures)
    # Every row of a table has as many cells as its head: no answer opened a cell of its own.
    counts: list[int] = []
    for token in tokens:
        if token.type == "tr_open":
            counts.append(0)
        elif token.type in ("th_open", "td_open"):
            counts[-1] += 1
    assert len([t for t in tokens if t.type == "table_open"]) == text.count("\n| ---")
    assert 0 not in counts


def test_pages_are_written_side_by_side_and_again_alike(report: Report, tmp_path: Path) -> None:
    page, text = write_pages(report, tmp_path / "out" / "page.html")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {page, text} <= set(before)
    named = set(re.findall(r"page_media/([0-9a-f]+\.png)", text.read_text()))
    assert named == {path.name for path in (tmp_path / "out" / "page_media").iterdir()}
    write_pages(report, page)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_programs_get_the_same_numbers(report: Report, tmp_path: Path) -> None:
    write_report_json(report, tmp_path / "page.json")
    numbers = json.loads((tmp_path / "page.json").read_text())
    first = numbers["results"][0]
    assert {"benchmark", "system", "metric", "signature", "value", "low", "high", "n"} <= set(first)
    (difference,) = numbers["differences"]
    assert difference["difference"] == pytest.approx(0.45)
    assert difference["better"] == "nextgpt-tiny"
    assert [loss["samples"] for loss in numbers["attribution"][0]["losses"]] == [8, 12, 8]
    assert {row["second"] for row in numbers["ablations"]} == {"nextgpt-tiny-linear", "nextgpt-tiny-blind"}


def test_one_system_alone_makes_a_page_too(tmp_path: Path) -> None:
    play(tmp_path, "alone", right_below(10))
    report = build_report(tmp_path)
    assert "There is no second system to compare with" in render_html(report)
    assert "There is no second system to compare with" in render_markdown(report, "m")


def test_an_unfinished_run_is_shown_and_said_to_be(tmp_path: Path) -> None:
    play(tmp_path, "nextgpt-tiny", right_below(30))
    play(tmp_path, "caption-then-tool", right_below(10))
    (tmp_path / "caption-then-tool" / "invented" / "results.json").unlink()
    (tmp_path / "caption-then-tool" / "invented" / "scores.parquet").unlink()
    report = build_report(tmp_path)
    assert "Not scored; to be scored by the same command: caption-then-tool on invented." in report.notes
    assert "Not compared: exact match of caption-then-tool is not scored." in render_html(report)
