"""Media as immutable values: what people and models see and hear, with a hash of their content."""

from __future__ import annotations

from typing import BinaryIO

from nextgpt.media import audio, video
from nextgpt.media.audio import Audio
from nextgpt.media.file import MediaError
from nextgpt.media.image import MAX_PIXELS, Image
from nextgpt.media.video import Video

Medium = Image | Video | Audio

__all__ = [
    "MAX_PIXELS",
    "Audio",
    "Image",
    "MediaError",
    "Medium",
    "Video",
    "from_file",
    "refuse_if_large",
    "to_file",
]


def to_file(medium: Medium) -> tuple[str, bytes]:
    """The ending and the bytes of a file that holds a medium without loss.

    Example:
        >>> import numpy as np
        >>> ending, data = to_file(Image(np.zeros((2, 3, 3), dtype=np.uint8)))
        >>> ending, from_file("image", data, "a.png").width
        ('.png', 3)
    """
    if isinstance(medium, Image):
        return ".png", medium.png()
    return (".mkv", medium.mkv()) if isinstance(medium, Video) else (".wav", medium.wav())


def from_file(modality: str, data: bytes | BinaryIO, name: str) -> Medium:
    """A medium from the bytes of a file of any format, or from a file that is open.

    Args:
        modality: "image", "video" or "audio".
        data: the file's content.
        name: what to call it in error messages.

    Raises:
        MediaError: the file holds no such medium, or one beyond the limits; names it.
    """
    if modality == "image":
        return Image.decode(data, name)
    return Video.decode(data, name) if modality == "video" else Audio.decode(data, name)


def refuse_if_large(medium: Medium) -> None:
    """Refuse a medium that `from_file` would not read back, for its size.

    Raises:
        MediaError: it is larger or longer than files may be; says by how much.

    Example:
        >>> import numpy as np
        >>> refuse_if_large(Audio(np.zeros(700_000, dtype=np.float32), rate=1000))
        Traceback (most recent call last):
        nextgpt.media.file.MediaError: it lasts 700.0 s, longer than 600; cut it first.
    """
    if isinstance(medium, Image):
        seconds, longest, pixels, most = 0.0, 0.0, medium.pixels.size // 3, MAX_PIXELS
    elif isinstance(medium, Video):
        seconds, longest = medium.seconds, video.MAX_SECONDS
        pixels, most = medium.frames.size // 3, video.MAX_PIXELS
        if (one := medium.width * medium.height) > video.MAX_FRAME_PIXELS:
            pixels, most = one, video.MAX_FRAME_PIXELS
    else:
        seconds, longest = medium.seconds, min(audio.MAX_SECONDS, audio.MAX_SAMPLES / medium.rate)
        pixels, most = 0, 0
    if seconds > longest:
        raise MediaError(f"it lasts {seconds:.1f} s, longer than {longest:g}; cut it first.")
    if pixels > most:
        raise MediaError(
            f"it holds {pixels / 1e6:.1f} megapixels, more than {most / 1e6:g}; make it smaller first."
        )
