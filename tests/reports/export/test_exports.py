"""Runs in other registries' forms, held against what those registries publish to check them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from metrics.metric import Metric
from reports.cli import app
from reports.export.every_eval_ever import place_of, safe_name
from reports.tables import LOWER_IS_BETTER, UNBOUNDED
from tests.hostile import HOSTILE, raw
from tests.reports.invented import NASTY
from tests.reports.paper.runs import answer

VALIDATOR = shutil.which(os.environ.get("EVERY_EVAL_EVER", "every_eval_ever"))


def export(*arguments: object) -> tuple[int, list[Path], str]:
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    return result.exit_code, [*map(Path, result.stdout.split("\n")[:-1])], result.stderr


def records(files: list[Path]) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in files if path.suffix == ".json"]


def lines(files: list[Path]) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in files
        if path.suffix == ".jsonl"
        for line in path.read_text().splitlines()
    ]


def test_a_record_holds_each_value_with_its_interval_and_each_item_and_metric(
    runs: Path, tmp_path: Path
) -> None:
    code, files, err = export(runs, "--to", "every-eval-ever", "--out", tmp_path, "--organization", "us")
    assert (code, err) == (0, "")
    record = next(each for each in records(files) if each["model_info"]["name"] == "nextgpt-tiny")
    assert record["source_metadata"]["source_organization_name"] == "us"
    found = {each["evaluation_result_id"]: each for each in record["evaluation_results"]}
    result = found["invented/exact_match"]
    assert result["score_details"]["score"] == 0.75
    interval = result["score_details"]["uncertainty"]["confidence_interval"]
    assert interval["lower"] < 0.75 < interval["upper"]
    assert result["score_details"]["uncertainty"]["num_samples"] == 40
    assert (result["metric_config"]["min_score"], result["metric_config"]["max_score"]) == (0, 1)
    assert found["invented/cider_d"]["metric_config"]["max_score"] == "Infinity"
    assert "invented/exact_match/one object" in found
    rows = [each for each in lines(files) if each["evaluation_id"] == record["evaluation_id"]]
    assert len(rows) == 80, "forty items, two metrics"
    assert sum(row["evaluation"]["is_correct"] for row in rows) == 30
    row = next(row for row in rows if row["sample_id"] == "s01")
    assert row["input"] == {
        "raw": "[image]\nwhat is 1?",
        "reference": ["truth 1", row["input"]["reference"][1]],
    }
    assert row["output"]["raw"][0].startswith("truth 1 [image 1: media/")
    assert len(row["metadata"]["image 1 sha256"]) == 64
    samples = next(
        path
        for path in files
        if path.stem == f"{Path(record['detailed_evaluation_results']['file_path']).stem}"
    )
    assert (
        hashlib.sha256(samples.read_bytes()).hexdigest() == record["detailed_evaluation_results"]["checksum"]
    )


def test_failures_are_told_in_their_lines(runs: Path, tmp_path: Path) -> None:
    _, files, _ = export(runs, "--to", "every-eval-ever", "--out", tmp_path)
    record = next(each for each in records(files) if each["model_info"]["name"] == "caption-then-tool")
    rows = [each for each in lines(files) if each["evaluation_id"] == record["evaluation_id"]]
    failed = [row for row in rows if row["error"]]
    assert len(failed) == 56, "28 items, two metrics"
    assert all(row["output"]["raw"] == [""] and row["metadata"]["failed stage"] == "plan" for row in failed)
    assert record["evaluation_results"][0]["score_details"]["details"]["failed"] == "28"


def test_exporting_again_replaces_the_record(runs: Path, tmp_path: Path) -> None:
    first, second = (export(runs, "--to", "every-eval-ever", "--out", tmp_path)[1] for _ in "12")
    assert first == second
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(first)


@pytest.mark.skipif(
    VALIDATOR is None,
    reason="no every_eval_ever on the path: pip install every-eval-ever (Python 3.12), or name it in "
    "EVERY_EVAL_EVER",
)
def test_the_published_validator_accepts_records_hostile_words_and_all(runs: Path, tmp_path: Path) -> None:
    answer(tmp_path / "runs", "hf-model", 3, on="vqav2")
    shutil.copytree(runs, tmp_path / "runs/invented")
    path = tmp_path / "runs/invented/nextgpt-tiny/invented/run.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"source": HOSTILE + NASTY, "licence": HOSTILE})
    )
    store = tmp_path / "store"
    options = ("--out", store, "--model", "hf-model=org/Model-7b")
    code, files, _ = export(tmp_path / "runs", "--to", "every-eval-ever", *options)
    assert (code, len(files)) == (0, 14)
    assert (store / "data/vqav2/org/Model-7b").is_dir()
    done = subprocess.run(
        [str(VALIDATOR), "validate", "--format", "json", *(str(path.relative_to(store)) for path in files)],
        cwd=store, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    checked = json.loads(done.stdout)
    assert len(checked) == 14
    assert all(each["valid"] and not each["warnings"] for each in checked)


def test_foreign_words_command_nobody(runs: Path, tmp_path: Path) -> None:
    _, files, _ = export(runs, "--to", "every-eval-ever", "--out", tmp_path)
    assert raw("".join(path.read_text() for path in files)) == []


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("nextgpt-tiny", "data/b/local/nextgpt-tiny"),
        ("known", "data/b/Org/Model-7b"),
        ("reserved", "data/b/data_/_"),
        ("../../etc/passwd", "data/b/local/etc_passwd"),
        (HOSTILE, None),
    ],
)
def test_no_name_leaves_the_store(system: str, folder: str | None) -> None:
    place = place_of("b", system, {"known": "Org/Model-7b", "reserved": "data/.."})
    assert folder is None or place.folder == folder
    assert place.folder.count("/") == 3
    assert ".." not in place.folder.split("/")
    assert place.folder.isascii()
    assert safe_name("") == "_"


def test_the_hub_s_form_holds_the_headline_and_says_the_rest_in_its_notes(runs: Path, tmp_path: Path) -> None:
    code, files, err = export(
        runs, "--to", "hf-eval-results", "--out", tmp_path, "--dataset", "invented=org/set"
    )
    assert (code, err) == (0, "")
    path = tmp_path / "nextgpt-tiny/.eval_results/invented.yaml"
    assert path in files
    (row,) = yaml.safe_load(path.read_text())
    assert row["dataset"] == {"id": "org/set", "task_id": "invented"}
    assert row["value"] == 0.75
    assert "exact match, higher is better; 95 % interval" in row["notes"]
    assert "n 40, 0 failed" in row["notes"]


def test_the_hub_s_own_reader_takes_its_form(runs: Path, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    if not hasattr(hub, "parse_eval_result_entries"):
        pytest.skip("this huggingface_hub is older than .eval_results")
    _, files, _ = export(runs, "--to", "hf-eval-results", "--out", tmp_path, "--dataset", "invented=org/set")
    for path in files:
        data = yaml.safe_load(path.read_text())
        (entry,) = hub.parse_eval_result_entries(data)
        assert (entry.dataset_id, entry.task_id) == ("org/set", "invented")
        assert hub.eval_result_entries_to_yaml([entry]) == data, "nothing is lost on the way"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["runs", "--to", "hf-eval-results"],
            "left out: invented: nobody said which data set of the Hub that is",
        ),
        (["runs", "--to", "hf-eval-results", "--dataset", "x"], "write NAME=ORG/NAME"),
        (["none", "--to", "every-eval-ever"], "none: no such folder"),
        (["runs", "--to", "nobody"], "Invalid value for '--to'"),
    ],
)
def test_a_mistake_is_explained(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    (tmp_path / "runs").symlink_to(runs)
    monkeypatch.chdir(tmp_path)
    code, _, err = export(*arguments)
    assert code != 0
    assert words in " ".join(err.split())


def test_a_run_that_is_not_scored_is_left_out_and_told(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    (tmp_path / "runs/nextgpt-tiny/invented/scored.json").unlink()
    code, files, err = export(tmp_path / "runs", "--to", "every-eval-ever")
    assert code == 1
    assert "left out: nextgpt-tiny on invented is not scored" in err
    assert len(records(files)) == 5
    assert files[0].is_relative_to(tmp_path / "runs/every-eval-ever")


def subclasses(kind: Any) -> list[Any]:
    children: list[Any] = kind.__subclasses__()
    return [each for child in children for each in (child, *subclasses(child))]


def test_directions_of_metrics_are_those_that_the_metrics_state() -> None:
    from importlib import import_module
    from pkgutil import walk_packages

    import metrics

    for module in walk_packages(metrics.__path__, "metrics."):
        import_module(module.name)
    named = [each for each in subclasses(Metric) if isinstance(getattr(each, "name", None), str)]
    named = [each for each in named if each.__module__.startswith("metrics.")]
    assert len(named) > 20
    for each in named:
        assert (each.name in LOWER_IS_BETTER) == (not each.higher_is_better), each
    assert {"fid", "cider_d", "mcd_dtw"} <= UNBOUNDED
