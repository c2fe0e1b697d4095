"""The twin: each published cell beside what was measured, judged by its interval, settings apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.harness.records import read_run
from metrics.answers.accuracy import ExactMatch
from reports.evidence import ReportError
from reports.paper.links import Rows
from reports.paper.published import published_cells
from reports.paper.twin import Entry, Twin, build_twin, judge
from tests.reports.invented import benchmark, failing_from, play, right_below
from tests.reports.paper.runs import answer, caption, truth


def entry(twin: Twin, table: int, row: str, dataset: str, setting: str = "zero-shot") -> Entry:
    """The one entry of this place."""
    (found,) = (
        each
        for t in twin.tables
        if t.number == table
        for each in t.entries.values()
        if (each.row, each.column.dataset, each.column.setting) == (row, dataset, setting)
    )
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("paper")
    answer(out, "nextgpt-7b", 27)  # 67.5 %, where the paper prints 66.7
    answer(out, "caption-then-tool", 5)
    answer(out, "close", 26)
    answer(out, "nextgpt-7b", 39, on="vizwiz")  # where it prints 48.4
    answer(out, "nextgpt-tiny", 27, on="toy-vqa")
    caption(out, "nextgpt-7b", 30)
    return out


def test_every_published_cell_stands_in_its_table_whatever_was_run(runs: Path) -> None:
    twin = build_twin(runs)
    assert [each.published for each in twin.entries if each.published] == [*published_cells()]
    # VQAv2 in Tables 2 and 5; VizWiz in both, COCO's CIDEr in Tables 2 and 12.
    assert twin.summary == "177 published cells: 2 reproduced, 4 outside, 0 undecided, 171 not run"


def test_a_print_inside_the_interval_is_reproduced_and_one_outside_is_so_far_outside(runs: Path) -> None:
    twin = build_twin(runs)
    inside = entry(twin, 2, "NExT-GPT (Vicuna-7B)", "VQAv2")
    assert inside.verdict.kind == "reproduced"
    assert inside.measured is not None
    assert inside.measured.value == pytest.approx(67.5)
    outside = entry(twin, 2, "NExT-GPT (Vicuna-7B)", "VizWiz")
    assert outside.verdict.kind == "outside"
    assert outside.measured is not None
    assert outside.measured.low is not None
    assert outside.verdict.gap == pytest.approx(48.45 - outside.measured.low)
    assert "below the interval" in outside.verdict.words


def test_a_value_without_an_interval_or_none_at_all_is_undecided(runs: Path) -> None:
    found = entry(build_twin(runs), 2, "NExT-GPT (Vicuna-7B)", "VQAv2")
    assert found.measured is not None
    assert found.published is not None
    open_ended = judge(found.published, replace(found.measured, low=None, high=None))
    assert (open_ended.kind, open_ended.words) == ("undecided", "no interval; the print is 0.800 below")
    none = judge(
        found.published, replace(found.measured, value=None, low=None, high=None, method="all failed")
    )
    assert (none.kind, none.words) == ("undecided", "no value: all failed")


def test_a_measured_value_says_what_it_is_of(runs: Path) -> None:
    found = entry(build_twin(runs), 2, "NExT-GPT (Vicuna-7B)", "VQAv2")
    assert found.remarks[0].startswith("nextgpt-7b on vqav2: n 40, exact_match|")


def test_what_was_not_run_says_why(runs: Path) -> None:
    twin = build_twin(runs)
    assert "no run of nextgpt-7b on okvqa" in entry(twin, 2, "NExT-GPT (Vicuna-7B)", "OKVQA").verdict.words
    assert "no system here stands" in entry(twin, 2, "DreamLLM (Vicuna-7B)", "VQAv2").verdict.words
    unnamed = entry(twin, 3, "NExT-GPT (Vicuna-7B)", "AudioCaps", "fine-tuned")
    assert "does not name the metric" in unnamed.verdict.words
    assert "nobody published" in entry(twin, 4, "NExT-GPT", "COCO-caption", "fine-tuned").verdict.words


def test_contradictions_are_footnotes_of_every_cell_that_they_touch(runs: Path) -> None:
    twin = build_twin(runs)
    for table, row, setting in ((2, "NExT-GPT (Vicuna-7B)", "zero-shot"), (12, "NExT-GPT", "unstated")):
        cells = [
            each
            for t in twin.tables
            for each in t.entries.values()
            if (t.number, each.row, each.column.metric, each.column.setting, each.column.dataset)
            == (table, row, "CIDEr", setting, "COCO")
        ]
        (one,) = cells
        assert any("124.9 in Table 2 (zero-shot) and 158.3 in Table 12" in words for words in one.remarks)


def test_settings_never_share_a_column(runs: Path) -> None:
    for table in build_twin(runs).tables:
        for (_, column), each in table.entries.items():
            assert each.published is None or each.published.setting == column.setting
    # Whose setting nobody says stands in a column of its own, until somebody says it.
    assert entry(build_twin(runs), 2, "caption-then-tool", "VQAv2", "unstated").verdict.kind == "measured"
    told = build_twin(runs, {("the pipeline", "zero-shot"): "caption-then-tool"})
    assert entry(told, 2, "the pipeline", "VQAv2").verdict.kind == "measured"


def test_parts_of_a_benchmark_are_measured_on_their_slice(tmp_path: Path) -> None:
    def pick(sample: Sample) -> str:
        return "object" if sample.id < "s20" else "background"

    uses = (MetricUse("clip_t", ExactMatch, lambda said: said.text, truth),)
    on = benchmark("coco-editing", metrics=uses, headline="clip_t", slices=pick)
    play(tmp_path, "nextgpt-7b", right_below(20, draws=False), on)
    (table,) = (table for table in build_twin(tmp_path).tables if table.number == 14)
    found = {
        column.metric: each.measured.value
        for (row, column), each in table.entries.items()
        if row == "NExT-GPT" and each.measured
    }
    assert found == {"CLIP (object)": 100.0, "CLIP (background)": 0.0}


def test_a_run_can_be_told_to_stand_for_a_row(runs: Path) -> None:
    told = build_twin(runs, {("DreamLLM (Vicuna-7B)", "zero-shot"): "close"})
    found = entry(told, 2, "DreamLLM (Vicuna-7B)", "VQAv2")
    assert found.measured is not None
    assert found.measured.evidence.system == "close"
    assert found.verdict.kind == "reproduced"  # 26 of 40, where the paper prints 56.6


def test_bold_is_the_best_only_where_a_paired_test_separates_it(runs: Path) -> None:
    def best(rows: Rows) -> tuple[list[str], str]:
        table = build_twin(runs, rows).tables[0]
        found = [each for each in table.entries.values() if each.measured and each.measured.best]
        return [each.row for each in found if each.column.setting == "zero-shot"], " ".join(table.remarks)

    far: Rows = {("pipeline", "zero-shot"): "caption-then-tool"}
    assert best(far)[0] == ["NExT-GPT (Vicuna-7B)"]
    near: Rows = {**far, ("near", "zero-shot"): "close"}
    assert best(near)[0] == []
    assert "no paired test separates the best" in best(near)[1]
    assert best({})[0] == []  # a single value is no best


def test_limits_failures_and_stale_scores_are_told(tmp_path: Path) -> None:
    answer(tmp_path, "nextgpt-7b", 27, speak=failing_from(30))
    answer(tmp_path, "nextgpt-7b", 27, on="vizwiz")
    path = tmp_path / "nextgpt-7b/vqav2/run.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"limit": 40}))
    run = read_run(path.parent)
    (path.parent / "scored.json").write_text(json.dumps(run.seal()))
    stale = tmp_path / "nextgpt-7b/vizwiz/predictions.jsonl"
    stale.write_text(stale.read_text().replace("truth 1", "truth 2"))
    twin = build_twin(tmp_path)
    remarks = " ".join(entry(twin, 2, "NExT-GPT (Vicuna-7B)", "VQAv2").remarks)
    assert "Only the first 40 samples of vqav2" in remarks
    assert "10 of 40 samples of vqav2 failed" in remarks
    found = entry(twin, 2, "NExT-GPT (Vicuna-7B)", "VizWiz")
    assert found.verdict.kind == "not run"
    assert "not scored since predictions.jsonl changed" in found.verdict.words


def test_runs_of_toyworld_alone_make_whole_tables_and_are_listed(tmp_path: Path) -> None:
    answer(tmp_path, "nextgpt-tiny", 27, on="toy-vqa")
    twin = build_twin(tmp_path)
    assert twin.summary == "177 published cells: 0 reproduced, 0 outside, 0 undecided, 177 not run"
    assert twin.elsewhere == ("nextgpt-tiny on toy-vqa",)


def test_a_folder_without_runs_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no runs here"):
        build_twin(tmp_path)
