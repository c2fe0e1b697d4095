"""What is found in folders of others: every kind of file has one outcome, and arrays are bounded."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from benchmarks.score.material import (
    PICTURES,
    SOUNDS,
    clips_by_name,
    files_by_name,
    open_frames,
    open_sound,
    passed_over,
    read_arrays,
)
from benchmarks.tasks.official import DataError
from nextgpt.media import Image, MediaError
from tests.nextgpt.media import made

CASES = Path(__file__).resolve().parents[4] / "shared" / "data" / "cases"


def test_sounds_of_many_endings_are_found_and_read(tmp_path: Path) -> None:
    for name, data in (
        ("a.wav", made.sound("WAV")),
        ("b.opus", made.sound("OGG", "OPUS")),
        ("c.m4a", made.TRACKS["m4a"]()),
        ("d.aiff", made.sound("AIFF")),
    ):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "notes.txt").write_text("beside them")
    found = files_by_name(tmp_path, SOUNDS, "sounds")
    assert list(found) == ["a", "b", "c", "d"]
    assert all(open_sound(path).seconds >= 0.5 for path in found.values())
    assert passed_over(tmp_path, SOUNDS) == []


def test_files_of_no_known_ending_are_counted_and_named(tmp_path: Path) -> None:
    for name in ("a.png", "b.xyz", "c.raw", ".hidden.raw"):
        (tmp_path / name).write_bytes(made.picture("PNG"))
    (note,) = passed_over(tmp_path, PICTURES)
    assert note.startswith("2 files of ")
    assert note.endswith(": b.xyz, c.raw")


def test_a_picture_that_is_not_read_is_named_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(200))
    (path,) = files_by_name(tmp_path, PICTURES, "pictures").values()
    with pytest.raises(MediaError, match=r"a.heic: .*HEIC.*save it as PNG"):
        Image.open(path)


def test_an_animated_picture_is_a_clip_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for path in (tmp_path / "a.gif", tmp_path / "b" / "b.gif"):
        path.write_bytes(made.moving_picture("GIF"))
    clips = clips_by_name(tmp_path)
    assert sorted(clips) == ["a", "b"]
    assert [len(open_frames(paths)) for paths in clips.values()] == [5, 5]
    (tmp_path / "b" / "c.gif").write_bytes(made.picture("GIF", "P"))
    with pytest.raises(MediaError, match=r"b.gif: moves, and lies among frames"):
        open_frames(clips_by_name(tmp_path)["b"])


def test_still_pictures_side_by_side_are_no_clips(tmp_path: Path) -> None:
    PILImage.new("RGB", (8, 8)).save(tmp_path / "a.gif")
    with pytest.raises(DataError, match=r"a.gif: a picture, no clip"):
        clips_by_name(tmp_path)


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/data/cases is not here")
def test_the_cases_are_read_whole() -> None:
    for folder in ("flat", "as_advised"):
        ((name, paths),) = clips_by_name(CASES / "gif_clips" / folder).items()
        assert (name, len(open_frames(paths))) == ("0", 4)
    assert list(files_by_name(CASES / "opus_ignored" / "sounds", SOUNDS, "sounds")) == ["0", "1", "2", "3"]


def test_arrays_survive_being_written_and_read(tmp_path: Path) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save(tmp_path / "a.npy", rows)
    np.savez_compressed(tmp_path / "b.npz", features=rows, probabilities=rows.astype(float))
    assert np.array_equal(read_arrays(tmp_path / "a.npy")["features"], rows)
    assert sorted(read_arrays(tmp_path / "b.npz")) == ["features", "probabilities"]


def test_a_small_file_of_huge_arrays_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("features.npy", "w") as file,
    ):
        shape = {"descr": "<f8", "fortran_order": False, "shape": (1 << 18, 600)}
        np.lib.format.write_array_header_1_0(file, shape)
        for _ in range(75):
            file.write(bytes(1 << 24))
    assert path.stat().st_size < 3 << 20
    program = f"""
import resource
from pathlib import Path
from benchmarks.score.material import read_arrays
from benchmarks.tasks.official import DataError
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
try:
    read_arrays(Path({str(path)!r}))
except DataError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "GB of arrays, more than" in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["a.npy", "b.npz", "c.npz"])
def test_a_spoilt_file_of_arrays_is_one_line(tmp_path: Path, name: str) -> None:
    path, dice = tmp_path / name, random.Random(name)
    rows = np.arange(60, dtype=np.float64).reshape(20, 3)
    {"a": np.save, "b": np.savez, "c": np.savez_compressed}[name[0]](path, rows)
    whole = path.read_bytes()
    lines = []
    for number in range(150):
        data = bytearray(whole)
        if number % 3:
            for _ in range(dice.choice([1, 4])):
                data[dice.randrange(min(len(data), 160) if number % 2 else len(data))] = dice.randrange(256)
        else:
            del data[dice.randrange(1, len(data)) :]
        path.write_bytes(data)
        try:
            read_arrays(path)
        except DataError as error:
            lines.append(str(error))
    assert len(lines) > 40
    assert not [line for line in lines if not line.startswith(str(path)) or "\n" in line]


def test_an_array_that_promises_more_than_the_file_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        shape = {"descr": "<f8", "fortran_order": False, "shape": (1 << 26, 1 << 10)}
        np.lib.format.write_array_header_1_0(file, shape)
    with pytest.raises(DataError, match=r"a.npy: no readable NumPy file"):
        read_arrays(path)
