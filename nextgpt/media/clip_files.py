"""From the files of clips to frames at an even rate: FFmpeg's formats, and pictures that move.

Containers come from a list, `CONTAINERS`, and nothing outside the file is opened: a file that is a list of
other files, or that names a place in the network, is no clip.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from nextgpt.media.containers import refuse_if_cut
from nextgpt.media.file import MediaError, as_file, decoding
from nextgpt.media.image import open_picture, rgb
from nextgpt.media.video import HIGHEST_FPS, MAX_FRAME_PIXELS

Pixels = NDArray[np.uint8]

# By the names of FFmpeg's demuxers; `mov` is MP4 too, `matroska` WebM. The second half are sounds.
CONTAINERS = "asf,avi,flv,matroska,mov,mpeg,mpegts,mpegvideo,ogg,aac,ac3,amr,flac,mp3,wav"
_QUICK, _USUAL = 0.01, 0.1  # seconds: a picture that is shown for less than the one is shown for the other
_ROUNDING = 0.05  # seconds that a container's clock may add
_GRACE = 0.25  # seconds that a clip may end early


def open_container(file: BinaryIO, name: str, what: str = "no video") -> Any:
    """Open a file with FFmpeg, as one of `CONTAINERS`.

    Raises:
        MediaError: it is none of them, and so no video, or `what` is said of it; names the file.
        av.FFmpegError: whatever is wrong inside; see `decoding`.
    """

    def refuse(url: str, *_: Any) -> None:
        raise MediaError(f"{name}: leads to another file ({url}), which is not opened.")

    options = {
        "format_whitelist": CONTAINERS,
        "protocol_whitelist": "none",
        "max_pixels": str(MAX_FRAME_PIXELS),
    }
    try:
        return av.open(file, mode="r", options=options, io_open=refuse)
    except av.EOFError:
        raise MediaError(f"{name}: its streams have no frames, or it is cut off; fetch it again.") from None
    except (av.InvalidDataError, av.ArgumentError) as error:
        raise MediaError(
            f"{name}: {what} in any known format, or damaged or cut off ({error.strerror}); fetch it again."
        ) from error


def read_clip(
    file: bytes | BinaryIO, name: str, fps: float | None, max_seconds: float, max_pixels: int
) -> tuple[Pixels, float]:
    """The frames of a clip, uint8 [T, H, W, 3], and how many there are per second.

    Args:
        file: the file's content, or an open file.
        name: what to call it in error messages.
        fps: keep so many frames per second; at most, and by default, as many as there are.
        max_seconds: longer clips are refused.
        max_pixels: clips that hold more, over all frames kept, are refused.

    Raises:
        MediaError: anything that `Video.open` refuses.
    """
    if fps is not None and not fps > 0:
        raise MediaError(f"{name}: cannot keep {fps} frames per second; give more than 0.")
    file = as_file(file, name)
    with decoding(name):
        refuse_if_cut(file, name)
        limits = name, fps, max_seconds, max_pixels
        return _read_pictures(file, *limits) if _is_picture(file) else _read_video(file, *limits)


def _is_picture(file: BinaryIO) -> bool:
    head = file.read(12)
    file.seek(0)
    return (
        head[:4] in (b"GIF8", b"\x89PNG")
        or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
        or head[4:] in (b"ftypavif", b"ftypavis")
    )


def _read_pictures(
    file: BinaryIO, name: str, fps: float | None, max_seconds: float, max_pixels: int
) -> tuple[Pixels, float]:
    """An animated GIF, PNG, WebP or AVIF; a still one is a clip of one frame."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = open_picture(file, name, min(max_pixels, MAX_FRAME_PIXELS))
        count = getattr(picture, "n_frames", 1)
        times = [0.0]
        for seconds in _durations(picture, count):
            times.append(times[-1] + seconds)
            if times[-1] > max_seconds + _ROUNDING:
                break  # and is refused
        frames = _Frames(name, len(times[1:]) / times[-1], fps, max_seconds, max_pixels)
        frames.expect(times[-1], picture.width, picture.height)
        for number in range(count):
            picture.seek(number)
            picture.load()
            shown = rgb(picture)
            frames.see(times[number], lambda shown=shown: shown)  # type: ignore[misc]
        return frames.until(times[-1])


def _durations(picture: Any, count: int) -> Iterator[float]:
    """How long each picture is shown, in seconds, as browsers show them."""
    for number in range(count):
        picture.seek(number)
        if picture.format in ("WEBP", "AVIF"):  # these learn it with the picture
            picture.load()
        seconds = float(picture.info.get("duration") or 0) / 1000
        yield seconds if seconds > _QUICK else _USUAL


def _read_video(
    file: BinaryIO, name: str, fps: float | None, max_seconds: float, max_pixels: int
) -> tuple[Pixels, float]:
    with open_container(file, name) as container:
        if not container.streams.video:
            raise MediaError(f"{name}: holds no video stream; is it a sound?")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise MediaError(f"{name}: its video is of a kind that FFmpeg cannot decode; convert it to MP4.")
        stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
        own = float(stream.average_rate or stream.guessed_rate or 0) or 25.0
        frames = _Frames(name, own, fps, max_seconds, max_pixels)
        frames.expect(_seconds(container, stream) or 0.0, stream.width, stream.height)
        reach = 0.0  # how far any stream goes, by the file's own clock
        try:
            for packet in container.demux():
                if packet.pts is not None:
                    reach = max(reach, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                if packet.stream.index == stream.index:
                    for frame in packet.decode():
                        frames.decoded(frame)
        except av.ArgumentError as error:  # what a decoder says to frames beyond `max_pixels`, too
            raise MediaError(
                f"{name}: damaged, or its frames hold more than {MAX_FRAME_PIXELS / 1e6:g} megapixels each; "
                "fetch it again, or make it smaller first."
            ) from error
        if not frames.seen:
            raise MediaError(f"{name}: its video stream has no frames; fetch it again.")
        _refuse_if_short(name, container, stream, frames, reach)
        return frames.until(frames.last + 1 / own)


def _seconds(container: Any, stream: Any) -> float | None:
    """How long the video is meant to last; None where the file tells only of all its streams together."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if stated := stream.metadata.get("DURATION"):  # Matroska's: the time of its end, 00:00:05.000000000
        hours, minutes, seconds = (float(part) for part in stated.split(":"))
        start = float((stream.start_time or 0) * stream.time_base)
        return max(0.0, 3600 * hours + 60 * minutes + seconds - start)
    if len(container.streams) == 1 and container.duration is not None:
        return float(max(0, container.duration - (container.start_time or 0)) / 1e6)
    return None


def _refuse_if_short(name: str, container: Any, stream: Any, frames: _Frames, reach: float) -> None:
    """Refuse a clip that ends before its time. A little grace: indices count hidden frames."""
    ended, promised = frames.last + frames.tick, 0.0
    if stream.duration is not None and stream.time_base is not None:
        promised = float(stream.duration * stream.time_base)
    elif container.duration is not None:  # of the stream that goes farthest, be it the sound
        ended, promised = reach, container.duration / 1e6
    missing = stream.frames and frames.seen < 0.95 * stream.frames - 2
    if missing or ended + _GRACE < 0.9 * promised:
        raise MediaError(
            f"{name}: cut off: its frames end after {ended:.1f} of {promised:.1f} s; fetch it again."
        )


class _Frames:
    """The frames kept of a clip that is being decoded, at an even rate."""

    def __init__(self, name: str, own: float, fps: float | None, max_seconds: float, max_pixels: int) -> None:
        self.name, self.tick = name, 1 / own
        self.fps = min(own, HIGHEST_FPS) if fps is None else min(fps, own)
        self.max_seconds, self.max_pixels = max_seconds, max_pixels
        self.seen, self.kept, self.last = 0, 0, 0.0
        self._array: Pixels = np.empty((0, 0, 0, 3), np.uint8)
        self._room = 1
        self._first: float | None = None
        self._before: Callable[[], Pixels] | None = None

    def expect(self, seconds: float, width: int, height: int) -> None:
        """Refuse before decoding what is to be longer or larger than allowed."""
        self._refuse_if_long(seconds)
        count = max(1.0, seconds * self.fps)
        if 0.95 * count * width * height > self.max_pixels or width * height > MAX_FRAME_PIXELS:
            self._refuse_as_large(width, height)
        self._room = round(count) + 1

    def decoded(self, frame: Any) -> None:
        """Take the next frame from FFmpeg."""
        time = float(frame.time) if frame.time is not None else self.seen / self.fps
        self.see(time, lambda: _upright(frame))

    def see(self, time: float, pixels: Callable[[], Pixels]) -> None:
        """Take the next frame: the one before it fills the ticks until then."""
        if self._first is None:
            self._first = time
        time -= self._first
        self._refuse_if_long(time)
        self.seen += 1
        self.last = time
        self._fill(time)
        self._before = pixels

    def until(self, end: float) -> tuple[Pixels, float]:
        """All frames and their rate, when the last one has been shown until `end`."""
        self._fill(end)
        if not self.kept and self._before is not None:
            self._keep(self._before())
        self._array.resize((self.kept, *self._array.shape[1:]), refcheck=False)
        self._array.flags.writeable = False
        return self._array, self.fps

    def _fill(self, until: float) -> None:
        # Half a tick of grace: times are rounded to the file's own clock.
        if self._before is None or not self.kept / self.fps < until - 0.5 / self.fps:
            return
        pixels = self._before()
        while self.kept / self.fps < until - 0.5 / self.fps:
            self._keep(pixels)

    def _keep(self, pixels: Pixels) -> None:
        height, width = pixels.shape[:2]
        if self.kept and pixels.shape != self._array.shape[1:]:
            raise MediaError(f"{self.name}: its frames change their size; cut it where they do.")
        most = self.max_pixels // (height * width)
        if self.kept >= most:
            self._refuse_as_large(width, height)
        if not self.kept:
            self._array = np.empty((min(self._room, most), *pixels.shape), np.uint8)
        elif self.kept == len(self._array):  # it lasts longer than it said
            more = min(self.kept + self.kept // 2 + 1, most)
            self._array.resize((more, *pixels.shape), refcheck=False)
        self._array[self.kept] = pixels
        self.kept += 1

    def _refuse_if_long(self, seconds: float) -> None:
        if seconds > self.max_seconds + _ROUNDING:
            raise MediaError(
                f"{self.name}: lasts {seconds:.1f} s, longer than {self.max_seconds:g}; cut it first."
            )

    def _refuse_as_large(self, width: int, height: int) -> None:
        one = width * height > MAX_FRAME_PIXELS
        most, of = (MAX_FRAME_PIXELS, "each") if one else (self.max_pixels, "together")
        way = "" if one else "keep fewer per second (fps=...), cut it, or "
        raise MediaError(
            f"{self.name}: its frames, {width}x{height}, hold more than {most / 1e6:g} megapixels {of}; {way}"
            "make it smaller first."
        )


def _upright(frame: Any) -> Pixels:
    """A decoded frame's pixels as they are to be shown: turned and mirrored as the file's matrix says."""
    pixels: Pixels = frame.to_ndarray(format="rgb24")
    for data in frame.side_data:
        if data.type.name != "DISPLAYMATRIX":
            continue
        # x' = a x + c y, y' = b x + d y, with y downwards.
        a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
        if abs(b) > abs(a):
            pixels, a, d = pixels.transpose(1, 0, 2), c, b
        pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return pixels
