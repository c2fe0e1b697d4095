"""VQA accuracy against the official script's rules, written out slowly below; exact match."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.speed import vqa_rules
from metrics.answers import annotations as vqa_annotations
from metrics.answers.accuracy import ExactMatch, VqaAccuracy, VqaAccuracyLmmsEval, vqa_accuracy
from metrics.answers.normalizer import _SPELLINGS, normalized, trimmed
from metrics.metric import MetricInputError

REAL = Path(__file__).parents[3].parent / "shared" / "data" / "vqa_v2_text" / "annotations.json.gz"

ANSWERS = st.one_of(
    st.sampled_from(
        [
            "yes",
            "Yes",
            "no",
            "2",
            "two",
            "none",
            "the 2",
            "a dog",
            "dog",
            "dont",
            "don't",
            "1,000",
            "1000",
            "",
        ]
    ),
    st.text("aT2o.,;-/' \n!\"", max_size=8),
)


def annotation(*answers: str, ids: bool = True, **other: str) -> dict[str, Any]:
    return {
        "answers": [
            {"answer": answer, "answer_confidence": "yes"} | ({"answer_id": number + 1} if ids else {})
            for number, answer in enumerate(answers)
        ],
        **other,
    }


def official(prediction: str, question: dict[str, Any], *, lmms_eval: bool = False) -> float:
    """The slow reference for one question, on a copy: it changes annotations, as the script does."""
    return vqa_rules.accuracies([prediction], [copy.deepcopy(question)], lmms_eval=lmms_eval)[0]


@given(ANSWERS, st.lists(ANSWERS, min_size=4, max_size=11))
def test_each_answer_is_scored_as_by_the_official_script(prediction: str, answers: list[str]) -> None:
    question = annotation(*answers)
    assert VqaAccuracy().statistics([prediction], [question])[0] == pytest.approx(
        official(prediction, question), abs=1e-12
    )
    assert VqaAccuracyLmmsEval().statistics([prediction], [question])[0] == pytest.approx(
        official(prediction, question, lmms_eval=True), abs=1e-12
    )


@pytest.mark.parametrize(
    "new_id", [str, float, lambda i: i + 1000, lambda i: -i, lambda i: f"person {i}", list]
)
@given(st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=7), min_size=1, max_size=5))
def test_ids_of_any_kind_tell_answers_apart(new_id: Callable[[Any], Any], ids: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vqa_annotations, "BLOCK", 2)
        make = (lambda i: [i]) if new_id is list else new_id
        questions = [
            {"answers": [{"answer": "b" if i == 4 else "a", "answer_id": make(i)} for i in group]}
            for group in ids
        ]
        expected = [official("a", question) for question in questions]
        assert VqaAccuracy().statistics(["a"] * len(ids), questions) == pytest.approx(expected, abs=1e-12)


@given(st.text(max_size=60))
def test_any_text_is_normalised_as_by_the_official_script(text: str) -> None:
    assert normalized(trimmed(text)) == vqa_rules.normalised(trimmed(text), vqa_rules.THOUSANDS)


@pytest.mark.skipif(not REAL.exists(), reason=f"needs the VQA v2 questions in {REAL}")
def test_real_questions_are_scored_as_by_the_official_script() -> None:
    questions = json.loads(gzip.decompress(REAL.read_bytes()))["annotations"][::5]
    rng = random.Random(0)
    every = [answer["answer"] for question in questions for answer in question["answers"]]
    disguises: list[Callable[[str], str]] = [
        str,
        str.title,
        lambda answer: f"The {answer}.",
        lambda answer: f"{answer}\n",
        lambda answer: "",
    ]
    predictions = [
        rng.choice(disguises)(rng.choice([rng.choice(question["answers"])["answer"], rng.choice(every)]))
        for question in questions
    ]
    scores = vqa_accuracy(predictions, questions)
    expected = np.array(
        [official(prediction, question) for prediction, question in zip(predictions, questions, strict=True)]
    )
    assert np.abs(scores.items - expected).max() < 1e-12
    assert scores.accuracy == pytest.approx(expected.mean(), abs=1e-12)
    kinds = np.array([question["answer_type"] for question in questions])
    assert set(scores.by_answer_type) == {"yes/no", "number", "other"}
    for kind, value in scores.by_answer_type.items():
        assert value == pytest.approx(expected[kinds == kind].mean(), abs=1e-12)


@given(ANSWERS, st.lists(ANSWERS, min_size=4, max_size=11), st.sampled_from(["absent", "null", "half"]))
def test_answers_without_ids_are_told_apart_by_place(prediction: str, answers: list[str], ids: str) -> None:
    given = annotation(*answers)
    for place, answer in enumerate(given["answers"]):
        if ids == "null":
            answer["answer_id"] = None
        elif ids == "absent" or place % 2:
            del answer["answer_id"]
    for metric, lmms_eval in ((VqaAccuracy(), False), (VqaAccuracyLmmsEval(), True)):
        expected = official(prediction, annotation(*answers), lmms_eval=lmms_eval)
        assert metric.statistics([prediction], [given])[0] == pytest.approx(expected, abs=1e-12)


def test_a_file_may_lack_ids_and_types() -> None:
    questions = [annotation(*["no"] * k, *["soup"] * (10 - k), ids=False) for k in (10, 4, 3, 1)]
    scores = vqa_accuracy(["no"] * 4, questions)
    assert scores.items.tolist() == [1, 1, 0.9, 0.3]
    assert (scores.by_answer_type, scores.by_question_type) == ({}, {})


@pytest.mark.parametrize("metric", [VqaAccuracy(), VqaAccuracyLmmsEval()])
@pytest.mark.parametrize("people", [1, 2, 3])
@pytest.mark.parametrize("ids", [True, False])
def test_fewer_than_four_answers_are_refused_with_the_way_out(
    metric: VqaAccuracy, people: int, ids: bool
) -> None:
    few = annotation(*["dog"] * people, ids=ids, question_id="q7")
    questions = [annotation(*["dog"] * 4, ids=ids), few]
    message = rf"question q7 \(item 1\): VQA accuracy needs 4 .* finds {people}, .*exact match"
    with pytest.raises(MetricInputError, match=message):
        metric.statistics(["dog", "dog"], questions)
    assert metric.statistics(["dog"], questions[:1]).tolist() == [1]


def test_the_ladder_of_agreement() -> None:
    questions = [annotation(*["cat"] * agreeing, *["dog"] * (10 - agreeing)) for agreeing in range(6)]
    assert VqaAccuracy().statistics(["cat"] * 6, questions).tolist() == [0, 0.3, 0.6, 0.9, 1, 1]


def test_unanimous_annotators_are_compared_letter_by_letter() -> None:
    agreed, divided = annotation(*["yes"] * 10), annotation(*["yes"] * 9, "no")
    assert VqaAccuracy().statistics(["Yes", "yes\n", "Yes."], [agreed, agreed, divided]).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("5.", "5"),
        (".5", ".5"),
        ("a.b.c", "abc"),
        ("1,000 - 2", "1000 2"),
        ("red/blue", "red blue"),
        ("red/ blue/green", "red bluegreen"),
        ("don't! dont", "don't don't"),
        ("somebody'd", "somebodyd"),
        ("none", "0"),
        ("The Ten", "10"),
        ("Im", "im"),
        ("." * 40 + "x", "........x"),
        ("it's: 3:30 & $5", "it's: 3:30 & $5"),
    ],
)
def test_quirks_of_the_normaliser(answer: str, expected: str) -> None:
    assert normalized(answer) == expected


def test_the_contractions_table_is_the_scripts() -> None:
    # Of its 120 keys, 4 hold a capital and can never be met, 2 stand for themselves.
    assert len(_SPELLINGS) == 114
    assert _SPELLINGS["youd've"] == _SPELLINGS["you'dve"] == "you'd've"
    assert _SPELLINGS["ow's'at"] == _SPELLINGS["'ow'sat"] == "'ow's'at"


def test_lmms_eval_deletes_punctuation_around_several_commas_too() -> None:
    question = annotation("1,,000;1", *["2"] * 9)
    for metric, prediction in ((VqaAccuracy(), "1 000 1"), (VqaAccuracyLmmsEval(), "10001")):
        assert metric.statistics([prediction], [question]).tolist() == [0.3]


def test_scoring_twice_gives_the_same_and_leaves_annotations_alone() -> None:
    question = annotation("The dog", *["a dog."] * 9)
    before = copy.deepcopy(question)
    assert VqaAccuracy().statistics(["dog"], [question]) == VqaAccuracy().statistics(["dog"], [question])
    assert question == before


def test_shards_merge_to_the_same_digits() -> None:
    metric = VqaAccuracy()
    questions = [annotation(*["cat"] * (number % 5), *["dog"] * (10 - number % 5)) for number in range(30)]
    whole = metric.statistics(["cat"] * 30, questions)
    parts = [metric.statistics(["cat"] * 7, questions[:7]), metric.statistics(["cat"] * 23, questions[7:])]
    assert metric.value(metric.merge(parts)) == metric.value(whole)


@pytest.mark.parametrize(
    ("predictions", "questions", "message"),
    [
        (["a"], [], "1 predictions but 0 references"),
        ([None], [annotation("a")], "item 0: its prediction None is not a string"),
        ([b"a"], [annotation("a")], "item 0: its prediction b'a' is not a string"),
        (["a"], [{"question_id": 7}], "question 7 .item 0.: its annotation has no `answers`"),
        (["a"], [{"question_id": 7, "answers": []}], "question 7"),
        (["a", "a"], [annotation(*"aaaa"), annotation(None)], "item 1"),  # type: ignore[arg-type]
        (["a"], [None], "item 0"),
    ],
)
def test_bad_input_is_named(predictions: list[Any], questions: list[Any], message: str) -> None:
    with pytest.raises(MetricInputError, match=message):
        VqaAccuracy().statistics(predictions, questions)


def test_no_questions_have_no_accuracy() -> None:
    with pytest.raises(MetricInputError, match="no items"):
        vqa_accuracy([], [])


def test_types_that_an_annotation_does_not_give_are_left_out() -> None:
    scores = vqa_accuracy(["a", "b"], [annotation(*"abcd", answer_type="other"), annotation(*"bbbb")])
    assert scores.by_answer_type == {"other": pytest.approx(0.25)}
    assert scores.by_question_type == {}


def test_exact_match_is_letter_by_letter_unless_normalised() -> None:
    pairs = (["Dog", "a dog", "dog"], ["dog", "dog", "dog"])
    assert ExactMatch().statistics(*pairs).tolist() == [0, 0, 1]
    assert ExactMatch(normalize=True).statistics(*pairs).tolist() == [1, 1, 1]
    assert ExactMatch().signature != ExactMatch(normalize=True).signature
    with pytest.raises(MetricInputError, match="item 1"):
        ExactMatch().statistics(["a", None], ["a", "b"])  # type: ignore[list-item]
