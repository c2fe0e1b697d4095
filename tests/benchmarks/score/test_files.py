"""`nextgpt-bench score` for files of answers that other programs wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.terminal import ROW, Command, only_line


def ten(*answers: str) -> list[dict[str, str]]:
    return [{"answer": answer} for answer in (answers * 10)[:10]]


VQA = {
    "annotations": [
        {"question_id": 1, "image_id": 7, "answer_type": "yes/no", "answers": ten("yes")},
        {"question_id": 2, "image_id": 7, "answer_type": "other", "answers": ten("cat", "dog")},
        {"question_id": 3, "image_id": 8, "answer_type": "yes/no", "answers": ten("no")},
    ]
}
RIGHT = [{"question_id": key, "answer": answer} for key, answer in ((1, "Yes."), (2, "a dog"), (3, "yes"))]


@pytest.fixture
def vqa(bench: Command) -> Callable[..., tuple[int, str, str]]:
    def run(
        references: object, predictions: object, *more: str, name: str = "answers.json"
    ) -> tuple[int, str, str]:
        for file, content in (("annotations.json", references), (name, predictions)):
            Path(file).write_text(content if isinstance(content, str) else json.dumps(content))
        return bench("score", "vqa", "--references", "annotations.json", "--predictions", name, *more)

    return run


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("vqaa", "--references", "a", "--predictions", "b"), "did you mean vqa"),
        (("txt-to-image", "--references", "a", "--predictions", "b"), "did you mean text-to-image"),
        (("vqa", "--references", "none.json", "--predictions", "b"), "none.json: no such file"),
        (("vqa", "--predictions", "b"), "vqa is scored against --references"),
        (
            ("vqa", "--references", "a", "--predictions", "b", "--resize", "clean"),
            "--resize is of no use for vqa",
        ),
        (("vqa", "--references", "a"), "--predictions"),
    ],
)
def test_a_mistyped_command_is_explained(bench: Command, arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = bench("score", *arguments)
    assert code != 0
    assert not out
    assert complaint in err
    assert "Traceback" not in err


def test_official_results_are_scored(vqa: Command) -> None:
    code, out, _ = vqa(VQA, RIGHT, "--json", "rows.json")
    assert code == 0
    rows = json.loads(Path("rows.json").read_text())
    assert set(rows[0]) >= ROW
    assert [(row["slice"], row["n"]) for row in rows] == [(None, 3), ("other", 1), ("yes/no", 2)]
    assert (rows[0]["system"], rows[0]["benchmark"], rows[0]["metric"]) == (
        "answers.json",
        "vqa",
        "vqa_accuracy",
    )
    assert "yes/no" in out


def test_our_own_predictions_are_scored_alike(vqa: Command) -> None:
    vqa(VQA, RIGHT, "--json", "official.json")
    lines = [
        {"sample": str(row["question_id"]), "message": {"parts": [{"text": row["answer"]}]}} for row in RIGHT
    ]
    vqa(VQA, "\n".join(map(json.dumps, lines)), "--json", "ours.json", name="predictions.jsonl")
    values = [
        [row["value"] for row in json.loads(Path(f"{name}.json").read_text())]
        for name in ("official", "ours")
    ]
    assert values[0] == values[1]


def test_an_empty_answer_is_scored_and_mentioned(vqa: Command) -> None:
    code, out, _ = vqa(VQA, [*RIGHT[:2], {"question_id": 3, "answer": ""}])
    assert code == 0
    assert "1 empty, scored as they are" in out


@pytest.mark.parametrize(
    ("references", "predictions", "complaint"),
    [
        (json.dumps(VQA)[:150], RIGHT, "annotations.json: the file is cut off"),
        (VQA, json.dumps(RIGHT)[:40], "answers.json: the file is cut off"),
        (VQA, RIGHT[:2], "answers.json: no prediction for sample '3' (1 of 3 in all)"),
        (
            VQA,
            [*RIGHT, {"question_id": 9, "answer": "x"}],
            "answers.json: sample '9' (1 in all) is unknown to vqa",
        ),
        (VQA, [*RIGHT, RIGHT[0]], "answers.json: question_id 1 occurs twice"),
        (VQA, [{"question_id": 1}], "answers.json: record 0 has no text under 'answer'"),
        (VQA, [], "answers.json: "),
        (VQA, "", "answers.json: the file is empty"),
        (VQA, [{"image_id": 1, "caption": "a cat"}], "answers.json: record 0 has no id under 'question_id'"),
    ],
)
def test_bad_files_are_named_by_file_and_record(
    vqa: Command, references: object, predictions: object, complaint: str
) -> None:
    code, out, err = vqa(references, predictions)
    assert code == 1
    assert not out
    assert complaint in only_line(err)


def test_a_question_that_nobody_answered_is_left_out_and_said_so(vqa: Command) -> None:
    unanswered = {"question_id": 4, "image_id": 8, "answer_type": "other", "answers": []}
    references = {"annotations": [*VQA["annotations"], unanswered]}
    code, out, _ = vqa(references, [*RIGHT, {"question_id": 4, "answer": "x"}], "--json", "rows.json")
    assert code == 0
    whole = json.loads(Path("rows.json").read_text())[0]
    assert (whole["n"], whole["failed"], whole["unjudged"]) == (3, 0, 1)
    assert "1 unusable in the data, left out" in out


def test_missing_answers_may_count_as_failed(vqa: Command) -> None:
    code, out, _ = vqa(VQA, RIGHT[:2], "--allow-missing")
    assert code == 0
    assert "1 failed, scored as wrong" in out


@pytest.mark.java
@pytest.mark.parametrize("family", ["image-captioning", "audio-captioning"])
def test_official_captions_are_scored(bench: Command, family: str) -> None:
    images = [{"id": k, "file_name": f"{k}.jpg"} for k in (1, 2, 3)]
    captions = [(1, "a red star"), (1, "one red star"), (2, "a blue square"), (3, "a small green circle")]
    annotations = [
        {"image_id": image, "caption": caption, "id": k} for k, (image, caption) in enumerate(captions)
    ]
    Path("captions.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    said = [
        {"image_id": 1, "caption": "a red star"},
        {"image_id": 2, "caption": "a square"},
        {"image_id": 3, "caption": ""},
    ]
    Path("results.json").write_text(json.dumps(said))
    code, out, _ = bench(
        "score",
        family,
        "--references",
        ".",
        "--predictions",
        "results.json",
        "--json",
        "rows.json",
    )
    assert code == 0, out
    rows = json.loads(Path("rows.json").read_text())
    assert {"cider_d", "bleu_4", "meteor", "rouge_l"} <= {row["metric"] for row in rows}
    assert all(row["value"] is not None and row["n"] == 3 for row in rows)


@pytest.mark.java
def test_one_item_leaves_cider_undefined_with_its_reason_and_the_rest_scored(bench: Command) -> None:
    captions = [{"image_id": 1, "caption": text} for text in ("a red bus on a street", "the bus is red")]
    Path("captions.json").write_text(json.dumps({"images": [{"id": 1}], "annotations": captions}))
    Path("results.jsonl").write_text('{"image_id": 1, "caption": "a red bus"}\n')
    files = ("--references", "captions.json", "--predictions", "results.jsonl")
    code, _, _ = bench("score", "image-captioning", *files, "--json", "rows.json")
    assert code == 0
    rows = {row["metric"]: row for row in json.loads(Path("rows.json").read_text())}
    assert rows["cider_d"]["value"] is None
    assert rows["cider_d"]["method"].startswith("undefined: cider_d of 1 item")
    assert all(row["value"] > 0 for name, row in rows.items() if name != "cider_d")
