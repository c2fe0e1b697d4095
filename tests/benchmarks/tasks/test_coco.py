from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.benchmark import Broken, Options, Sample
from benchmarks.tasks.images.coco import (
    COCO_CAPTIONS,
    PROMPT,
    caption_uses,
    read_caption_results,
    read_captions,
    samples,
)
from benchmarks.tasks.official import DataError
from nextgpt.media import Image

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "coco"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the photographs of ../shared/data/coco are not here")

CAPTIONS: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "b.png"}],
    "annotations": [
        {"id": 1, "image_id": 7, "caption": "a cat"},
        {"id": 2, "image_id": 8, "caption": "two dogs"},
        {"id": 3, "image_id": 7, "caption": "one cat, sitting"},
    ],
}


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def picture(seed: int = 0, side: int = 8) -> Image:
    return Image(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "captions.json", CAPTIONS)
    picture(1).save(tmp_path / "images" / "a.png")
    picture(2).save(tmp_path / "images" / "b.png")
    return tmp_path


def test_captions_are_gathered_by_image_in_the_order_of_the_file(tmp_path: Path) -> None:
    images = read_captions(write(tmp_path / "captions.json", CAPTIONS))
    assert list(images) == ["7", "8"]
    assert images["7"].captions == ("a cat", "one cat, sitting")
    assert images["8"].file_name == "b.png"


def test_gzipped_file_reads_the_same_whatever_its_name(tmp_path: Path) -> None:
    plain = write(tmp_path / "captions.json", CAPTIONS)
    packed = tmp_path / "captions.bin"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_captions(packed) == read_captions(plain)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_file_cut_anywhere_is_one_clear_error(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(json.dumps(CAPTIONS, indent=1).encode())
    path = tmp_path / "captions.json"
    for kept in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError, match=r"captions\.json") as caught:
            read_captions(path)
        assert "\n" not in str(caught.value)
        assert "fetch or write it again" in str(caught.value)


def test_file_cut_in_half_says_so(tmp_path: Path) -> None:
    text = json.dumps(CAPTIONS)
    path = tmp_path / "captions.json"
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(DataError, match="cut off at line 1"):
        read_captions(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: no such file"):
        read_captions(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data["images"].append({"id": "7", "file_name": "c.png"}), "image 7 occurs twice"),
        (lambda data: data["annotations"].append({"image_id": 9, "caption": "x"}), "image 9, which the file"),
        (lambda data: data["annotations"][1].pop("caption"), "annotation 2 has no text under 'caption'"),
        (lambda data: data["annotations"][1].update(image_id=None), "annotation 2 has no id"),
        (lambda data: data["images"][0].update(id=True), "image 0 has no id"),
        (lambda data: data.pop("annotations"), "no list under 'annotations'"),
        (lambda data: data["images"].insert(0, 5), "record 0 of images is no object"),
    ],
)
def test_record_that_makes_no_sense_is_named(
    tmp_path: Path, change: Callable[[Any], object], words: str
) -> None:
    data = json.loads(json.dumps(CAPTIONS))
    change(data)
    with pytest.raises(DataError, match=words):
        read_captions(write(tmp_path / "captions.json", data))


def test_results_keep_empty_captions(tmp_path: Path) -> None:
    rows = [{"image_id": 7, "caption": ""}, {"image_id": 8, "caption": "dogs"}]
    assert read_caption_results(write(tmp_path / "results.json", rows)) == {"7": "", "8": "dogs"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"image_id": 7, "caption": "a"}, {"image_id": 7, "caption": "b"}], "image_id 7 occurs twice"),
        ({"images": []}, "no list of records"),
        ([{"image_id": 7, "answer": "a"}], "record 0 has no text under 'caption'"),
    ],
)
def test_results_of_another_kind_are_refused(tmp_path: Path, rows: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_caption_results(write(tmp_path / "results.json", rows))


def test_folder_becomes_samples(folder: Path) -> None:
    first, second = samples(folder)
    assert isinstance(first, Sample)
    assert (first.id, first.group, second.id) == ("7", "7", "8")
    assert first.request.conversation[0].parts == (picture(1), PROMPT)
    assert first.references["captions"] == ("a cat", "one cat, sitting")


def damaged(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b""), "images/a.png: the file is empty"),
        (lambda path: path.write_bytes(damaged(path.read_bytes())), "images/a.png"),
        (lambda path: path.write_bytes(b"no picture"), "images/a.png: not a picture"),
        (lambda path: path.unlink(), "images/a.png: no such file"),
    ],
)
def test_picture_that_cannot_be_opened_breaks_its_sample_alone(
    folder: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(folder / "images" / "a.png")
    first, second = samples(folder)
    assert isinstance(first, Broken)
    assert words in first.reason
    assert str(folder) not in first.reason
    assert isinstance(second, Sample)


def test_fifty_megapixels_break_their_sample(folder: Path) -> None:
    from PIL import Image as PILImage

    PILImage.new("L", (10_000, 5_000)).save(folder / "images" / "a.png")
    first, _ = samples(folder)
    assert isinstance(first, Broken)
    assert "megapixels" in first.reason


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../../secret.png", "leaves the folder"),
        ("a\0b.png", "no name of a file"),
        ("a" * 5000, "no name of a file"),
        ("circle.png", "no such file|no name of a file|cannot be read"),
    ],
)
def test_name_that_is_no_file_of_the_folder_breaks_its_sample(folder: Path, name: str, words: str) -> None:
    (folder / "images" / "circle.png").symlink_to("circle.png")
    data = json.loads(json.dumps(CAPTIONS))
    data["images"][0]["file_name"] = name
    write(folder / "captions.json", data)
    first, second = samples(folder)
    assert isinstance(first, Broken)
    assert re.search(words, first.reason)
    assert isinstance(second, Sample)


def test_image_without_caption_breaks_its_sample(folder: Path) -> None:
    write(folder / "captions.json", {**CAPTIONS, "annotations": CAPTIONS["annotations"][:1]})
    _, second = samples(folder)
    assert second == Broken("8", "captions.json: image 8 (b.png) has no caption.")


@pytest.mark.parametrize("name", [{}, {"file_name": None}])
def test_captions_are_read_without_the_names_of_pictures_that_are_not_opened(
    folder: Path, name: dict[str, None]
) -> None:
    data = {**CAPTIONS, "images": [{"id": 7, **name}, CAPTIONS["images"][1]]}
    path = write(folder / "captions.json", data)
    assert read_captions(path)["7"].captions == ("a cat", "one cat, sitting")
    first, second = samples(folder)
    assert first == Broken("7", "captions.json: image 7 has no file_name; add one.")
    assert isinstance(second, Sample)
    write(path, {**data, "images": [{"id": 7, "file_name": 5}]})
    with pytest.raises(DataError, match="image 0 has no text under 'file_name' but 5"):
        read_captions(path)


def test_one_metric_is_made_without_starting_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.captions.meteor.start", lambda: pytest.fail("METEOR was started"))
    made = [use.make().name for use in caption_uses() if use.name != "meteor"]
    assert made == ["cider_d", "bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l"]


def test_benchmark_without_data_says_what_to_give() -> None:
    with pytest.raises(DataError, match="--data"):
        list(COCO_CAPTIONS.samples(Options()))


def test_benchmark_names_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        list(COCO_CAPTIONS.samples(Options(data=tmp_path / "nowhere")))


@real
def test_real_photographs_all_open_and_the_uncaptioned_are_named() -> None:
    found = list(COCO_CAPTIONS.samples(Options(data=REAL)))
    whole = [sample for sample in found if isinstance(sample, Sample)]
    broken = [sample for sample in found if isinstance(sample, Broken)]
    assert (len(whole), len(broken)) == (113, 11)
    assert sum(len(sample.references["captions"]) for sample in whole) == 565
    assert all(sample.reason.endswith("has no caption.") for sample in broken)
