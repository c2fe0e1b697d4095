"""Captioned photographs and sounds: read as their owners lay them out, half of them kept from training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tasks.photographs.kept import kept_back as measured
from nextgpt.captioned import CaptionedError, kept_back, read
from nextgpt.media import Audio, Image
from nextgpt.training.captioned import VIEWS, examples, view
from nextgpt.training.data import Broken, Example, TrainingError
from tests.packaged import DATA, real_data

SHOWN = {"86": "a road", "285": "a bear", "71": "a train", "632": "a bed"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images, audio = tmp_path / "coco" / "images", tmp_path / "audiocaps" / "audio"
    images.mkdir(parents=True)
    audio.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for key in SHOWN:
        Image(rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)).save(images / f"{key}.png")
    rows = [{"id": n, "image_id": int(key), "caption": said} for n, (key, said) in enumerate(SHOWN.items())]
    data = {"images": [{"id": int(key), "file_name": f"{key}.png"} for key in SHOWN], "annotations": rows}
    (tmp_path / "coco" / "captions.json").write_text(json.dumps(data))
    lines = ["audiocap_id,youtube_id,start_time,caption", "1,FDwK7T1JO_0,160,an engine", ""]
    (tmp_path / "audiocaps" / "captions.csv").write_text("\n".join(lines))
    Audio(np.zeros(1600, np.float32), rate=16_000).save(audio / "FDwK7T1JO_0_160.wav")
    return tmp_path


def test_what_is_kept_from_training_is_what_the_benchmarks_measure() -> None:
    keys = [str(number) for number in range(500)] + ["FDwK7T1JO_0_160", "é"]
    assert [kept_back(key) for key in keys] == [measured(key) for key in keys]
    assert 200 < sum(map(kept_back, keys)) < 300


def test_photograph_that_a_question_is_about_is_kept_back(folder: Path) -> None:
    assert {item.id for item in read(folder) if item.kept_back} == {k for k in SHOWN if kept_back(k)}
    asked = {"questions": [{"question_id": 1, "image_id": 86, "question": "?"}]}
    (folder / "coco" / "vqa_questions.json").write_text(json.dumps(asked))
    assert "86" in {item.id for item in read(folder) if item.kept_back}


def test_examples_are_of_what_is_not_kept_back_the_same_for_the_same_seed(folder: Path) -> None:
    first, again = (list(examples("encoding", 12, 0, folder=str(folder))) for _ in range(2))
    made = [each for each in first if isinstance(each, Example)]
    assert len(made) == 12
    learnt = {f"{key}.png" for key in SHOWN if not kept_back(key)}
    assert {each.name for each in made} == learnt | {"FDwK7T1JO_0_160.wav"}
    said = [(each.conversation[0].text, each.conversation[1].text) for each in made]
    assert said == [(e.conversation[0].text, e.conversation[1].text) for e in again if isinstance(e, Example)]
    assert {request for request, _ in said} == {
        "describe the picture.",
        "Describe the sound in one sentence.",
    }
    wordings = {
        e.conversation[0].text
        for e in examples("instruct", 40, 0, folder=str(folder))
        if isinstance(e, Example)
    }
    assert len(wordings) > 3


def test_views_of_a_photograph_differ_and_are_always_the_same(folder: Path) -> None:
    path = folder / "coco" / "images" / "86.png"
    views = [view(path, number) for number in range(VIEWS)]
    assert len({each.content_hash for each in views}) == VIEWS
    assert [view(path, number).content_hash for number in range(VIEWS)] == [e.content_hash for e in views]
    assert (views[1].pixels[:, ::-1] == views[0].pixels).all()


def test_photograph_that_is_missing_breaks_its_examples_alone(folder: Path) -> None:
    (folder / "coco" / "images" / "86.png").unlink()
    found = list(examples("encoding", 12, 0, folder=str(folder)))
    assert {each.name for each in found if isinstance(each, Broken)} == {"86.png"}
    assert any(isinstance(each, Example) for each in found)


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        (
            "coco/captions.json",
            '{"images": [{"id": 1}], "annotations": [{"image_id": 1}]}',
            "'caption' is missing",
        ),
        ("coco/captions.json", '{"images": [', "not valid JSON"),
        ("audiocaps/captions.csv", "a,b\n1,2\n", "not as AudioCaps has it"),
    ],
)
def test_file_of_another_form_is_named(folder: Path, file: str, content: str, complaint: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(ValueError, match=complaint) as caught:
        read(folder)
    assert file.rpartition("/")[2] in str(caught.value)


def test_folder_without_captions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptionedError, match=r"neither coco/captions\.json nor audiocaps/captions\.csv"):
        read(tmp_path)
    with pytest.raises(TrainingError, match="teach nothing about making media"):
        list(examples("decoding", 1, 0, folder=str(tmp_path)))


@real_data
def test_real_folder_is_cut_in_two() -> None:
    found = read(DATA)
    counts = {
        (kind, kept): sum((i.kind, i.kept_back) == (kind, kept) for i in found)
        for kind in ("image", "audio")
        for kept in (True, False)
    }
    assert counts == {("image", True): 55, ("image", False): 58, ("audio", True): 9, ("audio", False): 3}
    assert all(item.path.exists() for item in found)
