"""The json formats of the released code, record by record, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nextgpt.config import Stage
from nextgpt.media import Audio, Image
from nextgpt.training import native
from nextgpt.training.data import UNSEEN, Broken, Example, TrainingError

PIXELS = Image(np.full((4, 6, 3), 90, np.uint8))
SOUND = Audio(np.linspace(-0.5, 0.5, 1600, dtype=np.float32), rate=16000)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with media where upstream's folders have them."""
    PIXELS.save(tmp_path / "images" / "a.png")
    PIXELS.save(tmp_path / "beside.png")
    SOUND.save(tmp_path / "audios" / "s.wav")
    return tmp_path


def read(data: Path, *records: Any, stage: Stage = "encoding") -> list[Example | Broken]:
    path = data / "some.json"
    path.write_text(json.dumps(list(records)))
    return list(native.read(path, stage))


def example(data: Path, record: dict[str, Any], stage: Stage = "encoding") -> Example:
    (found,) = read(data, record, stage=stage)
    assert isinstance(found, Example), found
    return found


def talk(*values: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[k % 2], "value": value} for k, value in enumerate(values)]


def test_comprehension(data: Path) -> None:
    found = example(data, {"input_image": "a.png", "conversations": talk("<image>\nWhat is it?", "grey\r\n")})
    assert [message.parts for message in found.conversation] == [(PIXELS, "What is it?"), ("grey",)]
    assert found.name == "some.json: record 0"


def test_generation(data: Path) -> None:
    record = {
        "output_audio": "s.wav",
        "audio_captions": "a ramp",
        "audio_caption_embeddings": "s.wav.npy",
        "conversations": talk("render a ramp", "Sure! <audio>"),
    }
    found = example(data, record, "decoding")
    assert found.conversation[1].parts[0] == "Sure!"
    assert isinstance(found.conversation[1].parts[1], Audio)
    assert found.captions == ("a ramp",)


def test_instructions_whose_media_were_not_published(data: Path) -> None:
    record = {
        "audio_captions": ["rain"],
        "audio_caption_embeddings": ["1.wav.npy"],
        "conversations": [
            {"from": "human", "value": "calm me", "input_modality": "text"},
            {"from": "gpt", "value": "Here. <audio>", "caption": "rain", "output_modality": "audio"},
        ],
    }
    found = example(data, record, "instruct")
    assert found.conversation[1].parts == ("Here.", UNSEEN["audio"])
    assert found.captions == ("rain",)


def test_modality_switching_as_its_makers_wrote_it(data: Path) -> None:
    names = {"a.png": "grey", "lost.jpg": "never published"}
    record = {
        "image_list": [{"image_name": name, "caption": caption} for name, caption in names.items()],
        "conversation": talk(
            "See <Image>a.png</Image> please", "Nice. <Image>a.png</Image>", "more", "<Image>lost.jpg</Image>"
        ),
    }
    found = example(data, record, "instruct")
    assert found.conversation[0].parts == ("See", PIXELS, "please")
    assert found.conversation[1].parts == ("Nice.", PIXELS)
    assert found.conversation[3].parts == (UNSEEN["image"],)
    assert found.captions == ("grey", "never published")


def test_pairs_are_read_as_the_older_code_did(data: Path) -> None:
    record = {"caption": 'Grey "wall" ;', "id": 1, "image_name": "beside.png"}
    assert example(data, record, "encoding").conversation[0].parts == (PIXELS, "generate a caption")
    assert example(data, record, "decoding").conversation[1].parts == ("grey wall", PIXELS)


BROKEN: list[tuple[Any, str]] = [
    ({"input_image": "b.png", "conversations": talk("<image>", "x")}, "b.png: no such file, neither beside"),
    ({"input_image": "a.png", "conversations": talk("what?", "x")}, "1 more than there are <image>"),
    ({"conversations": talk("<image> what?", "x")}, "more <image> in the human's turns than input_image"),
    ({"output_image": "a.png", "conversations": talk("x", "<image>")}, "1 output_image but 0 image_captions"),
    ({"image_captions": " ", "conversations": talk("x", "<image>")}, "an empty caption"),
    ({"conversations": talk("x", "<video>")}, "more <video> in the gpt's turns than video_captions"),
    (
        {
            "image_captions": ["a", "b"],
            "image_caption_embeddings": ["a.npy"],
            "conversations": talk("x", "y"),
        },
        "2 image_captions but 1 image_caption_embeddings",
    ),
    ({"conversations": [{"from": "robot", "value": "x"}]}, "a turn is from 'robot'"),
    ({"conversations": [{"from": "human"}]}, "no text under 'value'"),
    ({"conversations": "hello"}, "conversations: expected a list, got str"),
    ({"image": "a.png"}, "has no conversations; its fields are image"),
    ({"caption": "x"}, "none of image_name"),
    ("text", "expected fields and values, got str"),
    ({"conversation": talk("x", "<Image>a.png</Image>")}, "a.png has no caption in image_list"),
    ({"caption": None, "image_name": "a.png"}, "caption: expected text, got None"),
    (
        {"caption": ["a dog", "a cat"], "image_name": "a.png"},
        "caption: expected text, got ['a dog', 'a cat']",
    ),
    ({"caption": "a dog", "image_name": ["a.png"]}, "image_name: expected text, got ['a.png']"),
    ({"caption": "##", "image_name": "a.png"}, "an empty answer in its conversation"),
    (
        {
            "image_list": [{"image_name": "a.png", "caption": None}],
            "conversation": talk("<Image>a.png</Image>", "x"),
        },
        "caption: expected text, got None",
    ),
    ({"image_list": ["a.png"], "conversation": talk("x", "y")}, "image_name: expected text, got None"),
    ({"conversations": talk("what?")}, "no answer in its conversation"),
    ({"conversations": []}, "no answer in its conversation"),
    ({"conversations": talk("what?", " \n")}, "an empty answer in its conversation"),
]


@pytest.mark.parametrize(("record", "reason"), BROKEN)
def test_a_broken_record_says_file_number_and_reason(data: Path, record: Any, reason: str) -> None:
    first, found = read(data, {"conversations": talk("hello", "hi")}, record)
    assert isinstance(first, Example)
    assert isinstance(found, Broken)
    assert found.name == "some.json: record 1"
    assert reason in found.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        ("[{]", "not valid JSON"),
        ("[{},]", "not valid JSON"),
        ('{"a": 1}\n{"a": 2}', "a record a line is another format"),
        ("[" * 100_000, "nested too deeply"),
        (f"[{'1' * 5001}]", "not valid JSON"),
        ("", "not valid JSON"),
        ("{}", "expected a list, got dict"),
    ],
)
def test_a_file_that_is_none_stops_at_once(data: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (data / "some.json").write_text(content)
    with pytest.raises(TrainingError, match=f"some.json.*{reason}"):
        list(native.examples("encoding", 1, 0, folder=str(data), encoding=["some.json"]))


def test_a_mark_of_the_byte_order_is_passed_over(data: Path) -> None:
    records = json.dumps([{"conversations": talk("hello", "hi")}])
    (data / "some.json").write_text(records, encoding="utf-8-sig")
    (found,) = native.read(data / "some.json", "encoding")
    assert isinstance(found, Example)
