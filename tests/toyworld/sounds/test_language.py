from __future__ import annotations

import random

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_sound, seeds
from toyworld.sounds.language import captions, describe, mentions, paraphrase, parse
from toyworld.sounds.sound import Event, Sound


@given(any_sound, seeds)
def test_every_caption_can_be_read_back(sound: Sound, seed: int) -> None:
    told = captions(sound, random.Random(seed))
    assert len(told) == 5
    for caption in told:
        assert parse(caption) == sound, caption


@given(any_sound, seeds)
def test_every_paraphrase_can_be_read_back(sound: Sound, seed: int) -> None:
    text = paraphrase(sound, random.Random(seed))
    assert parse(text) == sound, text


@given(any_sound)
def test_reading_ignores_case_and_blanks_before_marks(sound: Sound) -> None:
    assert parse(describe(sound).upper().replace(",", " ,") + " !") == sound


@pytest.mark.parametrize("text", ["", "a man speaks", "a flute", "once", "a low soft flute four times"])
def test_what_is_no_sound_reads_as_none(text: str) -> None:
    assert parse(text) is None


def test_an_event_is_told_apart_from_the_next() -> None:
    events = mentions("a flute, low and quiet, followed by a strong trumpet thrice")
    assert events == (Event("flute", "low", "soft", 1), Event("trumpet", "", "loud", 3))
