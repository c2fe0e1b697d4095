"""Instruments and style transfer: what words ask for, what cannot be made, and the real ones."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from baselines.makers.instruments import MISSING, SOUNDFONTS, Instruments, midi, understood
from baselines.makers.style import Style, strokes
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Request, user
from nextgpt.weights.places import locate
from tests.packaged import needs

fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not list(SOUNDFONTS.glob("*.sf2")), reason=MISSING
)


def ask(text: str) -> Request:
    return Request((user(text),))


@pytest.mark.parametrize(
    ("text", "instrument", "notes"),
    [("a note on the piano", "piano", 1), ("Violins, a scale", "violin", 8), ("two dogs", None, 8)],
)
def test_words_name_an_instrument_and_a_figure(text: str, instrument: str | None, notes: int) -> None:
    found, played = understood(text)
    assert (found, len(played)) == (instrument, notes)


def test_score_is_a_standard_midi_file() -> None:
    score = midi(40, [60, 64])
    assert score.startswith(b"MThd\x00\x00\x00\x06")
    assert score[score.index(b"MTrk") + 8 :] == (
        b"\x00\xc0\x28"
        b"\x00\x90\x3c\x64\x81\x70\x80\x3c\x00"
        b"\x00\x90\x40\x64\x81\x70\x80\x40\x00"
        b"\x83\x60\xff\x2f\x00"
    )


def test_without_a_program_to_play_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (answer,) = Instruments().respond([ask("a scale on the piano")])
    assert isinstance(answer, Failure)
    assert "apt install fluidsynth" in answer.reason


@fluidsynth
def test_real_instruments_play_the_same_again_and_each_its_own_sound() -> None:
    answers = Instruments().respond(
        [ask("a chord on the violin"), ask("a chord on the violin"), ask("piano")]
    )
    first, again, other = (answer.sounds[0] for answer in answers if isinstance(answer, Message))
    assert first.content_hash == again.content_hash != other.content_hash
    assert np.abs(first.samples).max() > 0.01
    assert 1.0 < first.seconds < 20


@fluidsynth
def test_instrument_that_nobody_knows_is_a_failure_that_lists_those_there_are() -> None:
    (answer,) = Instruments().respond([ask("a dog barks")])
    assert isinstance(answer, Failure)
    assert "there are piano" in answer.reason


def test_strokes_have_the_colours_that_are_named() -> None:
    red, green, _ = strokes("in red").reshape(-1, 3).mean(0)
    assert red > 2 * green


@pytest.mark.packaged
@needs("style", packages=("onnxruntime",))
def test_real_style_transfer_takes_on_colours_and_keeps_the_shape() -> None:
    grey = Image(np.full((60, 120, 3), 128, np.uint8))
    style = Style(locate("packaged:style"))
    answers = style.respond([Request((user(grey, colour),)) for colour in ("red", "blue")])
    red, blue = (answer.images[0] for answer in answers if isinstance(answer, Message))
    assert (red.width, red.height) == (384, 192)
    tint = red.pixels.astype(float).mean((0, 1)) - blue.pixels.astype(float).mean((0, 1))
    assert tint[0] > 20 > -20 > tint[2]
    (nothing,) = style.respond([ask("red")])
    assert isinstance(nothing, Failure)
