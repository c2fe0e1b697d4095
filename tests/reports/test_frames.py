"""A folder of runs as DataFrames: the columns that are promised, the numbers of the pages, and half a run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas
import pytest
from typer.testing import CliRunner

from benchmarks.harness.benchmark import Options
from benchmarks.harness.records import MANIFEST, RESULTS, SCORES, SEAL, read_run
from benchmarks.harness.run import run
from nextgpt.messages import Message, seed_of
from reports import frames
from reports.cli import app
from reports.comparison import build_report
from reports.evidence import ReportError
from reports.frames import read_frames
from tests.reports.invented import NASTY, Actor, benchmark, right_below


@pytest.fixture
def folder(runs: Path, tmp_path: Path) -> Path:
    """A copy of two runs, to be tampered with."""
    for name in ("nextgpt-tiny", "caption-then-tool"):
        shutil.copytree(runs / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def every(found: frames.Frames) -> dict[str, tuple[Any, frames.Columns]]:
    return {
        "runs": (found.runs, frames.RUNS),
        "predictions": (found.predictions, frames.PREDICTIONS),
        "scores": (found.scores, frames.SCORES),
        "results": (found.results, frames.RESULTS),
        "comparisons": (found.comparisons(), frames.COMPARISONS),
    }


def assert_as_promised(found: frames.Frames) -> None:
    for name, (frame, columns) in every(found).items():
        assert {column: str(kind) for column, kind in frame.dtypes.items()} == dict(columns), name


def test_frames_have_the_promised_columns_and_dtypes(runs: Path) -> None:
    found = read_frames(runs)
    assert_as_promised(found)
    assert not any(frame.empty for frame, _ in every(found).values())


def test_frames_hold_what_the_files_hold(folder: Path) -> None:
    found = read_frames(folder)
    made = [read_run(folder / name / "invented") for name in ("caption-then-tool", "nextgpt-tiny")]
    assert len(found.scores) == sum(len(each.scores) for each in made)
    assert len(found.results) == sum(len(each.results) for each in made)
    ours = found.results.query("system == 'nextgpt-tiny' and metric == 'exact_match'").set_index("slice")
    theirs = {result.slice: result for result in made[1].results if result.metric == "exact_match"}
    assert ours.loc["one object", "value"] == theirs["one object"].value
    assert ours.loc["one object", "n"] == theirs["one object"].n
    assert ours["value"].isna().sum() == 0


def test_every_cell_of_the_page_is_a_row_of_the_frame(runs: Path) -> None:
    report = build_report(runs)
    tables = [
        report.scores,
        *(table.rows for table in report.metrics),
        *(table.rows for table in report.slices),
    ]
    cells = [asdict(cell) for rows in tables for row in rows for cell in row.results]
    keys = ["benchmark", "system", "metric", "slice"]
    for found in (report.results, read_frames(runs).results):
        frame = found.astype(object).where(found.notna(), None).set_index(keys)
        for cell in cells:
            (ours,) = frame.loc[[tuple(cell[key] for key in keys)]].to_dict("records")
            assert ours == {name: cell[name] for name in ours}
    assert cells


def test_every_difference_of_the_page_is_a_row_of_the_frame(runs: Path) -> None:
    report = build_report(runs)
    tables = [*report.differences, *(table for each in report.ablations for table in each.tables)]
    rows = [asdict(row) for table in tables for row in table.rows]
    assert [row["words"] for row in rows] == report.comparisons["words"].tolist()
    assert [row["p_adjusted"] for row in rows] == report.comparisons["p_adjusted"].tolist()
    assert report.comparisons["question"].tolist() == ["baseline", "linear", "blind"]


def test_csv_of_the_page_is_its_frame_of_results(runs: Path, tmp_path: Path) -> None:
    written = ["--out", str(tmp_path / "page.html"), "--csv", str(tmp_path / "rows.csv")]
    assert CliRunner().invoke(app, ["compare", str(runs), *written]).exit_code == 0
    found = pandas.read_csv(tmp_path / "rows.csv", dtype=dict(frames.RESULTS))
    pandas.testing.assert_frame_equal(found, build_report(runs).results)


def test_run_without_results_is_a_cell_that_says_why(folder: Path) -> None:
    (folder / "nextgpt-tiny" / "invented" / RESULTS).unlink()
    report = build_report(folder)
    (row,) = report.results[report.results["system"] == "nextgpt-tiny"].itertuples()
    assert (row.metric, row.method) == ("exact_match", "not scored")
    assert report.scores[0].cells[0] == row.method
    assert all(row.cells[0] == "not scored" for table in report.slices for row in table.rows)


def test_names_that_are_no_unicode_spoil_no_frame(folder: Path) -> None:
    (folder / "nextgpt-tiny").rename(folder / os.fsdecode(b"caf\xe9"))
    found = read_frames(folder)
    assert_as_promised(found)
    assert found.runs["folder"].str.contains("caf\\udce9", regex=False).any()


def test_failed_answer_is_missing_text_with_its_reason(folder: Path) -> None:
    said = read_frames(folder).predictions.query("system == 'caption-then-tool'").set_index("sample")
    assert said["failed"].sum() == 28
    one_line = NASTY.replace("\r\n", " ").replace("\ud800", "\\ud800")  # no column of text holds half a pair
    assert said.loc["s12", ["stage", "reason"]].tolist() == ["plan", one_line]
    assert said.loc[["s12"], "text"].isna().all()
    assert said.loc["s00", "media"].startswith("media/")


def test_comparisons_are_those_of_the_page(runs: Path) -> None:
    report = build_report(runs)
    (row, *_) = report.differences[0].rows
    frame = read_frames(runs).comparisons(baseline=row.second).set_index("first")
    ours = frame.loc[row.first]
    assert (ours["difference"], ours["low"], ours["high"], ours["p"]) == (
        row.difference,
        row.low,
        row.high,
        row.p,
    )
    assert set(frame["second"]) == {row.second}


def test_all_pairs_are_one_family(runs: Path) -> None:
    frame = read_frames(runs).comparisons()
    assert len(frame) == 6 * 5 // 2
    assert (frame["family"] == len(frame)).all()
    assert (frame["p_adjusted"] >= frame["p"]).all()
    by_length = read_frames(runs).comparisons("cider_d", "caption-then-tool")
    assert set(by_length["metric"]) == {"cider_d"}


def test_unknown_baseline_is_named(runs: Path) -> None:
    with pytest.raises(ReportError, match="no scored runs of the baseline 'nobody'; there are: caption"):
        read_frames(runs).comparisons(baseline="nobody")


def test_unknown_metric_is_a_row_of_words(runs: Path) -> None:
    frame = read_frames(runs).comparisons("fid")
    assert frame["difference"].isna().all()
    assert frame["words"].str.startswith("Not compared: FID of").all()


BROKEN: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no run.json": (lambda run: half(run / MANIFEST), "damaged", "run.json"),
    "not scored": (lambda run: (run / RESULTS).unlink(), "not scored", "not scored"),
    "not sealed": (lambda run: (run / SEAL).unlink(), "not scored", "scored.json is missing"),
    "half a table": (lambda run: half(run / SCORES), "not scored", "scores.parquet changed"),
    "half the answers": (lambda run: half(run / "predictions.jsonl"), "cut", "predictions.jsonl, line"),
    "no answers": (lambda run: (run / "predictions.jsonl").unlink(), "damaged", "predictions.jsonl"),
    "no answer yet": (lambda run: (run / "predictions.jsonl").write_text(""), "cut", "0 of 40"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_half_a_run_says_so_in_a_row(folder: Path, name: str) -> None:
    break_it, state, why = BROKEN[name]
    break_it(folder / "nextgpt-tiny" / "invented")
    found = read_frames(folder)
    assert_as_promised(found)
    row = found.runs.set_index("system").loc["nextgpt-tiny"]
    assert row["state"] == state
    assert why in row["why"]
    (result,) = found.results.query("system == 'nextgpt-tiny'").itertuples()
    assert result.method.startswith(state)
    assert result.value != result.value
    assert set(found.scores["system"]) == {"caption-then-tool"}
    assert found.comparisons().empty
    assert found.runs.set_index("system").loc["caption-then-tool", "state"] == "scored"


def test_run_that_was_stopped_shows_the_answers_that_there_are(tmp_path: Path) -> None:
    on = benchmark()
    known: dict[int, Any] = {seed_of(sample.id): sample for sample in on.samples(Options())}

    def stop(sample: Any) -> Message:
        if sample.id == "s20":
            raise KeyboardInterrupt
        answer = right_below(40)(sample)
        assert isinstance(answer, Message)
        return answer

    with pytest.raises(KeyboardInterrupt):
        run(on, Actor("stopped", stop, known), tmp_path, batch_size=8, progress=False)
    found = read_frames(tmp_path)
    (row,) = found.runs.itertuples()
    assert (row.state, row.answered) == ("cut", 16)
    assert row.why.startswith("16 ")
    assert set(found.predictions["state"]) == {"cut"}
    assert len(found.predictions) == 16


def test_last_line_that_is_half_written_hides_no_other(folder: Path) -> None:
    path = folder / "nextgpt-tiny" / "invented" / "predictions.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    found = read_frames(folder)
    assert found.predictions.query("system == 'nextgpt-tiny'")["sample"].tolist() == [
        f"s{number:02d}" for number in range(39)
    ]


def test_two_runs_alike_are_both_shown_and_not_compared(folder: Path) -> None:
    shutil.copytree(folder / "nextgpt-tiny", folder / "again" / "nextgpt-tiny")
    found = read_frames(folder)
    assert (found.runs["system"] == "nextgpt-tiny").sum() == 2
    assert found.comparisons().empty


def test_folder_without_runs_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no runs here"):
        read_frames(tmp_path)
    with pytest.raises(ReportError, match="no such folder"):
        read_frames(tmp_path / "nowhere")


def test_media_are_not_opened(folder: Path) -> None:
    for path in (folder / "nextgpt-tiny").rglob("*.png"):
        path.unlink()
    assert len(read_frames(folder).predictions) == 80


def test_notebook_is_a_clean_notebook() -> None:
    book = json.loads((Path(__file__).resolve().parents[2] / "docs" / "runs.ipynb").read_text("utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    assert not any(cell.get("outputs") for cell in book["cells"])


def test_notebook_runs_on_a_folder_of_runs(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    book = json.loads((Path(__file__).resolve().parents[2] / "docs" / "runs.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    (tmp_path / "runs").symlink_to(runs)
    # What a notebook shows of a cell is its last expression: here it is printed.
    shown = [f"{cell}\nprint(repr(_ := {cell.splitlines()[-1].rstrip(';')}))" for cell in cells]
    wide = "pandas.set_option('display.width', 999, 'display.max_columns', 99, 'display.max_colwidth', 999)"
    program = "\n".join(["import matplotlib, pandas", "matplotlib.use('Agg')", wide, *shown])
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nextgpt-tiny is better by 0.450." in " ".join(done.stdout.split())


def test_documentation_names_every_column_and_dtype() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "frames.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| (\w+) \| (\w+) \|", re.MULTILINE)
    sections = page.split("\n## ")[1:]
    tables = {re.findall(r"\w+", section)[1]: dict(row.findall(section)) for section in sections}
    for name, columns in tables.items():
        columns.pop("column")
        assert columns == getattr(frames, name.upper()), name
    assert len(tables) == 5
