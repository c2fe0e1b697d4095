"""Pictures as immutable values, with a hash of their content.

A picture is read from and written to ordinary files. What a file format leaves open (transparency,
palettes, CMYK inks, sixteen-bit samples, camera rotation) is decided here, once:

========================  =====================================================================
alpha, transparency       laid over white
grayscale                 the same value in red, green and blue
16 and 32 bit grayscale   scaled from the type's full range (65535 for integers, 1.0 for floats)
palette                   looked up
CMYK and other inks       converted by Pillow's plain formula, no colour profile
EXIF orientation          applied
several frames            the first one; `nextgpt.media.Video` reads them all
========================  =====================================================================

Formats come from a list, `FORMATS`: whoever made a file does not choose what reads it.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nextgpt.media.containers import refuse_if_cut
from nextgpt.media.file import MediaError, as_file, decoding, open_regular, write_whole

if TYPE_CHECKING:
    from PIL import Image as PILImage

MAX_PIXELS = 40_000_000
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
_LARGEST_SAMPLE = 8  # bytes that a pixel takes in the largest files that make sense: 16 bits, RGBA
_STRIP = 1 << 20  # pixels that are converted at a time


@dataclass(frozen=True, eq=False)
class Image:
    """A picture: uint8 ``[H, W, 3]``, RGB, read-only. Equal pictures are equal and hash alike.

    Args:
        pixels: uint8 ``[H, W, 3]`` with ``H, W >= 1``. A writable array is copied, so a later change
            to the caller's array never reaches the picture.

    Raises:
        MediaError: the array has another dtype or shape.

    Example:
        >>> picture = Image(np.zeros((2, 3, 3), dtype=np.uint8))
        >>> picture.width, picture.height
        (3, 2)
        >>> picture == Image(np.zeros((2, 3, 3), dtype=np.uint8))
        True
    """

    modality: ClassVar[Literal["image"]] = "image"

    pixels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        pixels = self.pixels
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
            found = f"dtype {pixels.dtype}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
            raise MediaError(f"An image needs a uint8 array, got {found}; scale to 0-255 and cast first.")
        if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise MediaError(f"An image needs the shape [H, W, 3] with H, W >= 1, got {list(pixels.shape)}.")
        if pixels.flags.writeable or not pixels.flags.c_contiguous:
            pixels = np.array(pixels, order="C", copy=True)
            pixels.flags.writeable = False
            object.__setattr__(self, "pixels", pixels)

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @cached_property
    def content_hash(self) -> str:
        """SHA-256, in hex, over shape and pixels: what features are cached by and files named by."""
        digest = hashlib.sha256(f"image {self.height}x{self.width}".encode())
        digest.update(self.pixels.data)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Image):
            return NotImplemented
        return self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        return f"Image({self.width}x{self.height}, {self.content_hash[:8]})"

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Image:
        """Read a picture file: PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, JPEG 2000 or PPM.

        Args:
            path: the file.
            max_pixels: pictures with more are refused before they are decoded.

        Raises:
            MediaError: missing, no regular file, empty, cut off, not a picture, or too large; names the file.
        """
        with open_regular(path) as file:
            return cls.decode(file, str(path), max_pixels=max_pixels)

    @classmethod
    def decode(cls, data: bytes | BinaryIO, name: str, *, max_pixels: int = MAX_PIXELS) -> Image:
        """Read a picture from the bytes of a file, or from a file that is open.

        Args:
            data: the file's content.
            name: what to call it in error messages.
            max_pixels: pictures with more are refused before they are decoded.

        Raises:
            MediaError: as `open`.

        Example:
            >>> white = Image(np.full((4, 4, 3), 255, dtype=np.uint8))
            >>> Image.decode(white.png(), "white.png") == white
            True
        """
        from PIL import ImageOps

        file = as_file(data, name)
        with decoding(name), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged tags, and of sizes: those are judged here
            picture = open_picture(file, name, max_pixels)
            place = file.tell()
            refuse_if_cut(file, name)
            file.seek(place)
            picture.load()
            return cls(rgb(ImageOps.exif_transpose(picture)))

    def to_pil(self) -> PILImage.Image:
        """The same picture for Pillow, mode ``RGB``."""
        from PIL import Image as PILImage

        return PILImage.fromarray(self.pixels)

    def png(self) -> bytes:
        """The picture as a PNG file; the same picture always gives the same bytes."""
        buffer = io.BytesIO()
        self.to_pil().save(buffer, format="PNG")
        return buffer.getvalue()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a PNG file, whole or not at all: readers never meet half a picture."""
        write_whole(path, self.png())

    def resized(self, width: int, height: int) -> Image:
        """The picture at another size: bicubic, antialiased; itself when the size is already right.

        Example:
            >>> Image(np.zeros((64, 64, 3), dtype=np.uint8)).resized(32, 16).pixels.shape
            (16, 32, 3)
        """
        from PIL import Image as PILImage

        if width < 1 or height < 1:
            raise MediaError(f"Cannot resize to {width}x{height}; both must be at least 1.")
        if (width, height) == (self.width, self.height):
            return self
        return Image(np.asarray(self.to_pil().resize((width, height), PILImage.Resampling.BICUBIC)))


def open_picture(file: BinaryIO, name: str, max_pixels: int = MAX_PIXELS) -> PILImage.Image:
    """Open a picture with Pillow: of a format of `FORMATS`, of a size within limits, and not decoded yet.

    Raises:
        MediaError: of another format, or too large.
        Exception: whatever Pillow raises at damaged files; see `decoding`.
    """
    from PIL import Image as PILImage
    from PIL import UnidentifiedImageError

    bytes_, most = file.seek(0, os.SEEK_END), max(_LARGEST_SAMPLE * max_pixels, 1 << 26)
    file.seek(0)
    if bytes_ > most:
        raise MediaError(f"{name}: {bytes_ / 1e6:.0f} MB, more than {most / 1e6:.0f}, for a picture.")
    PILImage.init()
    try:
        picture = PILImage.open(file, formats=[known for known in FORMATS if known in PILImage.OPEN])
    except PILImage.DecompressionBombError as error:
        raise MediaError(f"{name}: far too large ({error}); make it smaller first.") from error
    except UnidentifiedImageError:
        file.seek(0)
        heic = file.read(12)[4:] in (b"ftypheic", b"ftypheix", b"ftypmif1")
        what = "HEIC, which is not read here; save it as PNG or JPEG" if heic else "is the file damaged?"
        raise MediaError(f"{name}: not a picture in any known format: {what}.") from None
    _check_size(picture.width, picture.height, name, max_pixels)
    return picture


def moves(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a picture of several frames, which `nextgpt.media.Video` reads as a clip.

    Only as much is decoded as it takes to count. What is no picture does not move.
    """
    try:
        with open_regular(path) as file, decoding(str(path)), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bool(getattr(open_picture(file, str(path)), "n_frames", 1) > 1)
    except MediaError:
        return False


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise MediaError(
            f"{name}: {width}x{height} is {width * height / 1e6:.1f} megapixels, more than "
            f"{max_pixels / 1e6:g}; make it smaller first."
        )


def rgb(picture: PILImage.Image) -> NDArray[np.uint8]:
    """A decoded Pillow image of any mode as uint8 ``[H, W, 3]``, read-only.

    It is converted in strips: on the way a pixel may take ten times what it takes in the end.
    """
    width, height = picture.size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        strip = picture if rows >= height else picture.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = _rgb(strip)
    pixels.flags.writeable = False
    return pixels


def _rgb(picture: PILImage.Image) -> NDArray[np.uint8]:
    from PIL import Image as PILImage

    if picture.mode.startswith("I") or picture.mode == "F":
        samples = np.asarray(picture).astype(np.float64)
        top = 1.0 if picture.mode == "F" else 65535.0
        gray = np.clip(np.rint(samples / top * 255.0), 0, 255).astype(np.uint8)
        return np.repeat(gray[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = PILImage.new("RGBA", layer.size, (255, 255, 255, 255))
        picture = PILImage.alpha_composite(white, layer)
    return np.asarray(picture.convert("RGB"))
