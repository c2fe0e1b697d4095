"""What ImageBind is shown and hears: moments, crops, and the mel front end against plain arithmetic."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig, TrunkConfig
from nextgpt.encoding.preprocessing import (
    AUDIO_MEAN,
    AUDIO_STD,
    IMAGE_MEAN,
    IMAGE_STD,
    log_mel,
    moments,
    preprocess_audio,
    preprocess_video,
    starts,
)
from nextgpt.media import Audio, Image, Video

REAL = Path(__file__).parents[4] / "shared" / "data"


@given(st.integers(1, 600), st.sampled_from([0.3, 1, 8, 12.5, 25, 29.97, 60]), st.integers(1, 6))
def test_frames_are_chosen_inside_and_in_order(count: int, fps: float, clips: int) -> None:
    chosen = moments(count, fps, clips=clips)
    assert len(chosen) == clips
    assert all(0 <= first <= last < count for first, last in chosen)
    assert [piece[0] for piece in chosen] == sorted(piece[0] for piece in chosen)
    assert chosen[0][0] == 0
    if clips > 1:
        assert chosen[-1][-1] == count - 1
    assert all(last - first <= 2 * fps for first, last in chosen)


def test_pieces_of_ten_seconds_follow_each_other() -> None:
    assert starts(10, 5) == [0, 2, 4, 6, 8]
    assert moments(300, 30) == [[0, 59], [60, 119], [120, 179], [180, 239], [240, 299]]


def test_a_wide_clip_is_seen_left_middle_and_right() -> None:
    frames = np.zeros((20, 32, 96, 3), np.uint8)
    frames[:, :, 32:64] = 255  # black, white, black
    seen = preprocess_video(frames, fps=10, size=32)
    assert seen.shape == (15, 3, 2, 32, 32)
    white = [(1 - m) / s for m, s in zip(IMAGE_MEAN, IMAGE_STD, strict=True)]
    black = [-m / s for m, s in zip(IMAGE_MEAN, IMAGE_STD, strict=True)]
    for crop, colour in zip(seen[:3], (black, white, black), strict=True):
        assert torch.allclose(crop.mean((1, 2, 3)), torch.tensor(colour), atol=1e-4)
    tall = preprocess_video(frames.transpose(0, 2, 1, 3), fps=10, size=32)
    assert torch.allclose(tall, seen.transpose(-1, -2), atol=1e-5)


def test_both_frames_of_a_piece_are_its_first_and_last() -> None:
    frames = np.zeros((40, 16, 16, 3), np.uint8)
    frames[:] = np.arange(40, dtype=np.uint8)[:, None, None, None]
    seen = preprocess_video(frames, fps=10, size=16)
    shown = seen[:, 0, :, 0, 0] * IMAGE_STD[0] + IMAGE_MEAN[0]
    assert (shown[::3] * 255).round().int().tolist() == [[0, 19], [5, 24], [10, 29], [15, 34], [20, 39]]


def kaldi_fbank(samples: np.ndarray, bins: int = 128) -> np.ndarray:
    """Kaldi's filter bank energies, written out: one frame, one triangle after the other."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log(1.0 + hertz / 700.0)

    low, high = mel(20.0), mel(8000.0)
    step = (high - low) / (bins + 1)
    frequencies = mel(np.arange(256) * 16000 / 512)
    rows = []
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(np.float64)
        frame = frame - frame.mean()
        frame = (frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])) * window
        power = np.abs(np.fft.rfft(frame, 512))[:256] ** 2
        row = []
        for k in range(bins):
            left, centre, right = low + k * step, low + (k + 1) * step, low + (k + 2) * step
            up, down = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
            row.append(math.log(max((np.maximum(0, np.minimum(up, down)) * power).sum(), 1.1920929e-07)))
        rows.append(row)
    return np.array(rows)


def test_mel_energies_are_kaldis() -> None:
    random = np.random.default_rng(0)
    samples = (0.3 * np.sin(np.arange(4000) * 0.2) + 0.05 * random.standard_normal(4000)).astype(np.float32)
    ours, theirs = log_mel(samples), kaldi_fbank(samples)
    assert ours.shape == theirs.shape == (23, 128)
    # Some low triangles hold no frequency at all; their energy is the floor in both.
    assert np.abs(ours - theirs).max() < 2e-3


def test_a_sound_is_heard_in_three_pieces() -> None:
    seconds = 6
    samples = np.zeros(16000 * seconds, np.float32)
    samples[16000 * 4 :] = np.sin(np.arange(16000 * 2) * 0.3)  # only the last piece sounds
    heard = preprocess_audio(samples)
    assert heard.shape == (3, 1, 128, 204)
    quiet = (math.log(1.1920929e-07) - AUDIO_MEAN) / AUDIO_STD
    assert torch.allclose(heard[:2, ..., :198], torch.tensor(quiet), atol=1e-4)
    assert heard[2, ..., :198].max() > quiet + 1
    # The six frames that two seconds lack are zero before normalisation.
    assert torch.allclose(heard[..., 198:], torch.tensor(-AUDIO_MEAN / AUDIO_STD), atol=1e-5)


def test_loudness_offset_changes_nothing_and_shortest_sounds_are_refused() -> None:
    samples = (0.2 * np.sin(np.arange(40000) * 0.1)).astype(np.float32)
    assert torch.allclose(preprocess_audio(samples), preprocess_audio(samples + np.float32(0.3)), atol=2e-2)
    assert preprocess_audio(samples[:400]).shape == (3, 1, 128, 204)
    with pytest.raises(ValueError, match="shorter than one frame"):
        preprocess_audio(samples[:399])


@pytest.fixture(scope="module")
def small() -> ImageBind:
    trunks = {"vision": TrunkConfig(16, 1, 2), "audio": TrunkConfig(16, 1, 2)}
    return ImageBind(ImageBindConfig(out_dim=16, modalities=trunks, kernel=(2, 8, 8), image_size=32)).eval()


@torch.inference_mode()
def test_every_kind_of_medium_becomes_tokens(small: ImageBind) -> None:
    frames = np.zeros((20, 40, 60, 3), np.uint8)
    frames[..., 1] = np.arange(60, dtype=np.uint8)
    sound = Audio(np.sin(np.arange(44100) * 0.1).astype(np.float32), 44100)
    assert small.reads == {"image", "video", "audio"}
    still, clip, heard = Image(frames[0]), Video(frames, 8), small.encode([sound, sound])
    assert small.encode([still, still]).shape == (2, 17, 16)
    assert small.encode([clip]).shape == (1, 17, 16)
    assert heard.shape == (2, 229, 16)
    assert torch.equal(heard[0], heard[1])
    # Every token of one picture has length 1; those of a clip are means of fifteen.
    assert torch.allclose(small.encode([still]).norm(dim=-1), torch.ones(1, 17), atol=1e-5)


@pytest.mark.skipif(not (REAL / "video").exists(), reason="no real clips and sounds beside the project")
@torch.inference_mode()
def test_real_clips_and_sounds_are_told_apart(small: ImageBind) -> None:
    clips = [Video.open(REAL / "video" / name, fps=4) for name in ("asl_eat.mkv", "nasa_13013.mp4")]
    files = sorted((REAL / "esc50" / "audio").glob("*.wav"))[:2]
    for media in (clips, [Audio.open(file) for file in files]):
        tokens = torch.cat([small.encode([medium]) for medium in media])
        assert torch.isfinite(tokens).all()
        assert (tokens[0] - tokens[1]).abs().max() > 1e-3
