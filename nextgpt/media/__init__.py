"""Media as immutable values: what people and models see and hear, with a hash of their content."""

from __future__ import annotations

from nextgpt.media.audio import Audio
from nextgpt.media.file import MediaError
from nextgpt.media.image import MAX_PIXELS, Image
from nextgpt.media.video import Video

Medium = Image | Video | Audio

__all__ = ["MAX_PIXELS", "Audio", "Image", "MediaError", "Medium", "Video", "from_file", "to_file"]


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


def from_file(modality: str, data: bytes, name: str) -> Medium:
    """A medium from the bytes of a file of any format.

    Args:
        modality: "image", "video" or "audio".
        data: the file's content.
        name: what to call it in error messages.

    Raises:
        MediaError: the file holds no such medium; names it.
    """
    if modality == "image":
        return Image.decode(data, name)
    return Video.decode(data, name) if modality == "video" else Audio.decode(data, name)
