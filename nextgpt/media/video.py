"""Clips as immutable values, with a hash of their content.

What a file format leaves open is decided here, once:

========================  =====================================================================
several video streams     the first one; sound is left aside (see `Audio`)
rotation of the camera    applied, and mirroring
animated pictures         GIF, PNG, WebP, AVIF: transparency laid over white; shown as long as they say
uneven frame times        brought to an even rate: for each tick, the frame shown in its middle
========================  =====================================================================
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nextgpt.media.file import MediaError, open_regular, write_whole
from nextgpt.media.image import Image

MAX_SECONDS = 120.0
CHAT_FPS = 8.0  # enough for every encoder here, and a long clip of a telephone still fits into memory
MAX_PIXELS = 400_000_000  # over all frames; 1.2 GB
MAX_FRAME_PIXELS = 36_000_000  # of one frame: 8K; a decoder keeps up to sixteen
HIGHEST_FPS = 240.0


@dataclass(frozen=True, eq=False)
class Video:
    """A clip: uint8 ``[T, H, W, 3]``, RGB, read-only, and its frames per second.

    Args:
        frames: uint8 ``[T, H, W, 3]`` with ``T, H, W >= 1``. A writable array is copied.
        fps: frames per second, evenly spaced; above 0, at most 240.

    Raises:
        MediaError: the array has another dtype or shape, or the rate is none.

    Example:
        >>> clip = Video(np.zeros((16, 4, 6, 3), dtype=np.uint8), fps=8)
        >>> clip.seconds, clip.width, clip.height
        (2.0, 6, 4)
        >>> clip == Video(np.zeros((16, 4, 6, 3), dtype=np.uint8), fps=4)
        False
    """

    modality: ClassVar[Literal["video"]] = "video"

    frames: NDArray[np.uint8]
    fps: float

    def __post_init__(self) -> None:
        frames = self.frames
        if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8:
            found = f"dtype {frames.dtype}" if isinstance(frames, np.ndarray) else type(frames).__name__
            raise MediaError(f"A clip needs a uint8 array, got {found}; scale to 0-255 and cast first.")
        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
            raise MediaError(
                f"A clip needs the shape [T, H, W, 3] with T, H, W >= 1, got {list(frames.shape)}."
            )
        if isinstance(self.fps, bool) or not isinstance(self.fps, int | float | np.number | Fraction):
            raise MediaError(f"A clip's rate is a number of frames per second, got {self.fps!r}.")
        object.__setattr__(self, "fps", float(self.fps))
        if not 0 < self.fps <= HIGHEST_FPS:  # NaN is refused too
            raise MediaError(f"A clip has more than 0 and at most 240 frames per second, got {self.fps}.")
        if frames.flags.writeable or not frames.flags.c_contiguous:
            frames = np.array(frames, order="C", copy=True)
            frames.flags.writeable = False
            object.__setattr__(self, "frames", frames)

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.frames.shape[2])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.frames.shape[1])

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.frames) / self.fps

    @cached_property
    def content_hash(self) -> str:
        """SHA-256, in hex, over shape, rate and frames: what features are cached by and files named by."""
        shape = "x".join(map(str, self.frames.shape[:3]))
        digest = hashlib.sha256(f"video {shape}@{self.fps!r}".encode())
        digest.update(self.frames.data)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Video):
            return NotImplemented
        return self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        size = f"{self.width}x{self.height}"
        return f"Video({size}, {len(self.frames)} frames at {self.fps:g}/s, {self.content_hash[:8]})"

    def frame(self, position: int) -> Image:
        """One frame as a picture.

        Example:
            >>> Video(np.zeros((2, 4, 6, 3), dtype=np.uint8), fps=1).frame(-1).width
            6
        """
        return Image(self.frames[position])

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        fps: float | None = None,
        max_seconds: float = MAX_SECONDS,
        max_pixels: int = MAX_PIXELS,
    ) -> Video:
        """Read a video file: MP4, Matroska, WebM, AVI, FLV, MPEG, Ogg, WMV, or a picture that moves.

        It is read once from its start, and no more of it is held than the frames that are kept.

        Args:
            path: the file.
            fps: keep so many frames per second; by default, and at most, as many as there are.
            max_seconds: longer clips are refused.
            max_pixels: clips that hold more, over all frames kept, are refused.

        Raises:
            MediaError: missing, no regular file, empty, cut off, no video, without frames, too long or too
                large; names the file.
        """
        with open_regular(path) as file:
            return cls.decode(file, str(path), fps=fps, max_seconds=max_seconds, max_pixels=max_pixels)

    @classmethod
    def decode(
        cls,
        data: bytes | BinaryIO,
        name: str,
        *,
        fps: float | None = None,
        max_seconds: float = MAX_SECONDS,
        max_pixels: int = MAX_PIXELS,
    ) -> Video:
        """Read a clip from the bytes of a file, or from a file that is open.

        Args:
            data: the file's content.
            name: what to call it in error messages.
            fps: as in `open`.
            max_seconds: as in `open`.
            max_pixels: as in `open`.

        Raises:
            MediaError: as `open`.
        """
        from nextgpt.media.clip_files import read_clip

        return cls(*read_clip(data, name, fps, max_seconds, max_pixels))

    def _encoded(self, container: str, codec: str, pixels: str, options: dict[str, str]) -> bytes:
        import av

        buffer = io.BytesIO()
        frames = self.frames
        if pixels == "yuv420p":  # colour has half the resolution: odd sides are repeated to even ones
            odd = ((0, 0), (0, self.height % 2), (0, self.width % 2), (0, 0))
            frames = np.pad(frames, odd, mode="edge")
        rate = Fraction(self.fps).limit_denominator(1001)
        try:
            with av.open(buffer, "w", format=container, options={"fflags": "+bitexact"}) as file:
                stream: Any = file.add_stream(codec, rate=rate, options=options)
                stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], pixels
                for frame in frames:
                    for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                        file.mux(packet)
                for packet in stream.encode():
                    file.mux(packet)
        except av.FFmpegError as error:
            size = f"{self.width}x{self.height}"
            raise MediaError(
                f"A clip of {size} can't be written as {container} ({error.strerror})."
            ) from error
        return buffer.getvalue()

    def mp4(self) -> bytes:
        """The clip as an MP4 file that every player shows: H.264, a little lossy."""
        return self._encoded("mp4", "libx264", "yuv420p", {"crf": "18"})

    def mkv(self) -> bytes:
        """The clip as a Matroska file without loss, FFV1; the same clip always gives the same bytes."""
        return self._encoded("matroska", "ffv1", "bgr0", {})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file, whole or not at all: ``.mkv`` without loss, ``.mp4`` for players.

        Raises:
            MediaError: another ending.
        """
        ending = os.path.splitext(path)[1].lower()  # noqa: PTH122  (paths and strings alike)
        if ending not in (".mp4", ".mkv"):
            raise MediaError(f"{path}: a clip is written as .mp4 or .mkv, not as {ending or 'a bare name'}.")
        write_whole(path, self.mp4() if ending == ".mp4" else self.mkv())
