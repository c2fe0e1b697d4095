"""What changed since the lines, and the start page over many runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness.expectations import expectation_of, write_expectation
from benchmarks.harness.records import find_runs
from reports.changes import build_changes
from reports.cli import main
from reports.evidence import ReportError
from reports.overview import build_overview
from tests.hostile import NAME, raw
from tests.reports.invented import play, right_below


@pytest.fixture
def then(tmp_path: Path) -> Path:
    """Runs of two systems, and their lines."""
    for name in ("steady", "falling"):
        play(tmp_path / "then", name, right_below(30))
    for run in find_runs(tmp_path / "then"):
        write_expectation(expectation_of(run), tmp_path / "expected")
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["nextgpt-report", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_what_fell_comes_first_with_the_samples_that_flipped(then: Path) -> None:
    play(then / "now", "steady", right_below(30))
    play(then / "now", "falling", right_below(10))
    play(then / "now", "new", right_below(10))
    report = build_changes(then / "now", then / "expected", before=then / "then", examples=3)
    assert [(c.result.system, c.verdict.kind, c.worse, c.better) for c in report.changes] == [
        ("falling", "short", 20, 0),
        ("steady", "holds", 0, 0),
    ]
    assert report.families == [("editing", [1, 0, 0, 1])]
    assert "among 2 held at once" in report.changes[0].verdict.words
    ((title, flips),) = report.changes[0].flips
    assert (title, len(flips)) == ("20 worse", 3)
    before, now = flips[0].sides
    assert (before.score, now.score) == ("1.000", "0.000")
    assert before.shown.texts[0].startswith("truth ")
    assert before.shown.pictures
    assert now.shown.pictures
    assert flips[0].input.pictures
    (missing,) = report.left_out
    assert "nothing is expected of new yet" in missing


def test_lines_that_fit_no_run_are_refused_by_name(then: Path) -> None:
    with pytest.raises(ReportError, match=r"no run here is held to a line in .*nothing is expected"):
        build_changes(then / "then", then / "nowhere")


def test_the_page_is_written_and_what_models_say_is_escaped(
    then: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(then / "now", "falling", right_below(10))
    assert call(monkeypatch, "changes", then / "now", "--expected", then / "expected") == 0
    out, _ = capsys.readouterr()
    assert "falling on invented: falls short" in out
    html = (then / "now" / "changes.html").read_text()
    assert "&lt;script&gt;alert" in html
    assert "<script" not in html
    assert "not at hand: --before names the runs of then" in html
    assert call(monkeypatch, "changes", then / "now", "--expected", then / NAME) == 1
    assert raw("".join(capsys.readouterr())) == []


def test_a_start_page_lists_every_run_and_leads_to_its_comparison(
    then: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "compare", then / "then") == 0
    play(then / "a & b", "unscored", right_below(30))
    (then / "a & b" / "unscored" / "invented" / "results.json").unlink()
    play(then / "broken", "broken", right_below(30))
    (then / "broken" / "broken" / "invented" / "run.json").write_text("{")
    assert call(monkeypatch, "index", then) == 0
    out, err = capsys.readouterr()
    assert "3 runs" in out
    assert "left out" in err
    html = (then / "index.html").read_text()
    assert html.count('href="then/comparison.html"') == 2
    assert "a &amp; b/unscored/invented" in html
    assert "not scored" in html
    assert html.count("<script") == 1


def test_a_folder_without_runs_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "index", tmp_path) == 1
    assert "no runs here; make some" in capsys.readouterr().err
    with pytest.raises(ReportError):
        build_overview(tmp_path / "nowhere", tmp_path / "index.html")
