"""Evidence: which runs there are, and which part each system plays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reports.attribution import attribute_runs
from reports.evidence import ReportError, read_dossier
from tests.reports.invented import benchmark, play, right_below


def test_variants_are_told_from_compared_systems(runs: Path) -> None:
    dossier = read_dossier(runs)
    assert dossier.main == ("nextgpt-tiny", "caption-then-tool")
    assert dossier.variants("blind") == [("nextgpt-tiny", "nextgpt-tiny-blind")]
    assert dossier.variants("linear") == [("nextgpt-tiny", "nextgpt-tiny-linear")]
    assert [name for _, name in dossier.variants("given")] == [
        "caption-then-tool+caption",
        "caption-then-tool+plan",
    ]


def test_any_system_but_one_given_truths_can_be_the_baseline(runs: Path) -> None:
    assert read_dossier(runs, "nextgpt-tiny-linear").baseline == "nextgpt-tiny-linear"
    with pytest.raises(ReportError, match="no runs of the baseline 'nobody'; there are: "):
        read_dossier(runs, "nobody")


def test_a_variant_alone_is_compared_like_any_system(tmp_path: Path) -> None:
    play(tmp_path, "some-linear", right_below(10))
    assert read_dossier(tmp_path).main == ("some-linear",)


def test_runs_with_truths_alone_are_refused(tmp_path: Path) -> None:
    play(tmp_path, "caption-then-tool+plan", right_below(10), given=("plan",))
    with pytest.raises(ReportError, match="truth given away"):
        read_dossier(tmp_path)


def test_the_same_system_twice_on_one_benchmark_is_left_out_twice(tmp_path: Path) -> None:
    play(tmp_path / "old", "a", right_below(10))
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    with pytest.raises(
        ReportError, match=r"none of its runs can be shown; .* each hold a on invented: keep one"
    ):
        read_dossier(tmp_path)
    play(tmp_path, "b", right_below(10))
    dossier = read_dossier(tmp_path)
    assert dossier.systems == ("b",)
    assert len(dossier.left_out) == 1


def test_no_folder_no_runs_and_no_scores_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no such folder"):
        read_dossier(tmp_path / "missing")
    with pytest.raises(ReportError, match="no runs here"):
        read_dossier(tmp_path)
    play(tmp_path, "a", right_below(10))
    (tmp_path / "a" / "invented" / "results.json").unlink()
    with pytest.raises(ReportError, match="none of its runs is scored"):
        read_dossier(tmp_path)


def test_benchmarks_stand_in_reading_order(tmp_path: Path) -> None:
    names = ("toy-x-compositional", "coco-x", "toy-x")
    for name in names:
        play(tmp_path, "a", right_below(10), benchmark(name))
    assert read_dossier(tmp_path).benchmarks == ("toy-x", "coco-x", "toy-x-compositional")


def test_a_tuned_planner_is_the_baseline_where_it_was_run_and_deaf_is_a_variant(tmp_path: Path) -> None:
    names = ("caption-then-tool", "caption-then-tool-tuned", "caption-then-tool-tuned+caption", "x", "x-deaf")
    for name in names:
        play(tmp_path, name, right_below(40), given=("caption",) if "+" in name else ())
    dossier = read_dossier(tmp_path)
    assert dossier.main == ("caption-then-tool", "x", "caption-then-tool-tuned")
    assert dossier.variants("deaf") == [("x", "x-deaf")]
    assert dossier.variants("given") == [("caption-then-tool-tuned", "caption-then-tool-tuned+caption")]
    (account,), _ = attribute_runs(dossier)
    assert account.pipeline == "caption-then-tool-tuned"
