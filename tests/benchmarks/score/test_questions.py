"""`nextgpt-bench score` for answers to questions: VQA's parts, exact match, NExT-QA, ActivityNet-QA, POPE."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.terminal import Command, only_line

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the official files of ../shared/data are not here")


def ten(*answers: str) -> list[dict[str, Any]]:
    return [{"answer": answer, "answer_confidence": "yes"} for answer in (answers * 10)[:10]]


def write(name: str, content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8")
    return name


def scored(bench: Command, family: str, references: Any, predictions: Any, *more: str) -> dict[Any, Any]:
    """Value and number of items by metric and slice; what is given is a file's name, or its content."""
    names = [
        str(each) if isinstance(each, Path) else write(name, each)
        for name, each in (("references.json", references), ("predictions.json", predictions))
    ]
    code, _, err = bench(
        "score", family, "--references", names[0], "--predictions", names[1], "--json", "rows.json", *more
    )
    assert code == 0, err
    rows = json.loads(Path("rows.json").read_text())
    assert {row["benchmark"] for row in rows} == {family}
    return {(row["metric"], row["slice"]): (row["value"], row["n"]) for row in rows}


# --- VQA -------------------------------------------------------------------------------------------------


def test_vqa_has_rows_by_type_of_question_and_of_answer_where_they_are_given(bench: Command) -> None:
    kinds = ((1, "what is", "other"), (2, "what is", "number"), (3, "is it", "other"))
    annotations = [
        {"question_id": key, "question_type": question, "answer_type": answer, "answers": ten("a", "b")}
        for key, question, answer in kinds
    ]
    answers = [{"question_id": key, "answer": answer} for key, answer in ((1, "a"), (2, "c"), (3, "b"))]
    assert scored(bench, "vqa", {"annotations": annotations}, answers) == {
        ("vqa_accuracy", None): (pytest.approx(2 / 3), 3),
        ("vqa_accuracy", "number"): (0, 1),
        ("vqa_accuracy", "other"): (1, 2),
        ("vqa_accuracy", "question: is it"): (1, 1),
        ("vqa_accuracy", "question: what is"): (0.5, 2),
    }
    for annotation in annotations:
        del annotation["question_type"], annotation["answer_type"]
    assert set(scored(bench, "vqa", {"annotations": annotations}, answers)) == {("vqa_accuracy", None)}


def test_equal_answers_without_ids_are_those_of_different_people(bench: Command) -> None:
    annotations = [{"question_id": 0, "question_type": "other", "answers": ten("unanswerable")}]
    found = scored(bench, "vqa", {"annotations": annotations}, [{"question_id": 0, "answer": "unanswerable"}])
    assert found == {("vqa_accuracy", None): (1, 1), ("vqa_accuracy", "question: other"): (1, 1)}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_too_few_answers_for_vqa_are_refused_with_the_way_out(bench: Command, n: int) -> None:
    annotations = [{"question_id": key, "answers": ten("man")[:n]} for key in (0, 1)]
    answers = [{"question_id": 0, "answer": "man"}, {"question_id": 1, "answer": "dog"}]
    files = "--references", write("r.json", {"annotations": annotations}), "--predictions"
    code, out, err = bench("score", "vqa", *files, write("p.json", answers))
    assert (code, out) == (1, "")
    assert "score this file by exact-match" in only_line(err)
    found = scored(bench, "exact-match", {"annotations": annotations}, answers)
    assert found["exact_match", None] == (0.5, 2)


def test_a_question_with_too_few_answers_is_left_out_and_counted(bench: Command) -> None:
    annotations = [{"question_id": key, "answers": ten("man")[:n]} for key, n in ((0, 10), (1, 3))]
    answers = [{"question_id": 0, "answer": "man"}, {"question_id": 1, "answer": "man"}]
    assert scored(bench, "vqa", {"annotations": annotations}, answers) == {("vqa_accuracy", None): (1, 1)}
    row = json.loads(Path("rows.json").read_text())[0]
    assert (row["failed"], row["unjudged"]) == (0, 1)
    assert "1 unusable in the data, left out" in row["method"]


@real
@pytest.mark.parametrize("name", ["vizwiz", "textvqa"])
def test_official_files_of_the_vqa_form_score_their_majority_near_one(bench: Command, name: str) -> None:
    path = DATA / "formats" / f"{name}_val_annotations.json"
    majority = [
        {
            "question_id": row["question_id"],
            "answer": Counter(answer["answer"] for answer in row["answers"]).most_common(1)[0][0],
        }
        for row in json.loads(path.read_text())["annotations"]
    ]
    found = scored(bench, "vqa", path, majority)
    assert found["vqa_accuracy", None][0] > 0.99
    assert "other" not in {part for _, part in found}


# --- one right answer ------------------------------------------------------------------------------------


def test_exact_match_is_letter_by_letter_and_after_normalising(bench: Command) -> None:
    asked = [{"id": key, "video_id": key // 2, "question": "?", "answer": "dog"} for key in range(4)]
    said = [{"id": key, "answer": answer} for key, answer in enumerate(("dog", "A dog.", "cat", ""))]
    assert scored(bench, "exact-match", asked, said) == {
        ("exact_match", None): (0.25, 4),
        ("exact_match_normalized", None): (0.5, 4),
    }


def test_a_question_that_nobody_answered_is_left_out_of_exact_match_and_counted(bench: Command) -> None:
    annotations = [{"question_id": key, "answers": ten("man")[:n]} for key, n in ((0, 1), (1, 0))]
    answers = [{"question_id": 0, "answer": "man"}, {"question_id": 1, "answer": "man"}]
    found = scored(bench, "exact-match", {"annotations": annotations}, answers)
    assert found["exact_match", None] == (1, 1)
    assert "1 unusable in the data, left out" in json.loads(Path("rows.json").read_text())[0]["method"]


def test_exact_match_refuses_people_who_disagree(bench: Command) -> None:
    references = write("r.json", {"annotations": [{"question_id": 5, "answers": ten("a", "b")}]})
    predictions = write("p.json", [{"question_id": 5, "answer": "a"}])
    _, _, err = bench("score", "exact-match", "--references", references, "--predictions", predictions)
    assert "question 5 has different answers, 'a' and 'b'" in only_line(err)
    assert "by vqa" in err


@real
def test_the_official_answers_of_msvd_qa_are_scored(bench: Command) -> None:
    rows = json.loads((DATA / "msvd/msvd_qa.json").read_text())
    said = [{"question_id": row["id"], "answer": row["answer"] if row["id"] % 2 else "x"} for row in rows]
    right = sum(row["id"] % 2 for row in rows)
    found = scored(bench, "exact-match", DATA / "msvd/msvd_qa.json", said)
    assert found["exact_match", None] == (pytest.approx(right / len(rows)), len(rows))


def test_activitynet_has_its_types_and_its_free_questions(bench: Command) -> None:
    asked = [
        {"question_id": f"v_{key // 2}_{key}", "answer": "yes", "type": kind}
        for key, kind in enumerate((0, 3, 3, 8))
    ]
    said = [{"question_id": row["question_id"], "answer": "no"} for row in asked]
    said[1]["answer"] = "yes"
    found = scored(bench, "activitynet-qa", asked, said)
    assert {part: value for (metric, part), value in found.items() if metric == "exact_match"} == {
        None: (0.25, 4),
        "free": (pytest.approx(1 / 3), 3),
        "motion": (0, 1),
        "other": (0, 1),
        "yes/no": (0.5, 2),
    }


@real
def test_the_official_answers_of_activitynet_are_scored(bench: Command) -> None:
    path = DATA / "formats/activitynet_qa_test_a.json"
    found = scored(bench, "activitynet-qa", path, json.loads(path.read_text()))
    assert found["exact_match", "free"] == (1, 12)


# --- NExT-QA ---------------------------------------------------------------------------------------------

HEAD = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"


def next_qa(kinds: Sequence[str], answer: int = 1) -> str:
    rows = [f"77,9,6,4,why?,{answer},{key},{kind},p,q,r,s,t\n" for key, kind in enumerate(kinds)]
    return HEAD + "".join(rows)


@pytest.mark.parametrize(
    "predictions",
    [
        {"77_0": {"prediction": 1, "answer": 1}, "77_1": {"prediction": 0, "answer": 1}},
        {"77_0": "B", "77_1": "who knows"},
        [{"question_id": "77_0", "answer": "(B) q"}, {"question_id": "77_1", "answer": 0}],
    ],
)
def test_next_qa_reads_places_and_replies(bench: Command, predictions: Any) -> None:
    write("val.csv", next_qa(["CW", "TP"]))
    found = scored(bench, "next-qa", Path("val.csv"), predictions)
    assert found["choice_accuracy", None] == (0.5, 2)
    assert found["choice_accuracy", "causal: why"] == (1, 1)
    assert found["choice_accuracy", "temporal"] == (0, 1)
    assert found["choice_accuracy", "temporal: before and after"] == (0, 1)
    assert found["choice_unparsed", None][0] == (0.5 if "who" in json.dumps(predictions) else 0)


def test_questions_and_replies_may_be_gzipped_csv(bench: Command) -> None:
    Path("val.csv.gz").write_bytes(gzip.compress(next_qa(["CW", "TP"]).encode()))
    replies = b"question_id,answer\n77_0,B\n77_1,a p\n"
    Path("replies.csv.gz").write_bytes(gzip.compress(replies))
    found = scored(bench, "next-qa", Path("val.csv.gz"), Path("replies.csv.gz"))
    assert found["choice_accuracy", None] == (0.5, 2)


@pytest.mark.parametrize(
    ("references", "predictions", "complaint"),
    [
        (next_qa(["XX"]), {}, "val.csv, line 2 is of type 'XX'; there are CW"),
        (next_qa(["CW"], answer=5), {}, "val.csv, line 2 has the answer 5"),
        (next_qa(["CW"]) + next_qa(["CW"]).partition("\n")[2], {}, "question 77_0 occurs twice"),
        (next_qa(["CW"]), {"77_0": {"prediction": 5}}, "77_0 is answered by 5; give an option's place"),
        (next_qa(["CW"]), {"77_0": True}, "77_0 is answered by True"),
        (next_qa(["CW"]), '{"77_0": 1, "77_0": 2}', "an object has two values under '77_0'"),
        (next_qa(["CW"]), {"77_1": 1}, "sample '77_1' (1 in all) is unknown to next-qa"),
    ],
)
def test_files_of_next_qa_that_make_no_sense_are_a_line(
    bench: Command, references: str, predictions: Any, complaint: str
) -> None:
    files = "--references", write("val.csv", references), "--predictions", write("p.json", predictions)
    code, out, err = bench("score", "next-qa", *files)
    assert (code, out) == (1, "")
    assert complaint in only_line(err)


@real
def test_next_qa_scores_the_official_questions_as_the_official_script_groups_them(bench: Command) -> None:
    with (DATA / "nextqa/val.csv").open() as file:
        rows = list(csv.DictReader(file))
    said = {f"{row['video']}_{row['qid']}": {"prediction": 2, "answer": int(row["answer"])} for row in rows}
    found = scored(bench, "next-qa", DATA / "nextqa/val.csv", said)
    for part, letter in (("causal", "C"), ("temporal", "T"), ("descriptive", "D"), (None, "")):
        group = [row["answer"] == "2" for row in rows if row["type"].startswith(letter)]
        assert found["choice_accuracy", part] == (pytest.approx(sum(group) / len(group)), len(group))


# --- POPE ------------------------------------------------------------------------------------------------

LABELS = ("yes", "yes", "no", "no", "no")
REPLIES = ("Yes.", "No, there is none.", "Yes, two.", "There is not. Yes!", "no")
POLLED = "\n".join(
    json.dumps({"question_id": key, "image": "a.jpg", "text": "Is there a dog?", "label": label})
    for key, label in enumerate(LABELS, 1)
)
POPE = {
    "accuracy": 3 / 5,
    "precision": 1 / 2,
    "recall": 1 / 2,
    "f1": 1 / 2,
    "yes_ratio": 2 / 5,
    "unparsed": 0,
}


@pytest.mark.parametrize("ids", [True, False])
def test_pope_is_read_by_id_or_in_the_order_of_its_questions(bench: Command, ids: bool) -> None:
    said: list[dict[str, Any]] = [{"question": "?", "answer": reply} for reply in REPLIES]
    if ids:
        said = [{"question_id": key, "text": row["answer"]} for key, row in enumerate(said, 1)][::-1]
    found = scored(bench, "pope", POLLED, "\n".join(map(json.dumps, said)))
    assert found == {(f"pope_{name}", None): (pytest.approx(value), 5) for name, value in POPE.items()}


def test_a_model_that_only_says_no_has_no_precision(bench: Command) -> None:
    found = scored(bench, "pope", POLLED, "\n".join(['{"answer": "no"}'] * 5))
    assert found["pope_precision", None] == (None, 5)
    assert found["pope_recall", None] == (0, 5)
    row = next(row for row in json.loads(Path("rows.json").read_text()) if row["metric"] == "pope_precision")
    assert "undefined" in row["method"]


def test_a_missing_answer_to_pope_is_wrong_and_neither_yes_nor_no(bench: Command) -> None:
    said = [{"question_id": key, "answer": reply} for key, reply in enumerate(REPLIES[1:], 2)]
    found = scored(bench, "pope", POLLED, said, "--allow-missing")
    assert found["pope_accuracy", None] == (pytest.approx(2 / 5), 5)
    assert found["pope_yes_ratio", None] == (0.25, 4)


@pytest.mark.parametrize(
    ("references", "predictions", "complaint"),
    [
        (POLLED, [{"answer": "no"}] * 4, "no prediction for sample '5'"),
        (POLLED, [{"answer": "no"}, {"question_id": 2, "answer": "no"}], "record 0 has no question_id"),
        (POLLED.replace('"no"', '"maybe"'), [], "has the label 'maybe'; there are yes and no"),
    ],
)
def test_files_of_pope_that_make_no_sense_are_a_line(
    bench: Command, references: str, predictions: Any, complaint: str
) -> None:
    files = "--references", write("r.json", references), "--predictions", write("p.json", predictions)
    code, _, err = bench("score", "pope", *files)
    assert code == 1
    assert complaint in only_line(err)


@real
@pytest.mark.parametrize("name", ["random", "adversarial"])
def test_the_official_questions_of_pope_are_scored(bench: Command, name: str) -> None:
    path = DATA / "formats" / f"pope_coco_{name}.json"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = scored(bench, "pope", path, [{"answer": "Yes"}] * len(rows))
    share = sum(row["label"] == "yes" for row in rows) / len(rows)
    assert found["pope_accuracy", None] == found["pope_precision", None] == (pytest.approx(share), 12)
    assert found["pope_yes_ratio", None] == (1, 12)
