from __future__ import annotations

import json

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_sound
from toyworld.sounds.sound import Event, Sound, sound_accuracy, sound_f1

FLUTE = Event("flute", "low", "soft", 2)
BELL = Event("bell", "high", "loud", 1)


@given(any_sound)
def test_a_sound_survives_json(sound: Sound) -> None:
    assert Sound.from_json(json.loads(json.dumps(sound.to_json()))) == sound


@given(any_sound, any_sound)
def test_equal_keys_mean_equal_sounds(a: Sound, b: Sound) -> None:
    assert (a.key == b.key) == (a == b)


@given(any_sound, any_sound)
def test_f1_is_one_exactly_for_the_same_sound(predicted: Sound, true: Sound) -> None:
    score = sound_f1(predicted, true)
    assert 0 <= score <= 1
    assert (score == 1) == (predicted == true) == (sound_accuracy(predicted, true) == 1)


def test_f1_counts_what_is_missing_too_much_and_out_of_order() -> None:
    true = Sound.of(FLUTE, BELL)
    assert sound_f1([BELL], true) == pytest.approx(2 * 4 / (4 + 8))
    assert sound_f1([BELL, FLUTE], true) == pytest.approx(2 * 4 / 16)
    assert sound_f1([FLUTE, FLUTE, BELL], true) == pytest.approx(16 / 20)
    assert sound_f1([Event("flute", "", "", 0)], true) == pytest.approx(2 / 9)
    assert sound_f1([], true) == 0
    assert sound_f1([FLUTE] * 500, Sound.of(FLUTE)) == pytest.approx(8 / 40)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ((), "1 to 3"),
        ((FLUTE,) * 4, "1 to 3"),
        ((Event("flute", "low", "soft", 0),), "every attribute"),
        ((Event("flute", "low", "soft", 4),), "every attribute"),
        ((Event("flute", "", "soft", 1),), "every attribute"),
    ],
)
def test_an_impossible_sound_is_refused(events: tuple[Event, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sound(events)
