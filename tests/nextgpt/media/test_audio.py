"""Sounds: what a file may hold, what is refused, and real sounds where they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from nextgpt.media import Audio, MediaError

REAL = Path(__file__).parents[4] / "shared" / "data"


def tone(hertz: float = 440, seconds: float = 0.5, rate: int = 16000) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def written(samples: np.ndarray, rate: int, **how: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **how)
    return buffer.getvalue()


@given(
    st_np.arrays(np.float32, st.integers(1, 60), elements=st.floats(-1, 1, width=32)),
    st.sampled_from([8000, 16000, 44100, 48000]),
)
def test_a_sound_survives_being_written_and_read(samples: np.ndarray, rate: int) -> None:
    audio = Audio(samples, rate)
    assert Audio.decode(audio.wav(), "copy.wav") == audio


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"format": "WAV", "subtype": "PCM_16"}, 1e-4),
        ({"format": "WAV", "subtype": "PCM_U8"}, 2e-2),
        ({"format": "FLAC", "subtype": "PCM_24"}, 1e-6),
        ({"format": "OGG", "subtype": "VORBIS"}, 0.1),
    ],
)
def test_formats_open(how: dict[str, str], error: float) -> None:
    audio = Audio.decode(written(tone(), 16000, **how), "tone")
    assert audio.rate == 16000
    assert np.abs(audio.samples - tone()).max() < error


def test_several_channels_become_their_mean() -> None:
    stereo = np.stack([tone(440), tone(880)], axis=1)
    audio = Audio.decode(written(stereo, 16000, format="WAV", subtype="FLOAT"), "stereo")
    assert np.allclose(audio.samples, stereo.mean(axis=1), atol=1e-6)


def test_overshoot_is_cut() -> None:
    audio = Audio.decode(written(tone() * 3, 16000, format="WAV", subtype="FLOAT"), "loud")
    assert np.abs(audio.samples).max() == 1


def test_rate_and_content_make_the_hash() -> None:
    samples = tone()
    changed = samples.copy()
    changed[7] += np.float32(1e-3)
    assert len({Audio(samples, 16000), Audio(samples, 8000), Audio(changed, 16000)}) == 3
    assert Audio(samples, 16000) == Audio(samples.copy(), 16000)


def test_samples_are_out_of_everyones_reach() -> None:
    mine = tone()
    audio = Audio(mine, 16000)
    mine[:] = 0
    assert audio.samples.any()
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0] = 1


def test_resampling_keeps_the_tone() -> None:
    audio = Audio(tone(440, seconds=1, rate=44100), 44100)
    lower = audio.resampled(16000)
    assert lower.rate == 16000
    assert len(lower.samples) == 16000
    assert np.argmax(np.abs(np.fft.rfft(lower.samples))) == 440
    assert audio.resampled(44100) is audio
    with pytest.raises(MediaError, match="Cannot resample to 5"):
        audio.resampled(5)


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.zeros(4), 16000, "float32"),
        (np.zeros((4, 2), np.float32), 16000, r"shape \[N\]"),
        (np.zeros(0, np.float32), 16000, "N >= 1"),
        (np.array([np.nan], np.float32), 16000, "NaN"),
        (np.array([1.5], np.float32), 16000, "reaches 1.5"),
        (np.zeros(4, np.float32), 0, "between 1000"),
        (np.zeros(4, np.float32), 16000.5, "whole number of Hz"),
    ],
)
def test_what_is_no_sound_is_refused(samples: np.ndarray, rate: int, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        Audio(samples, rate)


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    whole = written(tone(seconds=2), 16000, format="WAV")
    flac = written(tone(seconds=2), 16000, format="FLAC")
    for data, words in [
        (b"", "empty"),
        (whole[: len(whole) // 2], "cut off"),
        (flac[: len(flac) // 2], "cut off|damaged"),
        (b"this is no sound" * 50, "not a sound"),
        (written(np.zeros(0, np.float32), 16000, format="WAV"), "no samples"),
        (written(np.array([0, np.nan], np.float32), 16000, format="WAV", subtype="FLOAT"), "NaN"),
    ]:
        (tmp_path / "a.wav").write_bytes(data)
        with pytest.raises(MediaError, match=rf"a.wav: .*({words})"):
            Audio.open(tmp_path / "a.wav")
    with pytest.raises(MediaError, match=r"lasts 2.0 s, longer than 1"):
        Audio.decode(whole, "long.wav", max_seconds=1)
    with pytest.raises(MediaError, match="no such file"):
        Audio.open(tmp_path / "nowhere.wav")


def test_saving_makes_the_folder(tmp_path: Path) -> None:
    audio = Audio(tone(), 16000)
    audio.save(tmp_path / "new" / "a.wav")
    assert Audio.open(tmp_path / "new" / "a.wav") == audio
    assert b"PEAK" not in audio.wav()  # a chunk that holds the time of day


@pytest.mark.skipif(not (REAL / "esc50").exists(), reason="no real sounds beside the project")
def test_real_sounds_open() -> None:
    for folder, count, rate in (("esc50", 25, 44100), ("audiocaps", 12, None)):
        files = sorted((REAL / folder / "audio").glob("*.wav"))
        assert len(files) == count
        for file in files:
            audio = Audio.open(file)
            assert 4 < audio.seconds < 11
            assert rate in (None, audio.rate)
            assert audio.samples.any()
