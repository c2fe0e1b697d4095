"""Detector, classifier, reader, tagger and recogniser: the real ones on real media, and what they refuse."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from baselines.senses import words
from baselines.senses.looks import Looks, read_labels
from baselines.senses.speech import Speech
from baselines.senses.tags import Tags
from baselines.senses.things import Things
from baselines.senses.writing import Writing
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure, Message, Request, user
from nextgpt.weights.places import locate
from tests.packaged import DATA, needs, real_data

BEAR = DATA / "coco" / "images" / "000000000285.jpg"
PIECE = np.zeros((8, 8, 3), np.uint8)


class Seer:
    fingerprint = "seer"

    def __init__(self, *seen: tuple[str, float]) -> None:
        self.seen, self.looked = list(seen), 0

    def see(self, pixels: object) -> list[tuple[str, float]]:
        self.looked += 1
        return self.seen


class Reader:
    fingerprint = "reader"

    def see(self, pixels: object) -> list[str]:
        return ["STOP"]


class Ears:
    fingerprint = "ears"

    def __init__(self, *heard: tuple[str, float]) -> None:
        self.heard = list(heard)

    def hear(self, sound: Audio) -> list[tuple[str, float]]:
        return self.heard


class Listener:
    fingerprint = "listener"

    def hear(self, sound: Audio) -> str:
        return "thank you"


def said(worker: words.InWords, medium: Image | Video | Audio) -> str:
    (answer,) = worker.respond([Request((user(medium, "describe it."),))])
    assert isinstance(answer, Message)
    return answer.text


def test_picture_becomes_things_looks_and_writing_and_is_looked_at_once() -> None:
    things = Seer(("dog", 0.9), ("dog", 0.8), ("person", 0.7))
    worker = words.of_pictures(things, Seer(("beagle", 0.6), ("kite", 0.1)), Reader())
    picture = Image(PIECE)
    assert said(worker, picture) == '2 dogs, person; looks like: beagle; writing: "STOP"'
    assert said(worker, picture)
    assert things.looked == 1


def test_clip_tells_what_half_of_its_frames_show() -> None:
    class Once(Seer):
        def see(self, pixels: object) -> list[tuple[str, float]]:
            self.looked += 1
            return [("dog", 0.9), *([("bus", 0.9)] if self.looked == 1 else [])]

    clip = Video(np.zeros((8, 8, 8, 3), np.uint8), fps=4)
    assert said(words.of_clips(Once(), Seer(("beagle", 0.6))), clip) == "dog; looks like: beagle"


@pytest.mark.parametrize(("speech", "told"), [(0.9, 'speech, dog; words: "thank you"'), (0.1, "speech, dog")])
def test_speech_is_understood_where_somebody_speaks(speech: float, told: str) -> None:
    worker = words.of_sounds(Ears(("Speech", speech), ("Dog", 0.1)), Listener())
    assert said(worker, Audio(np.zeros(1600, np.float32), rate=16_000)) == told


def test_request_that_shows_nothing_is_a_failure() -> None:
    (answer,) = words.of_pictures(Seer(), Seer(), Reader()).respond([Request((user("describe it."),))])
    assert isinstance(answer, Failure)


def test_labels_of_another_classifier_are_refused_with_what_was_expected(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("cat\ndog\n")
    with pytest.raises(ConfigError, match=r"2 from 'cat' to 'dog'; ImageNet's 1,000 from 'tench' to"):
        read_labels(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_labels(tmp_path / "nowhere.txt")


def test_folder_without_a_detector_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    with pytest.raises(ConfigError, match="no detector that OpenCV reads"):
        Things(tmp_path)


@pytest.mark.packaged
@real_data
@needs("detector", packages=("cv2",))
def test_real_detector_finds_the_bear() -> None:
    names = [name for name, _ in Things(locate("packaged:detector")).see(Image.open(BEAR).pixels)]
    assert names[0] == "bear"


@pytest.mark.packaged
@real_data
@needs("lite2", "detector", packages=("efficientnet_lite_pytorch",))
def test_real_classifier_finds_the_brown_bear() -> None:
    looks = Looks(locate("packaged:lite2"), locate("packaged:detector"))
    assert looks.see(Image.open(BEAR).pixels)[0][0] == "brown bear"


@pytest.mark.packaged
@needs(packages=("rapidocr_onnxruntime",))
def test_real_reader_reads_a_word() -> None:
    from PIL import Image as Pil
    from PIL import ImageDraw

    canvas = Pil.new("RGB", (320, 120), "white")
    ImageDraw.Draw(canvas).text((30, 25), "STOP", fill="black", font_size=64)
    assert Writing().see(np.asarray(canvas)) == ["STOP"]


@pytest.mark.packaged
@real_data
@needs("yamnet", packages=("ai_edge_litert",))
def test_real_tagger_names_most_sounds_of_esc50() -> None:
    """What is plainly one of AudioSet's classes is among the four that are told."""
    plain = {"pig": "Pig", "toilet_flush": "Toilet flush", "church_bells": "Church bell", "insects": "Insect"}
    tags = Tags(locate("packaged:yamnet"))
    with (DATA / "esc50" / "esc50.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] in plain]
    heard = {
        row["category"]: [
            name for name, _ in tags.hear(Audio.open(DATA / "esc50" / "audio" / row["filename"]))
        ]
        for row in rows
    }
    assert {category for category, names in heard.items() if plain[category] in names} == set(heard)


@pytest.mark.packaged
@needs("whisper", "voice", packages=("faster_whisper", "piper"))
def test_real_voice_is_understood_by_the_real_recogniser() -> None:
    from baselines.makers.voice import Voice

    voice = Voice(locate("packaged:voice"))
    (answer,) = voice.respond([Request((user("A dog runs on the beach."),))])
    assert isinstance(answer, Message)
    assert "dog runs on the beach" in Speech(locate("packaged:whisper")).hear(answer.sounds[0]).lower()
    (again,) = voice.respond([Request((user("A dog runs on the beach."),))])
    assert isinstance(again, Message)
    assert again.sounds[0].content_hash == answer.sounds[0].content_hash
