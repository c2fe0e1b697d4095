"""`nextgpt-bench score BENCHMARK`: official results against official files, no medium opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cli
from benchmarks.harness.benchmark import Options
from benchmarks.harness.run import evaluate
from benchmarks.registry import load_benchmark
from benchmarks.score.published import published_names
from benchmarks.tasks.answers import read_answers
from benchmarks.tasks.published import OfficialData, Record
from benchmarks.tasks.stored import Stored
from nextgpt.messages import Message, assistant
from tests.benchmarks.tasks.official_files import miniature, write

# What is right in each miniature, in the form that its owners take results in.
RESULTS: dict[str, Any] = {
    "vqav2": [{"question_id": 1, "answer": "soup"}],
    "vizwiz": [{"image": "VizWiz_val_0.jpg", "answer": "unanswerable"}],
    "textvqa": [{"question_id": 34602, "answer": "dakota"}],
    "gqa": [{"questionId": "201307251", "prediction": "no"}],
    "seed-bench": '{"question_id": "10", "prediction": "C"}\n',
    "mmbench": "index\tprediction\n7\tB\n1000007\tA\n",
    "msvd-qa": [{"question_id": 4, "answer": "man"}],
    "nocaps": [{"image_id": 7, "caption": "a dog"}],
    "audiocaps": [{"file_name": "-ab_20", "caption": "A dog barks"}],
}
ENDS = {"seed-bench": "jsonl", "mmbench": "tsv"}


@pytest.fixture
def score(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, list[dict[str, Any]], str]]:
    def run(name: str, predictions: Path, *more: object) -> tuple[int, list[dict[str, Any]], str]:
        rows = tmp_path / "rows.json"
        files = ("--references", tmp_path / "data", "--predictions", predictions, "--json", rows)
        monkeypatch.setattr("sys.argv", ["nextgpt-bench", "score", name, *map(str, (*files, *more))])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, json.loads(rows.read_text()) if rows.exists() else [], capsys.readouterr().err

    return run


def answered(name: str, folder: Path, results: Any = None) -> Path:
    miniature(name, folder / "data")
    for path in (folder / "data").rglob("*"):
        if path.suffix in (".jpg", ".png", ".mp4", ".avi", ".mkv", ".wav"):
            path.unlink()
    path = folder / f"results.{ENDS.get(name, 'json')}"
    write(path, RESULTS[name] if results is None else results)
    return path


@pytest.mark.java
@pytest.mark.parametrize("name", RESULTS)
def test_right_answers_in_the_official_form_are_right(name: str, tmp_path: Path, score: Any) -> None:
    code, rows, err = score(name, answered(name, tmp_path))
    assert (code, err) == (0, "")
    metric = "rouge_l" if name in ("nocaps", "audiocaps") else load_benchmark(name).headline
    row = next(row for row in rows if (row["metric"], row["slice"]) == (metric, None))
    assert (row["value"], row["failed"]) == (1, 0)
    assert load_benchmark(name).slices is None or any(row["slice"] for row in rows)


def test_every_benchmark_of_words_can_be_scored_without_its_media(tmp_path: Path) -> None:
    assert {*RESULTS, "pope", "next-qa", "clotho"} <= set(published_names())
    for name in published_names():
        source = load_benchmark(name).load
        assert isinstance(source, OfficialData)
        for record in source.records(Options(data=miniature(name, tmp_path / name))):
            assert isinstance(record, Record)
            assert not any(isinstance(value, Stored) for value in record.references.values())


def test_an_object_from_questions_to_replies_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write(path, {"1_2": "B", "1_3": {"prediction": 2, "answer": 0}})
    assert {key: answer.text for key, answer in read_answers(path).items()} == {"1_2": "B", "1_3": "C"}  # type: ignore[union-attr]


def test_a_workbook_is_read_as_mmbench_takes_it_and_a_damaged_one_is_a_line(
    tmp_path: Path, score: Any
) -> None:
    from openpyxl import Workbook

    answered("mmbench", tmp_path)
    book = Workbook()
    for row in (["index", "question", "prediction"], [7, "q", "B"], [1000007, "q", "A"], [None, None, None]):
        book.active.append(row)
    path = tmp_path / "results.xlsx"
    book.save(path)
    code, rows, err = score("mmbench", path)
    assert (code, err, rows[0]["value"]) == (0, "", 1)
    path.write_bytes(path.read_bytes()[:500])
    code, _, err = score("mmbench", path)
    assert code == 1
    assert "no workbook that can be read" in err


def test_answers_to_other_samples_are_refused_and_missing_ones_counted_where_that_is_allowed(
    tmp_path: Path, score: Any
) -> None:
    other = answered("msvd-qa", tmp_path, [{"question_id": 5, "answer": "man"}])
    code, _, err = score("msvd-qa", other)
    assert code == 1
    assert "sample 5 (1 in all) is unknown to msvd-qa" in err.replace("'", "")
    write(other, [{"question_id": 4, "answer": "man"}])
    row = {"answer": "dog", "id": 9, "question": "what?", "video_id": 1301}
    data = json.loads((tmp_path / "data/test_qa.json").read_text())
    write(tmp_path / "data/test_qa.json", [*data, row])
    assert score("msvd-qa", other)[0] == 1
    code, rows, _ = score("msvd-qa", other, "--allow-missing")
    assert code == 0
    assert (rows[0]["value"], rows[0]["n"], rows[0]["failed"]) == (0.5, 2, 1)


def test_our_own_predictions_are_held_to_the_data_that_they_answered(tmp_path: Path, score: Any) -> None:
    class Man:
        name, fingerprint = "man", "1"
        accepts = produces = frozenset({"text", "video"})
        given: frozenset[str] = frozenset()

        def respond(self, requests: Any) -> list[Message]:
            return [assistant("man") for _ in requests]

    miniature("msvd-qa", tmp_path / "data")
    options = Options(data=tmp_path / "data")
    run = evaluate(load_benchmark("msvd-qa"), Man(), tmp_path / "runs", options, progress=False)  # type: ignore[arg-type]
    file = run.folder / "predictions.jsonl"
    code, rows, _ = score("msvd-qa", file)
    assert (code, rows[0]["value"]) == (0, 1)
    data = json.loads((tmp_path / "data/test_qa.json").read_text())
    write(tmp_path / "data/test_qa.json", [{**data[0], "answer": "woman"}])
    code, _, err = score("msvd-qa", file)
    assert code == 1
    assert "the data changed: sample '4' has another answer now" in err


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([{"question_id": 4, "answer": "a"}] * 2, "sample 4 occurs twice"),
        ([{"question_id": 4}], "an answer under one of answer"),
        ([{"answer": "a"}], "give an id under one of question_id"),
        ([{"question_id": 4, "answer": None}], "has no text under 'answer'"),
        ([], "no results of a known form"),
        ({"4": 99}, "is answered by 99"),
    ],
)
def test_results_of_no_known_form_are_a_line(tmp_path: Path, score: Any, results: Any, words: str) -> None:
    code, _, err = score("msvd-qa", answered("msvd-qa", tmp_path, results))
    assert code == 1
    assert words in err
    assert err.count("\n") == 1


def test_a_benchmark_of_pictures_is_no_family_of_answers(tmp_path: Path, score: Any) -> None:
    code, _, err = score("coco-30k", answered("vqav2", tmp_path))
    assert code != 0
    assert "unknown family 'coco-30k'" in err
