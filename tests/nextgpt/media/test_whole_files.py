"""Whole files are read whatever their format, and what is left of a cut one is never taken for it."""

from __future__ import annotations

import io
import random
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from metrics.extractors.sounds import read_sound
from metrics.metric import MetricInputError
from nextgpt.media import Audio, Image, MediaError, Video
from tests.nextgpt.media import made

FILES = [
    *((Image, name, make) for name, make in made.PICTURES.items()),
    *((Image, f"moving {name}", make) for name, make in made.MOVING.items()),
    *((Video, name, make) for name, make in made.MOVING.items()),
    *((Video, name, make) for name, make in made.CLIPS.items()),
    *((Audio, name, make) for name, make in (made.SOUNDS | made.TRACKS).items()),
]
IDS = [f"{kind.__name__} {name}" for kind, name, _ in FILES]


@pytest.mark.parametrize(("kind", "name", "make"), FILES, ids=IDS)
def test_a_whole_file_is_read_and_its_half_is_not(
    kind: type[Image | Video | Audio], name: str, make: Callable[[], bytes]
) -> None:
    data = make()
    assert isinstance(kind.decode(data, "whole"), kind)
    with pytest.raises(MediaError, match=r"^half: "):
        kind.decode(data[: len(data) // 2], "half")


@pytest.mark.parametrize(("kind", "name", "make"), FILES, ids=IDS)
def test_a_spoilt_file_is_read_or_refused_in_one_line(
    kind: type[Image | Video | Audio], name: str, make: Callable[[], bytes]
) -> None:
    dice, whole, lines = random.Random(name), make(), list[str]()
    for _ in range(8):
        data = bytearray(whole)
        reach = min(len(data), 300 if dice.random() < 0.6 else len(data))  # most lies in the head
        for _ in range(dice.choice([1, 2, 8])):
            data[dice.randrange(reach)] = dice.choice([0, 1, 127, 128, 255, dice.randrange(256)])
        if dice.random() < 0.2:
            del data[dice.randrange(1, len(data)) :]
        try:
            kind.decode(bytes(data), "spoilt")
        except MediaError as error:
            lines.append(str(error))
    assert all(re.fullmatch(r"spoilt: .+", line) for line in lines)


def both_hear(path: Path) -> tuple[int, int]:
    """Samples that the two readers of sounds find in a file."""
    mine, theirs = Audio.open(path), read_sound(path)
    assert np.array_equal(mine.samples, theirs.samples)
    return len(mine.samples), mine.rate


def both_refuse(path: Path, words: str) -> None:
    for read, error in ((Audio.open, MediaError), (read_sound, MetricInputError)):
        with pytest.raises(error, match=rf"{path.name}: .*{words}"):
            read(path)


@pytest.mark.parametrize("name", made.SOUNDS)
def test_both_readers_of_sounds_agree_on_a_file_and_on_its_half(tmp_path: Path, name: str) -> None:
    path, data = tmp_path / "sound", made.SOUNDS[name]()
    path.write_bytes(data)
    assert both_hear(path)[0] >= 8000
    path.write_bytes(data[: len(data) // 2])
    both_refuse(path, "cut off|damaged")


def test_a_wav_is_judged_by_its_samples_and_not_by_the_size_of_all(tmp_path: Path) -> None:
    path, data = tmp_path / "a.wav", bytearray(made.sound("WAV", "PCM_16"))
    data[4:8] = struct.pack("<I", len(data))  # eight too many, as several programs write
    path.write_bytes(data)
    assert both_hear(path) == (8000, 16000)
    data[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(data[:-1000])
    both_refuse(path, "cut off")
    data[40:44] = b"\xff\xff\xff\xfe"  # four gigabytes
    path.write_bytes(data)
    both_refuse(path, "cut off")
    data[40:44] = b"\xff\xff\xff\xff"  # a stream, which says twice that it does not know
    path.write_bytes(data)
    assert both_hear(path) == (8000, 16000)


def test_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    path, data = tmp_path / "a.flac", bytearray(made.sound("FLAC", "PCM_16"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert both_hear(path) == (8000, 16000)
    path.write_bytes(data[: len(data) // 2])
    both_refuse(path, "damaged")


@pytest.mark.parametrize(
    "samples", [made.TONE * 16384, np.array([0, 3, -2], np.float32)], ids=["loud", "quiet"]
)
def test_floats_that_were_never_scaled_are_refused(tmp_path: Path, samples: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(made.sound("WAV", "FLOAT", samples.astype(np.float32)))
    both_refuse(path, "never scaled")
    path.write_bytes(made.sound("WAV", "FLOAT", made.TONE * 5))
    assert both_hear(path) == (8000, 16000)


@pytest.mark.parametrize("kind", ["matroska", "webm", "flv", "mp4"])
def test_sound_may_outlast_the_picture_and_a_stream_may_start_late(kind: str) -> None:
    codec, heard = ("libvpx-vp9", "libopus") if kind == "webm" else ("libx264", "aac")
    for data in (
        made.clip(kind, codec, heard, seconds=4),
        made.clip(kind, codec, heard, start=5, seconds=7),
        made.clip(kind, codec, start=5),
    ):
        clip = Video.decode(data, "a")
        assert (len(clip.frames), clip.fps) == (20, 10)


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda p: np.rot90(p, 2).transpose(1, 0, 2)),
    ],
    ids=["as it is", "mirrored", "upside down", "turned", "to the right", "to the left", "over", "back"],
)
def test_a_clip_is_turned_and_mirrored_as_its_file_says(
    matrix: tuple[int, int, int, int], shown: Callable[[np.ndarray], np.ndarray]
) -> None:
    data = bytearray(made.clip("mp4", "libx264", count=3))
    a, b, c, d = (number << 16 for number in matrix)
    place = data.index(b"tkhd") + 4 + 40
    plain = Video.decode(bytes(data), "plain").frames
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    turned = Video.decode(bytes(data), "turned").frames
    assert np.array_equal(turned[1], shown(plain[1]))


@pytest.mark.parametrize("kind", made.MOVING)
def test_an_animated_picture_is_a_clip(kind: str) -> None:
    clip = Video.decode(made.MOVING[kind](), "a")
    assert (len(clip.frames), clip.fps, clip.seconds) == (5, 10, 0.5)
    assert len({frame.tobytes() for frame in clip.frames}) == 5
    assert np.array_equal(clip.frames[0], Image.decode(made.MOVING[kind](), "a").pixels)
    assert len(Video.decode(made.MOVING[kind](), "a", fps=4).frames) == 2
    with pytest.raises(MediaError, match=r"lasts 0.\d s, longer than 0.2"):
        Video.decode(made.MOVING[kind](), "a", max_seconds=0.2)


def test_pictures_shown_for_different_times_come_at_an_even_rate() -> None:
    shades = [PILImage.new("RGB", (8, 8), (40 * k, 0, 0)) for k in range(3)]
    buffer = io.BytesIO()
    shades[0].save(buffer, "PNG", save_all=True, append_images=shades[1:], duration=[100, 400, 100])
    clip = Video.decode(buffer.getvalue(), "a")
    assert clip.fps == pytest.approx(5)  # as many a second as there are on average
    assert [int(frame[0, 0, 0]) // 40 for frame in clip.frames] == [1, 1, 2]  # each in its tick's middle


def test_pictures_in_strips_are_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    for mode in ("RGB", "RGBA", "P", "CMYK", "L", "1"):
        data = made.picture("TIFF", mode)
        whole = Image.decode(data, mode)
        with monkeypatch.context() as patch:
            patch.setattr("nextgpt.media.image._STRIP", 100)
            assert Image.decode(data, mode) == whole
