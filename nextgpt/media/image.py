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
several frames            the first one
========================  =====================================================================
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nextgpt.media.file import MediaError, read_whole, write_whole

if TYPE_CHECKING:
    from PIL import Image as PILImage

MAX_PIXELS = 40_000_000


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
        """Read a picture file of any format that Pillow knows.

        Args:
            path: the file.
            max_pixels: pictures with more are refused before they are decoded.

        Raises:
            MediaError: missing, empty, truncated, not a picture, or too large; names the file.
        """
        return cls.decode(read_whole(path), str(path), max_pixels=max_pixels)

    @classmethod
    def decode(cls, data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> Image:
        """Read a picture from the bytes of a file.

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
        from PIL import Image as PILImage
        from PIL import ImageOps, UnidentifiedImageError

        if not data:
            raise MediaError(f"{name}: the file is empty (0 bytes); fetch it again.")
        try:
            with warnings.catch_warnings():
                # Size is judged below, with our own limit and our own words.
                warnings.simplefilter("ignore", PILImage.DecompressionBombWarning)
                picture = PILImage.open(io.BytesIO(data))
            if picture.width * picture.height > max_pixels:
                raise MediaError(
                    f"{name}: {picture.width}x{picture.height} is {picture.width * picture.height / 1e6:.1f} "
                    f"megapixels, more than {max_pixels / 1e6:g}; make it smaller first."
                )
            picture.load()
            return cls(_rgb(ImageOps.exif_transpose(picture)))
        except PILImage.DecompressionBombError as error:
            raise MediaError(f"{name}: far too large ({error}); make it smaller first.") from error
        except UnidentifiedImageError:
            raise MediaError(f"{name}: not a picture in any known format; is the file damaged?") from None
        except MediaError:
            raise
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error) as error:
            # Pillow's decoders raise all of these on damaged files.
            raise MediaError(f"{name}: damaged or cut off ({error}); fetch it again.") from error

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


def _rgb(picture: PILImage.Image) -> NDArray[np.uint8]:
    """Bring a decoded Pillow image of any mode to uint8 ``[H, W, 3]``."""
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
