"""Runs whose every word is hostile: the summary and the pages show it and obey nothing."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from benchmarks.harness.records import read_run
from reports.cli import main
from tests.hostile import HOSTILE, NAME, raw

# What a run is found and compared by; these fields get the same words in every file.
KEPT = ("metric", "headline", "family", "slice", "sample", "role")


def tampered(value: Any, key: str = "") -> Any:
    """A record with hostile words behind each of its texts."""
    if isinstance(value, dict):
        return {name: tampered(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [tampered(item, key) for item in value]
    return value + HOSTILE if isinstance(value, str) and key not in KEPT else value


def tamper(run: Path) -> None:
    for name in ("run.json", "results.json"):
        path = run / name
        path.write_text(json.dumps(tampered(json.loads(path.read_text()))))
    path = run / "predictions.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        for part in record.get("message", {}).get("parts", ()):
            part.update({key: value + HOSTILE for key, value in part.items() if key == "text"})
        if "error" in record:
            record["error"] = tampered(record["error"])
        for words in (record.get("message", record), record):
            words["steps"] = [[HOSTILE, HOSTILE]]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    (run / "scored.json").write_text(json.dumps(read_run(run).seal()))


@pytest.fixture
def hostile(runs: Path, tmp_path: Path) -> Path:
    """A folder of runs, tampered with."""
    folder = tmp_path / "runs"
    shutil.copytree(runs, folder)
    for path in folder.rglob("run.json"):
        tamper(path.parent)
    return folder


class Attributes(HTMLParser):
    """Collects the values of all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.values += [value or "" for _, value in attrs]


def compare(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr("sys.argv", ["nextgpt-report", "compare", *map(str, words)])
    with pytest.raises(SystemExit):
        main()


def test_summary_and_pages_show_hostile_words_and_obey_none(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(monkeypatch, hostile, "--json", hostile / "numbers.json")
    out, err = capsys.readouterr()
    assert err == ""
    assert "[bold]b[/bold]" in out
    assert raw(out) == []
    html = (hostile / "comparison.html").read_text(encoding="utf-8")
    page = Attributes(html)
    assert any("\\x1b]0;owned" in value for value in page.values)
    assert not {"iframe", "object"} & page.tags
    assert html.lower().count("<script") == 2  # our rows, and our script
    assert [value for value in page.values if raw(value)] == []
    assert raw(html) == []
    markdown = (hostile / "comparison.md").read_text(encoding="utf-8")
    assert raw(markdown) == []
    shown = MarkdownIt("commonmark").enable("table").render(markdown)
    assert "\\x1b]0;owned" in shown
    assert "<a " not in shown
    assert json.loads((hostile / "numbers.json").read_text(encoding="utf-8"))["results"]


@pytest.mark.parametrize(
    "words", [(NAME,), (".", "--out", f"{NAME}.pdf"), (".", "--baseline", NAME), (".", f"--{NAME}")]
)
def test_mistakes_are_shown_and_not_obeyed(
    words: tuple[str, ...],
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(runs)
    compare(monkeypatch, *words)
    shown = "".join(capsys.readouterr())
    assert "\\x1b]0;owned" in shown
    assert raw(shown) == []
