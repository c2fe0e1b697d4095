from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from nextgpt.media import Audio
from tests.toyworld.strategies import any_sound, seeds
from toyworld.sounds.mel import griffin_lim, log_mel
from toyworld.sounds.misreading import own_error
from toyworld.sounds.oracle import hear
from toyworld.sounds.render import RATE, onset, render, samples
from toyworld.sounds.sound import Event, Sound

FLUTE = Event("flute", "low", "soft", 2)
TRUMPET = Event("trumpet", "high", "loud", 3)


@given(any_sound, seeds)
@settings(max_examples=40, deadline=None)
def test_the_oracle_hears_every_clean_sound(sound: Sound, seed: int) -> None:
    hearing = hear(render(sound, seed))
    assert hearing.sound == sound
    assert hearing.distance < 0.4


@given(any_sound, seeds)
@settings(max_examples=20)
def test_a_seed_plays_the_same_samples_and_another_seed_others(sound: Sound, seed: int) -> None:
    played = samples(sound, seed)
    assert np.array_equal(played, samples(sound, seed))
    assert not np.array_equal(played, samples(sound, seed + 1))
    assert np.array_equal(played * 32768, np.rint(played * 32768))  # 16 bits hold it without loss
    assert np.abs(played).max() < 0.8


def test_notes_begin_on_the_beat_and_are_over_before_the_next() -> None:
    played = np.abs(samples(Sound.of(FLUTE, TRUMPET)))
    assert not played[: onset(0, 0)].any()
    for event, repeat in ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2)):
        start = onset(event, repeat)
        assert played[start : start + 1600].max() > 0.05
        assert not played[start + 2900 : start + 3200].any()
    assert not played[onset(2, 0) :].any()
    with pytest.raises(ValueError, match="no 3, 0"):
        onset(3, 0)


def test_loud_is_louder() -> None:
    soft, loud = (samples(Sound.of(Event("bell", "low", loudness, 1))).std() for loudness in ("soft", "loud"))
    assert loud > 3 * soft


def test_what_is_no_sound_of_the_world_is_unreadable() -> None:
    rng = np.random.default_rng(0)
    noise = Audio(rng.uniform(-0.5, 0.5, 32_000).astype(np.float32), RATE)
    hums = (
        Audio((0.3 * np.sin(np.arange(32_000) * step)).astype(np.float32), RATE) for step in (0.04, 0.2, 1.0)
    )
    for audio in (noise, *hums):
        assert hear(audio).sound is None
    for silence in (np.zeros(32_000, np.float32), np.full(9, 0.5, np.float32)):
        assert hear(Audio(silence, RATE)).events == ()


def test_a_sound_cut_short_or_with_a_tail_is_read_as_far_as_it_goes() -> None:
    sound = Sound.of(FLUTE, TRUMPET)
    whole = samples(sound)
    assert hear(Audio(np.pad(whole, (0, 16_000)), RATE)).sound == sound
    assert hear(Audio(whole[: onset(1, 0)], RATE)).sound == Sound.of(FLUTE)


def test_a_gap_makes_no_sound() -> None:
    whole = samples(Sound.of(FLUTE, TRUMPET)).copy()
    whole[: onset(1, 0)] = 0
    hearing = hear(Audio(whole, RATE))
    assert (hearing.events, hearing.sound) == ((TRUMPET,), None)


def test_griffin_and_lim_give_back_the_spectrogram() -> None:
    mel = log_mel(samples(Sound.of(FLUTE, TRUMPET)))
    again = log_mel(griffin_lim(mel))
    strong = mel > mel.max() - 4
    assert mel.shape == again.shape == (200, 64)
    assert np.abs(mel - again)[strong].mean() < 0.3


def test_the_spectrogram_is_the_one_that_the_decoder_is_trained_on() -> None:
    from types import SimpleNamespace

    from nextgpt.decoding.audio import AudioDecoder

    config = SimpleNamespace(sampling_rate=RATE, upsample_rates=[5, 4, 2, 2, 2], model_in_dim=64)
    pipeline = SimpleNamespace(
        components={"vocoder"},
        vocoder=SimpleNamespace(config=config),
        unet=SimpleNamespace(config=SimpleNamespace(sample_size=50)),
        vae_scale_factor=4,
    )
    audio = render(Sound.of(FLUTE, TRUMPET))
    decoder = SimpleNamespace(pipeline=pipeline, rate=RATE)
    assert np.allclose(AudioDecoder._mel(decoder, audio), log_mel(audio.samples), atol=1e-3)  # type: ignore[arg-type]


def test_the_oracles_own_error_is_small_and_measured() -> None:
    errors = own_error(count=12)
    assert errors["none"] == errors["ogg"] == errors["Griffin-Lim of its mel"] == 0
    assert errors["noise at 20 dB"] < 0.1
