from __future__ import annotations

import numpy as np
import pytest

from metrics.metric import MetricInputError
from metrics.pairs.alignment import AVAlign, Recording, av_align, motion_peaks, onsets
from toyworld.sounds.render import RATE, onset, samples
from toyworld.splits import sounds


def clapping(times: list[float], shift: float = 0.0, fps: float = 10.0, rate: int = 16_000) -> Recording:
    """Four seconds in which something jumps at these times, and is heard so much later."""
    frames = np.zeros((round(4 * fps), 8, 8, 3), np.uint8)
    wave = np.zeros(4 * rate)
    rng = np.random.default_rng(0)
    for number, time in enumerate(times):
        frames[round(time * fps) :] = 200 if number % 2 == 0 else 0
        start = round((time + shift) * rate)
        wave[start : start + rate // 10] += rng.normal(0, 0.2, rate // 10)
    return Recording(frames, fps, wave.clip(-1, 1), rate)


def test_onsets_of_known_sounds_are_found_to_thirty_milliseconds() -> None:
    right = 0
    for sound in sounds("test", 60, seed=7):
        true = [onset(e, r) / RATE for e, event in enumerate(sound.events) for r in range(event.repeats)]
        found = onsets(samples(sound), RATE)
        right += len(found) == len(true) and bool(np.abs(found - true).max() < 0.03)
    assert right >= 57


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("fps", [4.5, 10.0, 25.0])
def test_what_is_heard_when_it_moves_is_aligned(rate: int, fps: float) -> None:
    assert av_align(clapping([0.4, 1.6, 2.8], fps=fps, rate=rate)) == 1.0


def test_the_later_it_is_heard_the_worse() -> None:
    times = [0.4, 1.6, 2.8]
    values = [av_align(clapping(times, shift)) for shift in (0.0, 0.03, 0.5)]
    assert values == [1.0, 1.0, 0.0]


def test_each_onset_has_one_peak_of_its_own() -> None:
    once, often = clapping([1.0]), clapping([0.8, 1.0, 1.2, 1.4])
    mixed = Recording(once.frames, once.fps, often.samples, often.rate)
    assert av_align(mixed) == 0.25


def test_silence_and_stillness_align_with_each_other_alone() -> None:
    seen = clapping([1.0, 2.0])
    silent = np.zeros_like(seen.samples)
    still = np.zeros_like(seen.frames)
    assert av_align(Recording(still, seen.fps, silent, seen.rate)) == 1.0
    assert av_align(Recording(seen.frames, seen.fps, silent, seen.rate)) == 0.0
    assert av_align(Recording(still, seen.fps, seen.samples, seen.rate)) == 0.0


def test_noise_of_codecs_is_no_motion_and_a_steady_tone_begins_once() -> None:
    rng = np.random.default_rng(0)
    frames = np.full((20, 16, 16, 3), 128, np.int16)
    frames[:, :, ::8] += rng.integers(-2, 3, (20, 16, 2, 3), dtype=np.int16)
    assert motion_peaks(frames.astype(np.uint8), 10.0).tolist() == []
    tone = np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000) * 0.5
    assert onsets(tone, 16_000).tolist() == pytest.approx([0.0], abs=0.02)


@pytest.mark.parametrize("length", [0, 1, 100])
def test_hardly_any_sound_and_one_frame_have_no_trouble(length: int) -> None:
    assert av_align(Recording(np.zeros((1, 2, 2, 3), np.uint8), 5.0, np.zeros(length), 16_000)) == 1.0


def test_what_is_no_recording_is_named() -> None:
    with pytest.raises(MetricInputError, match="item 1 is ndarray; give a Recording"):
        AVAlign().statistics([clapping([1.0]), np.zeros(3)], [None, None])
