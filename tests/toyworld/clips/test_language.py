from __future__ import annotations

import random

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_clip, seeds
from toyworld.clips.clip import Clip, clip_f1
from toyworld.clips.language import captions, describe, mentions, paraphrase, parse


@given(any_clip, seeds)
def test_every_caption_can_be_read_back(clip: Clip, seed: int) -> None:
    told = captions(clip, random.Random(seed))
    assert len(set(told)) >= 4
    for caption in told:
        assert parse(caption) == clip, caption


@given(any_clip, seeds)
def test_every_paraphrase_can_be_read_back(clip: Clip, seed: int) -> None:
    text = paraphrase(clip, random.Random(seed))
    assert parse(text) == clip, text


@given(any_clip)
def test_reading_ignores_case_and_blanks_before_marks(clip: Clip) -> None:
    assert parse(describe(clip).upper().replace(",", " ,") + " .") == clip


@given(any_clip)
def test_half_a_caption_says_half(clip: Clip) -> None:
    told = describe(clip)
    assert 0 < clip_f1(mentions(told[: len(told) // 2]), clip) < 1


@pytest.mark.parametrize("text", ["", "a man rides a horse", "moves left", "then and while", "a star"])
def test_what_is_no_clip_reads_as_none(text: str) -> None:
    assert parse(text) is None


def test_a_place_is_not_taken_for_a_direction() -> None:
    (actor,) = mentions("the red circle on the right moves left fast")
    assert actor.thing.cell == 5
    assert actor.deed is not None
    assert (actor.deed.direction, actor.deed.speed) == ("left", "quickly")
