"""Clips: what a file may hold, what is refused, and real clips where they are."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from nextgpt.media import Image, MediaError, Video

REAL = Path(__file__).parents[4] / "shared" / "data"


def moving(count: int = 12, height: int = 16, width: int = 24) -> np.ndarray:
    """A bright bar that walks to the right over a gradient."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 1] = np.linspace(0, 200, height, dtype=np.uint8)[None, :, None]
    for k in range(count):
        frames[k, :, (2 * k) % width] = 255
    return frames


@settings(max_examples=15, deadline=None)
@given(
    st_np.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(2, 9), st.integers(2, 9), st.just(3))),
    st.sampled_from([1, 8, 25, 29.97, 60]),
)
def test_a_clip_survives_being_written_without_loss(frames: np.ndarray, fps: float) -> None:
    video = Video(frames, fps)
    copy = Video.decode(video.mkv(), "copy.mkv")
    assert np.array_equal(copy.frames, video.frames)
    assert copy.fps == pytest.approx(fps, rel=1e-3)
    assert video.mkv() == Video(frames, fps).mkv()


def test_a_file_for_players_is_nearly_the_clip(tmp_path: Path) -> None:
    video = Video(moving(height=15, width=23), 8)
    video.save(tmp_path / "new" / "clip.mp4")
    copy = Video.open(tmp_path / "new" / "clip.mp4")
    assert (copy.fps, len(copy.frames)) == (8, 12)
    assert (copy.height, copy.width) == (16, 24)  # H.264 wants even sides
    assert np.abs(copy.frames[:, :15, :23].astype(int) - video.frames).mean() < 20
    with pytest.raises(MediaError, match=r"not as .gif"):
        video.save(tmp_path / "clip.gif")


def test_rate_shape_and_content_make_the_hash() -> None:
    frames = moving()
    changed = frames.copy()
    changed[3, 4, 5, 1] ^= 1
    clips = [Video(frames, 8), Video(frames, 9), Video(changed, 8), Video(frames.reshape(6, 32, 24, 3), 8)]
    assert len({clip.content_hash for clip in clips}) == 4
    assert clips[0] == Video(frames.copy(), 8.0)
    assert clips[0].frame(2) == Image(frames[2])


def test_frames_are_out_of_everyones_reach() -> None:
    mine = moving()
    video = Video(mine, 8)
    mine[:] = 9
    assert video.frames[0, 0, 1, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        video.frames[0] = 1


@pytest.mark.parametrize(
    ("frames", "fps", "words"),
    [
        (np.zeros((2, 2, 3), np.uint8), 8, r"shape \[T, H, W, 3\]"),
        (np.zeros((0, 2, 2, 3), np.uint8), 8, "T, H, W >= 1"),
        (np.zeros((1, 2, 2, 3)), 8, "uint8"),
        ([[1]], 8, "uint8 array, got list"),
        (np.zeros((1, 2, 2, 3), np.uint8), 0, "frames per second"),
        (np.zeros((1, 2, 2, 3), np.uint8), float("nan"), "frames per second"),
        (np.zeros((1, 2, 2, 3), np.uint8), "8", "number of frames per second"),
    ],
)
def test_what_is_no_clip_is_refused(frames: np.ndarray, fps: float, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        Video(frames, fps)


def test_fewer_frames_can_be_kept() -> None:
    data = Video(moving(24), 12).mkv()
    assert len(Video.decode(data, "a").frames) == 24
    thin = Video.decode(data, "a", fps=4)
    assert (thin.fps, len(thin.frames), thin.seconds) == (4, 8, 2)
    assert np.array_equal(thin.frames, moving(24)[1::3])  # the frame shown at each third of a second, or next
    assert len(Video.decode(data, "a", fps=100).frames) == 24


def test_uneven_times_become_even() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 24, 16, "bgr0"
        for k, time in enumerate((0, 1, 2, 6, 7)):
            frame = av.VideoFrame.from_ndarray(moving()[k], format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    clip = Video.decode(buffer.getvalue(), "uneven", fps=10)
    shown = [int(np.argmax(frame[0, :, 0])) // 2 for frame in clip.frames]
    ticks = len(shown) / 8
    assert [shown[round(k * ticks)] for k in range(8)] == [0, 1, 2, 2, 2, 2, 3, 4]


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    whole = Video(moving(40, 64, 64), 8).mp4()
    sound = io.BytesIO()
    with av.open(sound, "w", format="wav") as file:
        stream = file.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        file.mux(stream.encode(frame))
    for data, words in [
        (b"", "empty"),
        (whole[: len(whole) // 2], "cut off"),
        (b"this is no film" * 50, "no video in any known format"),
        (sound.getvalue(), "no video stream"),
    ]:
        (tmp_path / "clip.mp4").write_bytes(data)
        with pytest.raises(MediaError, match=rf"clip.mp4: .*{words}"):
            Video.open(tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match="no such file"):
        Video.open(tmp_path / "nowhere.mp4")
    with pytest.raises(MediaError, match="is it a file"):
        Video.open(tmp_path)


def test_a_stream_without_frames_is_refused() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 24, 16, "bgr0"
        file.start_encoding()
    with pytest.raises(MediaError, match="no frames"):
        Video.decode(buffer.getvalue(), "empty.mkv")


def test_too_long_and_too_large_are_refused() -> None:
    data = Video(moving(40), 8).mkv()
    with pytest.raises(MediaError, match=r"lasts 5.0 s, longer than 3"):
        Video.decode(data, "long", max_seconds=3)
    with pytest.raises(MediaError, match="megapixels together; keep fewer per second"):
        Video.decode(data, "large", max_pixels=16 * 24 * 39)


@pytest.mark.skipif(not (REAL / "video").exists(), reason="no real clips beside the project")
@pytest.mark.parametrize(
    ("file", "shape", "seconds"),
    [
        ("video/asl_eat.mkv", (480, 640), 1.6),
        ("video/nasa_13013.mp4", (180, 320), 13.0),
        ("msvd/videos/qvg9eM4Hmzk_4_10.avi", (288, 352), 6.0),
    ],
)
def test_real_clips_open_and_their_halves_do_not(file: str, shape: tuple[int, int], seconds: float) -> None:
    clip = Video.open(REAL / file, fps=4)
    assert clip.frames.shape[1:3] == shape
    assert clip.seconds == pytest.approx(seconds, abs=0.3)
    assert clip.frames.std() > 10
    data = (REAL / file).read_bytes()
    with pytest.raises(MediaError, match="cut off"):
        Video.decode(data[: len(data) // 2], "half")
