from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nextgpt
from baselines.nextgpt_caption import NextGPTCaption, caption_of
from benchmarks.harness.system import System
from nextgpt.messages import Failure, Message, Modality, Request, user
from nextgpt.model import NextGPT
from tests.nextgpt.backbones import plain

IMAGE = frozenset[Modality]({"image"})


@pytest.fixture(scope="module")
def model() -> NextGPT:
    return nextgpt.load("tiny")


@pytest.fixture
def captioned(model: NextGPT) -> Iterator[NextGPTCaption]:
    yield NextGPTCaption(model)
    model.caption = None


def drawing(count: int = 3) -> list[Request]:
    colours = ("red", "blue", "green")[:count]
    return [
        Request((user(f"draw a picture of a large {colour} circle in the center."),), IMAGE, seed=k)
        for k, colour in enumerate(colours)
    ]


@pytest.mark.weights
def test_its_words_are_drawn_by_the_decoders_own_text_encoder(
    model: NextGPT, captioned: NextGPTCaption
) -> None:
    assert isinstance(captioned, System)
    answers = captioned.respond(drawing())
    words = [answer.text for answer in answers if isinstance(answer, Message)]
    assert all(text.startswith("draw: ") for text in words)
    how = model.config.generation
    drawn = model.decoder.generate_from_text(
        [text.removeprefix("draw: ") for text in words], [0, 1, 2], steps=how.steps, guidance=how.guidance
    )
    for answer, picture in zip(answers, drawn, strict=True):
        assert isinstance(answer, Message)
        assert np.abs(answer.images[0].pixels.astype(int) - picture.pixels).max() <= 1


@pytest.mark.weights
def test_it_says_what_nextgpt_says_and_draws_something_else(
    model: NextGPT, captioned: NextGPTCaption
) -> None:
    by_words = captioned.respond(drawing())
    model.caption = None
    by_signals = model.respond(drawing())
    for one, other in zip(by_words, by_signals, strict=True):
        assert isinstance(one, Message)
        assert isinstance(other, Message)
        assert one.text == other.text
        assert one.images != other.images
    assert captioned.name == "nextgpt-tiny-caption"
    assert captioned.fingerprint != model.fingerprint


@pytest.mark.weights
def test_answers_in_text_are_those_of_nextgpt(model: NextGPT, captioned: NextGPTCaption) -> None:
    asked = [Request((user(plain("red", 32), "describe the picture."),))]
    said = captioned.respond(asked)
    model.caption = None
    assert said == model.respond(asked)


def test_signals_without_a_word_before_them_are_a_failure(tmp_path: Path) -> None:
    class Silent:
        name, fingerprint = "silent", "1"
        accepts = produces = frozenset[Modality]({"text", "image"})
        given: frozenset[str] = frozenset()
        caption = None

        def respond(self, requests: list[Request]) -> list[Message]:
            return [Message("assistant", (plain("red"), "too late"))]

    (answer,) = NextGPTCaption(Silent()).respond(drawing(1))  # type: ignore[arg-type]
    assert isinstance(answer, Failure)
    assert "no word before them" in answer.reason


@pytest.mark.parametrize(
    ("words", "caption"), [("draw: a star", "a star"), ("A star.", "A star."), ("draw:", "draw:"), ("", "")]
)
def test_caption_is_the_call_or_all_words(words: str, caption: str) -> None:
    assert caption_of(words) == caption
