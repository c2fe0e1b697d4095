"""What numbers on photographs are held against: one sentence, the nearest caption, another picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.another_picture import AnotherPicture
from baselines.constant import SENTENCES, Constant
from baselines.nearest_caption import NearestCaption
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Medium
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user

SHADES = {86: 40, 285: 200, 71: 120}  # 71 is kept from training


def picture(shade: int) -> Image:
    return Image(np.full((8, 8, 3), shade, np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs, of which two are learnt from."""
    images = tmp_path / "coco" / "images"
    images.mkdir(parents=True)
    for number, shade in SHADES.items():
        picture(shade).save(images / f"{number}.png")
    data = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in SHADES],
        "annotations": [{"id": k, "image_id": k, "caption": f"shade {shade}"} for k, shade in SHADES.items()],
    }
    (tmp_path / "coco" / "captions.json").write_text(json.dumps(data))
    return tmp_path


class Shades:
    """Two numbers of a picture, by which one lies near the other."""

    def encode(self, media: Sequence[Medium]) -> torch.Tensor:
        means = [float(medium.pixels.mean()) for medium in media if isinstance(medium, Image)]
        return torch.tensor([[[mean, 255 - mean]] for mean in means])


class Parrot:
    name, fingerprint = "parrot", "1"
    accepts: frozenset[Modality] = frozenset({"text", "image"})
    produces: frozenset[Modality] = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant(f"{r.conversation[-1].images[0].pixels.mean():.0f}") for r in requests]


def texts(answers: Sequence[Message | Failure]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Message)]


def test_one_sentence_for_each_kind_one_word_for_questions() -> None:
    asked = [
        user(picture(3), "describe the picture."),
        user(Audio(np.zeros(1600, np.float32), rate=16_000), "Describe the sound in one sentence."),
        user(picture(3), "Is it day?"),
        user(picture(3), "who is it? Answer in one word."),
        user(picture(3), "Which?\nA. a\nB. b\nAnswer with the letter of the right option."),
    ]
    said = texts(Constant().respond([Request((turn,)) for turn in asked]))
    assert said == [SENTENCES["image"], SENTENCES["audio"], "no", "man", "A"]


def test_nearest_caption_is_of_what_was_learnt_from_alone(folder: Path) -> None:
    system = NearestCaption(folder, Shades(), "shades")
    asked = [Request((user(picture(shade), "describe the picture."),)) for shade in (10, 90, 160, 250)]
    assert texts(system.respond(asked)) == ["shade 40", "shade 40", "shade 200", "shade 200"]


def test_sound_has_no_nearest_caption_where_none_was_learnt_from(folder: Path) -> None:
    sound = Audio(np.zeros(1600, np.float32), rate=16_000)
    (answer,) = NearestCaption(folder, Shades(), "shades").respond([Request((user(sound, "describe it."),))])
    assert isinstance(answer, Failure)


def test_another_picture_is_shown_the_same_whatever_the_batch(folder: Path) -> None:
    pictures = sorted((folder / "coco" / "images").glob("*.png"))
    system = AnotherPicture(Parrot(), pictures)
    asked = [Request((user(picture(shade), "which shade?"),)) for shade in SHADES.values()]
    together = texts(system.respond(asked))
    assert together == [text for request in asked for text in texts(system.respond([request]))]
    assert all(text != str(shade) for text, shade in zip(together, SHADES.values(), strict=True))
    assert system.name == "parrot-another-picture"


def test_another_picture_takes_two_that_differ(folder: Path) -> None:
    own = folder / "coco" / "images" / "86.png"
    with pytest.raises(ConfigError, match="takes two"):
        AnotherPicture(Parrot(), [own])
    with pytest.raises(ConfigError, match="the same picture"):
        AnotherPicture(Parrot(), [own, own]).respond([Request((user(picture(40), "?"),))])
