"""Every kind of good and bad picture file, written for real."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np
from PIL import Image as PILImage

from nextgpt.media import Image, MediaError


def gradient(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> PILImage.Image:
    columns = np.linspace(0, 255, size[0], dtype=np.uint8)
    rows = np.linspace(255, 0, size[1], dtype=np.uint8)
    stacked = np.stack(np.broadcast_arrays(columns[None, :], rows[:, None], np.uint8(90)), axis=2)
    return PILImage.fromarray(stacked).convert(mode)


@given(st_np.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
def test_a_picture_survives_being_written_and_read(pixels: np.ndarray) -> None:
    image = Image(pixels)
    assert Image.decode(image.png(), "copy.png") == image


@given(st_np.arrays(np.uint8, (4, 5, 3)), st.integers(0, 59))
def test_one_changed_byte_changes_the_hash(pixels: np.ndarray, position: int) -> None:
    changed = pixels.copy()
    changed.flat[position] ^= 1
    assert Image(pixels) != Image(changed)


def test_the_hash_tells_shapes_apart() -> None:
    assert Image(np.zeros((2, 6, 3), np.uint8)) != Image(np.zeros((6, 2, 3), np.uint8))


def test_pixels_are_out_of_everyones_reach() -> None:
    mine = np.zeros((2, 2, 3), np.uint8)
    image = Image(mine)
    mine[0, 0, 0] = 9
    assert image.pixels[0, 0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((0, 2, 3), np.uint8),
        np.zeros((2, 2, 3)),
    ],
    ids=["flat", "alpha", "empty", "float"],
)
def test_arrays_that_are_no_picture_are_refused(array: np.ndarray) -> None:
    with pytest.raises(MediaError):
        Image(array)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "RGBA", "PA", "YCbCr"])
def test_every_pixel_format_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tiff"
    try:
        gradient("RGBA").convert(mode).save(path)
    except (OSError, ValueError):
        pytest.skip(f"this Pillow cannot make a {mode} file")
    assert Image.open(path).pixels.shape == (30, 40, 3)


def test_cmyk_keeps_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "inks.jpg"
    PILImage.new("RGB", (16, 16), (200, 40, 40)).convert("CMYK").save(path, quality=95)
    red, green, blue = Image.open(path).pixels[8, 8].astype(int)
    assert red > 150
    assert max(green, blue) < 90


def test_transparent_pixels_lie_on_white() -> None:
    buffer = io.BytesIO()
    PILImage.new("RGBA", (2, 2), (255, 0, 0, 0)).save(buffer, "PNG")
    assert (Image.decode(buffer.getvalue(), "clear.png").pixels == 255).all()


def test_a_transparent_palette_entry_lies_on_white() -> None:
    picture = PILImage.new("P", (2, 2), 0)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=0)
    assert (Image.decode(buffer.getvalue(), "palette.png").pixels == 255).all()


def test_sixteen_bits_scale_to_eight(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    PILImage.fromarray(np.array([[0, 32896], [65535, 257]], np.uint16)).save(path)
    assert Image.open(path).pixels[:, :, 1].tolist() == [[0, 128], [255, 1]]


def test_camera_rotation_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    picture = gradient()
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(path, exif=exif)
    assert Image.open(path).pixels.shape == (40, 30, 3)


def zero_bytes(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    """Leave nothing there."""


def truncated_jpeg(path: Path) -> None:
    gradient().save(path, "JPEG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def truncated_png(path: Path) -> None:
    gradient(size=(200, 200)).save(path, "PNG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def corrupt_png(path: Path) -> None:
    gradient().save(path, "PNG")
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(bytes(data))


def text_file(path: Path) -> None:
    path.write_text("<html>404</html>")


def folder(path: Path) -> None:
    path.mkdir()


def fifty_megapixels(path: Path) -> None:
    PILImage.new("1", (10_000, 5_000)).save(path, "PNG")


def a_bomb(path: Path) -> None:
    PILImage.new("1", (30_000, 20_000)).save(path, "PNG")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (zero_bytes, "empty"),
        (missing, "no such file"),
        (truncated_jpeg, "cut off"),
        (truncated_png, "cut off"),
        (corrupt_png, "damaged"),
        (text_file, "not a picture"),
        (folder, "is it a file"),
        (fifty_megapixels, "50.0 megapixels"),
        (a_bomb, "too large|megapixels"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bad_file_is_named(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    path = tmp_path / "bad_picture.png"
    spoil(path)
    with pytest.raises(MediaError, match=words) as caught:
        Image.open(path)
    assert str(path) in str(caught.value)


MAGIC = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"RIFF____WEBP"]


@given(st.binary(max_size=300), st.sampled_from(MAGIC))
def test_random_bytes_never_raise_anything_else(tail: bytes, magic: bytes) -> None:
    with contextlib.suppress(MediaError):
        Image.decode(magic + tail, "noise")


@given(st.integers(9, 1500), st.integers(0, 255))
def test_a_changed_byte_gives_a_picture_or_a_clear_error(position: int, value: int) -> None:
    buffer = io.BytesIO()
    gradient().save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[position % len(data)] = value
    with contextlib.suppress(MediaError):
        Image.decode(bytes(data), "changed.png", max_pixels=1_000_000)


def test_saving_leaves_a_whole_file_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "picture.png"
    first = Image(np.zeros((4, 4, 3), np.uint8))
    first.save(path)

    def full_disk(self: Image) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image, "png", full_disk)
    with pytest.raises(OSError, match="No space"):
        Image(np.ones((4, 4, 3), np.uint8)).save(path)
    assert Image.open(path) == first
    assert [entry.name for entry in path.parent.iterdir()] == ["picture.png"]


def test_resizing_is_antialiased() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = Image(stripes).resized(16, 16)
    assert abs(small.pixels.astype(int) - 128).max() < 30
