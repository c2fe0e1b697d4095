"""What a file makes its reader do is bounded: memory, waiting, and other files that it names."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PILImage

from metrics.extractors.sounds import read_sound
from metrics.metric import MetricInputError
from nextgpt.media import Audio, Image, MediaError, Video, from_file, refuse_if_large, to_file
from tests.nextgpt.media import made

# Reads a file in a process of its own and tells by how many megabytes that took it beyond what it had.
MEASURE = """
import sys
from nextgpt.media import Audio, Image, MediaError, Video
from nextgpt.media import clip_files, sound_files
from PIL import Image as _

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024

kind, path = sys.argv[1:]
before = peak()
try:
    print(0, {"Image": Image, "Video": Video, "Audio": Audio}[kind].open(path))
except MediaError as error:
    print(peak() - before, error)
"""


def megabytes(kind: type, path: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind.__name__, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    number, line = done.stdout.strip().split(" ", 1)
    return int(number), line


def bomb(path: Path, width: int, height: int, count: int) -> None:
    """A clip of one colour, which takes a few hundred bytes a frame."""
    with av.open(str(path), "w", format="matroska") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for k in range(count):
            frame.pts = k
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@needs_proc
@pytest.mark.parametrize(
    ("width", "height", "count"), [(8000, 6000, 1), (3840, 2160, 60)], ids=["one", "many"]
)
def test_a_clip_too_large_is_refused_before_it_is_decoded(
    tmp_path: Path, width: int, height: int, count: int
) -> None:
    bomb(tmp_path / "bomb.mkv", width, height, count)
    taken, line = megabytes(Video, tmp_path / "bomb.mkv")
    assert "megapixels" in line
    assert taken < 300


@needs_proc
@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (Image, b""),
        (Image, b"\x89PNG\r\n\x1a\n"),
        (Image, b"II*\0"),
        (Video, b""),
        (Audio, b"RIFF\xff\xff\xff\xffWAVE"),
    ],
    ids=["nothing", "png", "tiff", "clip", "sound"],
)
def test_a_file_full_of_holes_takes_no_memory(tmp_path: Path, kind: type, head: bytes) -> None:
    path = tmp_path / "holes"
    path.write_bytes(head)
    os.truncate(path, 3 << 30)
    assert megabytes(kind, path)[0] < 100


@needs_proc
def test_a_picture_far_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(40_001)) for _ in range(10_000)) + rows.flush()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 10_000, 10_000, 8, 6, 0, 0, 0)),
        (b"IDAT", data),
        (b"IEND", b""),
    )
    file = b"\x89PNG\r\n\x1a\n"
    for name, chunk in chunks:
        file += struct.pack(">I", len(chunk)) + name + chunk + struct.pack(">I", zlib.crc32(name + chunk))
    (tmp_path / "bomb.png").write_bytes(file)
    taken, line = megabytes(Image, tmp_path / "bomb.png")
    assert "100.0 megapixels" in line
    assert taken < 50


LISTS = {
    "concat": b"ffconcat version 1.0\nfile 'secret.mkv'\n",
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mkv\n#EXT-X-ENDLIST\n",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "dash": b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>\n',
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_other_files_is_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.mkv").write_bytes(made.clip("matroska", "ffv1"))
    (tmp_path / "clip.mkv").write_bytes(LISTS[name])
    for kind in (Video, Audio):
        with pytest.raises(MediaError, match=r"clip.mkv: .*in any known format"):
            kind.open("clip.mkv")


def test_a_page_description_is_no_picture(tmp_path: Path) -> None:
    PILImage.new("RGB", (8, 8)).save(tmp_path / "page.png", "EPS")
    with pytest.raises(MediaError, match="not a picture in any known format"):
        Image.open(tmp_path / "page.png")


def test_pipes_devices_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/zero")):
        for kind in (Image, Video, Audio):
            with pytest.raises(MediaError, match="is it a file"):
                kind.open(path)
        with pytest.raises(MetricInputError, match="cannot be read"):
            read_sound(path)


def test_few_frames_of_a_long_clip_are_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as file:
        stream = file.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        frame = av.VideoFrame(32, 32, "yuv420p")
        for k in range(3600):
            frame.pts = k
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with pytest.raises(MediaError, match=r"lasts 3600.0 s, longer than 120"):
        Video.decode(buffer.getvalue(), "hour")
    clip = Video.decode(buffer.getvalue(), "hour", fps=0.01, max_seconds=4000, max_pixels=36 * 32 * 32)
    assert len(clip.frames) == 36


def test_a_sound_of_ten_hours_is_refused_by_its_head(tmp_path: Path) -> None:
    path, head = tmp_path / "hours.wav", bytearray(made.sound("WAV", "PCM_16")[:44])
    size = 10 * 3600 * 16000 * 2
    head[4:8], head[40:44] = struct.pack("<I", size + 36), struct.pack("<I", size)
    path.write_bytes(head)
    os.truncate(path, 44 + size)
    with pytest.raises(MediaError, match=r"lasts 36000.0 s, longer than 600"):
        Audio.open(path)
    with pytest.raises(MetricInputError, match="cut it first"):
        read_sound(path)


def test_what_is_within_limits_can_be_written_and_read_again() -> None:
    longest = Video(np.zeros((120 * 2, 4, 4, 3), np.uint8), 2)
    for medium in (longest, Audio(np.zeros(600_000, np.float32), 1000)):
        refuse_if_large(medium)
        assert from_file(medium.modality, to_file(medium)[1], "copy") == medium
    with pytest.raises(MediaError, match="megapixels"):
        refuse_if_large(Video(np.broadcast_to(np.zeros(3, np.uint8), (1, 7000, 6000, 3)), 1))
