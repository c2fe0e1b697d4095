from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.benchmark import Broken, Options, Sample
from benchmarks.tasks.images.vqa import (
    COCO_VQA,
    answer_type,
    read_annotations,
    read_vqa,
    read_vqa_results,
    samples,
)
from benchmarks.tasks.official import DataError
from nextgpt.media import Image

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the questions of ../shared/data are not here")


def ten(answer: str) -> list[dict[str, Any]]:
    return [{"answer": answer, "answer_confidence": "yes", "answer_id": k} for k in range(1, 11)]


QUESTIONS: dict[str, Any] = {
    "data_subtype": "val2014",
    "questions": [
        {"image_id": 7, "question_id": 7001, "question": "Is it red?"},
        {"image_id": 7, "question_id": 7002, "question": "How many?"},
        {"image_id": 8, "question_id": 8001, "question": "What is it?"},
    ],
}
ANNOTATIONS: dict[str, Any] = {
    "annotations": [
        {"image_id": 7, "question_id": 7001, "answer_type": "yes/no", "answers": ten("yes")},
        {"image_id": 7, "question_id": 7002, "answer_type": "number", "answers": ten("2")},
        {"image_id": 8, "question_id": 8001, "answer_type": "other", "answers": ten("a cat")},
    ],
}


def copied(value: dict[str, Any]) -> Any:
    return json.loads(json.dumps(value))


def write(
    folder: Path, questions: object = QUESTIONS, annotations: object = ANNOTATIONS
) -> tuple[Path, Path]:
    paths = folder / "vqa_questions.json", folder / "vqa_annotations.json"
    for path, value in zip(paths, (questions, annotations), strict=True):
        path.write_text(json.dumps(value), encoding="utf-8")
    return paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    Image(pixels).save(tmp_path / "images" / "000000000007.png")
    Image(pixels + 9).save(tmp_path / "images" / "COCO_val2014_000000000008.jpg")  # by either of COCO's names
    return tmp_path


def test_questions_and_answers_are_joined_by_id(tmp_path: Path) -> None:
    shuffled = {"annotations": ANNOTATIONS["annotations"][::-1]}
    asked = read_vqa(*write(tmp_path, annotations=shuffled))
    assert [item.id for item in asked] == ["7001", "7002", "8001"]
    assert asked[1].annotation == ANNOTATIONS["annotations"][1]
    assert (asked[2].image_id, asked[2].question) == ("8", "What is it?")


def test_folder_becomes_samples_clustered_by_image(folder: Path) -> None:
    found = [sample for sample in samples(folder) if isinstance(sample, Sample)]
    assert [(sample.id, sample.group, answer_type(sample)) for sample in found] == [
        ("7001", "7", "yes/no"),
        ("7002", "7", "number"),
        ("8001", "8", "other"),
    ]
    assert found[0].request.conversation[0].text == "Is it red?"
    assert found[2].request.conversation[0].images[0].width == 8


def test_a_question_without_a_type_is_in_no_slice(folder: Path) -> None:
    data = copied(ANNOTATIONS)
    del data["annotations"][2]["answer_type"]
    write(folder, annotations=data)
    slices = [answer_type(sample) for sample in samples(folder) if isinstance(sample, Sample)]
    assert slices == ["yes/no", "number", None]


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("VizWiz_val_00000000.jpg", "VizWiz_val_00000000.jpg"),
        ("Photo.PNG", "Photo.PNG"),
        ("003a8ae2ef43b901", "003a8ae2ef43b901.jpg"),
        ("abc", "abc.png"),
    ],
)
def test_an_id_that_is_no_number_is_a_files_name_with_its_ending_or_without(
    tmp_path: Path, image: str, file: str
) -> None:
    question = {"image_id": image, "question_id": 0, "question": "What is this?"}
    annotation = {"image_id": image, "question_id": 0, "answers": ten("soup")}
    write(tmp_path, {"questions": [question]}, {"annotations": [annotation]})
    pixels = np.full((8, 8, 3), 9, dtype=np.uint8)
    Image(pixels).save(tmp_path / "images" / Path(file).with_suffix(".png"))
    (tmp_path / "images" / Path(file).with_suffix(".png")).rename(tmp_path / "images" / file)
    (sample,) = samples(tmp_path)
    assert isinstance(sample, Sample)
    assert sample.request.conversation[0].images[0].width == 8
    (tmp_path / "images" / file).unlink()
    (broken,) = samples(tmp_path)
    assert isinstance(broken, Broken)
    assert f"images/{image}: no such file" in broken.reason


@pytest.mark.parametrize("answers", ["missing", "empty"])
def test_question_without_answers_breaks_its_sample_alone(folder: Path, answers: str) -> None:
    data = copied(ANNOTATIONS)
    if answers == "missing":
        del data["annotations"][1]
    else:
        data["annotations"][1]["answers"] = []
    write(folder, annotations=data)
    kinds = [type(sample) for sample in samples(folder)]
    assert kinds == [Sample, Broken, Sample]
    assert list(samples(folder))[1] == Broken("7002", "vqa_annotations.json: question 7002 has no answers.")


def test_missing_picture_breaks_every_question_about_it(folder: Path) -> None:
    (folder / "images" / "000000000007.png").unlink()
    first, second, third = samples(folder)
    assert isinstance(first, Broken)
    assert isinstance(second, Broken)
    assert first.reason == "images/000000000007.jpg: no such file; check the path."
    assert isinstance(third, Sample)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda q, a: q["questions"].append(q["questions"][0]), "question 7001 occurs twice"),
        (lambda q, a: a["annotations"].append(a["annotations"][0]), "question 7001 occurs twice"),
        (lambda q, a: q["questions"].pop(), r"question 8001 \(1 in all\) is not asked"),
        (lambda q, a: a["annotations"][0].update(answers="yes"), "question 7001 has no list of answers"),
        (lambda q, a: a["annotations"][0]["answers"][0].pop("answer"), "no text under 'answer'"),
        (lambda q, a: a["annotations"][0].update(image_id=8), "about image 7, its annotation about 8"),
        (lambda q, a: q["questions"][0].pop("question"), "question 7001 has no text under 'question'"),
        (lambda q, a: q.pop("questions"), "no list under 'questions'"),
    ],
)
def test_files_that_make_no_sense_together_are_refused(
    tmp_path: Path, spoil: Callable[[Any, Any], object], words: str
) -> None:
    questions, annotations = copied(QUESTIONS), copied(ANNOTATIONS)
    spoil(questions, annotations)
    with pytest.raises(DataError, match=words):
        read_vqa(*write(tmp_path, questions, annotations))


def test_annotations_cut_in_half_are_one_clear_error(folder: Path) -> None:
    path = folder / "vqa_annotations.json"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"vqa_annotations\.json: the file is cut off"):
        next(samples(folder))


def test_results_keep_empty_answers(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('[{"question_id": 7001, "answer": ""}, {"question_id": "7002", "answer": "2"}]')
    assert read_vqa_results(path) == {"7001": "", "7002": "2"}


def test_question_answered_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('[{"question_id": 7, "answer": "a"}, {"question_id": 7, "answer": "a"}]')
    with pytest.raises(DataError, match=r"results\.json: question_id 7 occurs twice"):
        read_vqa_results(path)


@real
def test_real_questions_have_ten_answers_and_a_photograph_each() -> None:
    found = list(COCO_VQA.samples(Options(data=DATA / "coco")))
    assert len(found) == 23
    for sample in found:
        assert isinstance(sample, Sample)
        assert len(sample.references["annotation"]["answers"]) == 10


@real
def test_real_gzipped_pair_is_whole() -> None:
    text = DATA / "vqa_v2_text"
    asked = read_vqa(text / "questions.json.gz", text / "annotations.json.gz")
    assert len(asked) == 2962
    assert all(item.annotation is not None for item in asked)
    assert len(read_annotations(text / "annotations.json.gz")) == 2962
