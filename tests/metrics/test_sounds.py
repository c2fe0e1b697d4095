"""Sounds on their way into a network: every kind of file and array has one outcome."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.extractors.sounds import Sound, padded, read_sound, resampled, waveforms
from metrics.metric import MetricInputError

RNG = np.random.default_rng(0)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


def tone(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def test_stereo_is_the_mean_of_both_channels() -> None:
    left, right = tone(8000), tone(8000, hertz=660)
    sound = Sound(np.stack([left, right], axis=1), 8000)
    assert sound.samples == pytest.approx((left + right) / 2, abs=1e-7)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 128, 255], np.uint8), [-1, 0, 127 / 128]),
        (np.array([-128, 0, 127], np.int8), [-1, 0, 127 / 128]),
        (np.array([-(2**15), 0, 2**14], np.int16), [-1, 0, 0.5]),
        (np.array([-(2**31), 0, 2**30], np.int32), [-1, 0, 0.5]),
        (np.array([-1, 0, 0.5], np.float64), [-1, 0, 0.5]),
    ],
    ids=["8-bit", "signed 8-bit", "16-bit", "32-bit", "float"],
)
def test_samples_are_scaled_by_their_type(values: Any, expected: list[float]) -> None:
    assert Sound(values, 8000).samples.tolist() == expected


@pytest.mark.parametrize(
    ("samples", "rate", "complaint"),
    [
        (np.zeros(0, np.float32), 16000, "empty"),
        (np.zeros((0, 2), np.float32), 16000, "empty"),
        (np.zeros((2, 4, 2), np.float32), 16000, "shape"),
        (np.zeros((2, 4000), np.float32), 16000, "shape"),
        (np.array([0, np.nan], np.float32), 16000, "NaN"),
        (np.array([0, np.inf], np.float32), 16000, "infinite"),
        (np.array([0, 32767], np.float32), 16000, "reach 3.277e+04"),
        (np.array([True]), 16000, "bool"),
        (np.zeros(4, np.int64), 16000, "int64"),
        (np.zeros(4, np.float32), 0, "rate is 0 Hz"),
        (np.zeros(4, np.float32), 16000.0, "whole number"),
    ],
)
def test_what_is_no_sound_is_refused_by_its_number(samples: Any, rate: Any, complaint: str) -> None:
    good = Sound(np.zeros(4, np.float32), 16000)
    with pytest.raises(MetricInputError, match=f"sound 1: .*{re.escape(complaint)}"):
        waveforms([good, SimpleNamespace(samples=samples, rate=rate)], 16000)


def test_something_without_samples_is_no_sound() -> None:
    with pytest.raises(MetricInputError, match="sound 0: a ndarray is no sound"):
        waveforms([np.zeros(4)], 16000)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
def test_files_of_all_depths_read_alike(tmp_path: Path, subtype: str) -> None:
    wave, path = np.stack([tone(44100)] * 2, axis=1), tmp_path / "a.wav"
    soundfile.write(path, wave, 44100, subtype=subtype)
    sound = read_sound(path)
    assert sound.rate == 44100
    assert sound.samples == pytest.approx(wave[:, 0], abs=1 / 100 if subtype == "PCM_U8" else 1e-4)


def test_overshoot_of_a_codec_is_cut(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.array([0.5, 1.25, -3.0]), 8000, subtype="FLOAT")
    assert read_sound(tmp_path / "loud.wav").samples.tolist() == [0.5, 1, -1]


@pytest.mark.parametrize("fault", ["absent", "folder", "nothing", "cut", "text", "silent", "nan"])
def test_a_broken_file_is_named(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "broken.wav"
    soundfile.write(path, tone(8000), 8000)
    whole = path.read_bytes()
    if fault == "absent":
        path.unlink()
    elif fault == "folder":
        path.unlink()
        path.mkdir()
    elif fault in ("nothing", "cut", "text"):
        path.write_bytes({"nothing": b"", "cut": whole[:-1000], "text": b"not a sound at all"}[fault])
    else:
        samples = np.zeros(0) if fault == "silent" else np.array([0.0, np.nan])
        soundfile.write(path, samples, 8000, subtype="FLOAT")
    expected = {"nothing": "0 bytes", "cut": "cut off", "text": "no sound", "silent": "empty", "nan": "NaN"}
    with pytest.raises(MetricInputError, match=rf"broken\.wav: .*{expected.get(fault, 'cannot be read')}"):
        read_sound(path)


def test_a_tone_keeps_its_pitch_and_level_at_another_rate() -> None:
    for rate in (8000, 22050, 44100, 48000):
        wave = resampled(tone(rate, 1), rate, 16000)
        assert len(wave) == 16000
        middle = slice(1000, -1000)
        assert wave[middle] == pytest.approx(tone(16000, 1)[middle], abs=1e-4)


def test_what_the_new_rate_cannot_hold_is_gone() -> None:
    wave = resampled(tone(48000, 0.5, hertz=9000), 48000, 16000)
    assert np.abs(wave[500:-500]).max() < 1e-5


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 400), st.sampled_from([8000, 11025, 44100]), st.sampled_from([16000, 32000, 48000]))
def test_every_sound_has_samples_at_every_rate(count: int, rate: int, new: int) -> None:
    wave = resampled(np.ones(count, np.float32), rate, new)
    assert len(wave) == max(1, count * new // rate)
    assert wave.dtype == np.float32


def test_padding_only_lengthens() -> None:
    wave = tone(8000)
    assert padded(wave, 10) is wave
    assert padded(wave[:2], 4).tolist() == [*wave[:2], 0, 0]


@pytest.mark.skipif(not (REAL / "audiocaps").is_dir(), reason="../shared/data/audiocaps is not here")
def test_real_sounds_read_and_resample() -> None:
    paths = sorted((REAL / "audiocaps" / "audio").glob("*.wav"))[:3]
    sounds = [read_sound(path) for path in paths]
    for sound, wave in zip(sounds, waveforms(sounds, 16000), strict=True):
        assert len(wave) == pytest.approx(sound.seconds * 16000, abs=1)
        level, before = np.sqrt(np.square(wave).mean()), np.sqrt(np.square(sound.samples).mean())
        assert 0.3 * before < level < 1.05 * before
