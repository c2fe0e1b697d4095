"""A run that can't be read spoils no page; what has no value says why; errors of the disk name the file."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import tables
from benchmarks.harness.benchmark import MetricUse
from benchmarks.harness.records import read_run, write_scored
from metrics.metric import Comparison
from metrics.statistics import ALONE
from reports.attribution import attribute_runs
from reports.cli import app
from reports.comparison import build_report
from reports.differences import conclude, difference_plots
from reports.evidence import read_dossier
from reports.pages import render_html, render_markdown
from tests.reports.drawn import points, size
from tests.reports.invented import Length, benchmark, play, right_below

ROOT = Path(__file__).resolve().parents[2]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def says(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.fixture
def folder(runs: Path, tmp_path: Path) -> Path:
    """A copy of some runs, to be tampered with."""
    for name in ("nextgpt-tiny", "caption-then-tool", "nextgpt-tiny-linear"):
        shutil.copytree(runs / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("file", "break_it"),
    [
        ("run.json", cut),
        ("run.json", says("[]")),
        ("run.json", says('{"benchmark": "invented"}')),
        ("results.json", cut),
        ("results.json", says('[{"value": 1}]')),
        ("scores.parquet", cut),
        ("scores.parquet", says("no table")),
        ("predictions.jsonl", cut),
        ("predictions.jsonl", says('{"sample": "s00"}\n')),
    ],
)
def test_one_broken_run_is_named_and_the_others_make_a_page(
    folder: Path, file: str, break_it: Callable[[Path], object]
) -> None:
    break_it(folder / "nextgpt-tiny-linear" / "invented" / file)
    result = CliRunner().invoke(app, ["compare", str(folder), "--json", str(folder / "numbers.json")])
    assert "nextgpt-tiny is better than caption-then-tool by 0.450" in " ".join(result.stdout.split())
    numbers = json.loads((folder / "numbers.json").read_text())
    html = (folder / "comparison.html").read_text()
    markdown = (folder / "comparison.md").read_text().replace("\\", "")
    if numbers["left_out"]:
        (line,) = numbers["left_out"]
        assert line.startswith(f"nextgpt-tiny-linear/invented/{file}")
        assert (result.exit_code, result.stderr) == (1, f"left out: {line}\n")
        assert "1 run of the folder could not be shown" in html
        assert "Left out of this page" in markdown
    else:  # the answers can be read, the scores cannot
        (line,) = [note for note in numbers["notes"] if file in note]
        assert "nextgpt-tiny-linear on invented" in line
        assert result.exit_code == 0
    assert line in unescape(html)
    assert line in markdown


def test_an_edited_headline_is_not_shown_and_the_reason_is_true(folder: Path) -> None:
    path = folder / "nextgpt-tiny" / "invented" / "results.json"
    path.write_text(path.read_text().replace('"value": 0.75', '"value": 2.5'))
    result = CliRunner().invoke(app, ["compare", str(folder)])
    printed = " ".join(result.stdout.split())
    html = unescape((folder / "comparison.html").read_text())
    for shown in (printed, html):
        assert "2.500" not in shown
        assert "not scored since results.json changed" in shown
    assert "Not compared: exact match of nextgpt-tiny is not scored since results.json changed" in html


def test_results_of_answers_that_were_taken_back_are_not_shown(folder: Path) -> None:
    path = folder / "caption-then-tool" / "invented" / "predictions.jsonl"
    kept = [line for line in path.read_bytes().splitlines(keepends=True) if b'"error"' not in line]
    path.write_bytes(b"".join(kept))  # as --retry-failed leaves it when it is killed
    report = build_report(folder)
    assert "not scored since predictions.jsonl changed" in str(report.scores[0].cells[1])
    html = render_html(report)
    assert "Every sample of every run has an answer" not in html
    assert "Samples of unfinished runs that have no answer yet are not among them" in html
    assert "Samples of unfinished runs" in render_markdown(report, "m")


def test_a_folder_of_broken_runs_makes_no_page(folder: Path) -> None:
    for path in folder.rglob("run.json"):
        cut(path)
    result = CliRunner().invoke(app, ["compare", str(folder)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "none of its runs can be shown; the first: caption-then-tool/invented/run.json" in result.stderr
    assert not (folder / "comparison.html").exists()


def test_what_has_no_value_is_undefined_everywhere_and_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = read_run(folder / "nextgpt-tiny" / "invented")
    why = "undefined: the value is inf, for the data overflow"
    results = [
        replace(result, value=None, low=None, high=None, method=why) if result.slice is None else result
        for result in run.results
    ]
    write_scored(run, results, run.scores)
    report = build_report(folder)
    for page in (render_html(report), render_markdown(report, "m")):
        assert why in page
    printed = CliRunner().invoke(app, ["compare", str(folder)]).stdout
    assert "undefined: the value is" in " ".join(printed.split())
    tables.print_results(results)
    table = capsys.readouterr().out
    assert "undefined" in next(line for line in table.splitlines() if "exact_match" in line)
    assert why in table


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            Comparison(float("nan"), 0.0, 1.0, 1.0, 40, 0.1, "undefined: the value is nan"),
            "Undefined: the value is nan",
        ),
        (Comparison(0.5, float("-inf"), float("inf"), 1.0, 1, float("inf"), ALONE), "All samples share one"),
    ],
)
def test_a_difference_without_a_value_or_interval_says_why(found: Comparison, words: str) -> None:
    row = conclude(("b", "exact_match", "x", "y"), found)
    assert row.words.startswith(words)
    assert len(difference_plots("d", [row], lambda name: 0)) == row.defined


def test_a_metric_that_one_run_lacks_is_not_called_not_run(folder: Path) -> None:
    run = read_run(folder / "nextgpt-tiny" / "invented")
    write_scored(run, [result for result in run.results if result.metric != "cider_d"], run.scores)
    (table,) = build_report(folder).metrics
    (row,) = [row for row in table.rows if row.metric == "cider_d"]
    assert row.cells[0] == "no CIDEr-D here"


def test_a_metric_without_a_top_has_no_ladder_and_spoils_no_page(tmp_path: Path) -> None:
    class Words(Length):
        name = "words"

    use = MetricUse("words", Words, lambda answer: answer.text, lambda sample: "")
    on = benchmark(metrics=(use,), headline="words")
    play(tmp_path, "caption-then-tool", right_below(10), on)
    play(tmp_path, "caption-then-tool+plan", right_below(20), on, given=("plan",))
    accounts, (refused,) = attribute_runs(read_dossier(tmp_path))
    assert accounts == []
    assert "is not in [0, 1]" in refused
    (plot,) = build_report(tmp_path).score_plots
    assert points(plot.drawings[0])[0].x < size(plot.drawings[0])[0] - 150  # not pressed against the edge


def test_a_page_that_cannot_be_written_says_where_and_what_to_do(folder: Path) -> None:
    (folder / "page.html").mkdir()
    result = CliRunner().invoke(app, ["compare", str(folder), "--out", str(folder / "page.html")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        f"error: {folder}/page.html: cannot be written (Is a directory); name a file, not a folder"
    )
    assert result.stderr.count("\n") == 1
    result = CliRunner().invoke(app, ["compare", str(folder), "--json", "/dev/null/numbers.json"])
    assert result.stderr.startswith(
        "error: /dev/null/numbers.json: cannot be written (File exists); a file stands"
    )
    assert not list(folder.rglob("*.part"))


def test_a_disk_that_takes_no_more_leaves_no_half_page(folder: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [sys.executable, "-m", "reports.cli", "compare", str(folder)],
        cwd=ROOT,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {folder}/comparison.html: cannot be written (File too large)")
    assert done.stderr.count("\n") == 1
    assert {path.suffix for path in folder.glob("*")} == {""}
