"""Media as ImageBind takes them: sizes, moments, crops, and the mel front end.

Constants and order of steps are those of ImageBind's own data loading. Differences from it:

- Frames are cut from a clip of even rate (see `nextgpt.media.Video`).
- Each piece of a sound has its mean removed once; the published code works in place on overlapping
  pieces, so that sounds under six seconds are changed again and again.
- A sound of several channels is heard as their mean; the published code hears the first.
"""

from __future__ import annotations

import math
import warnings
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)
AUDIO_MEAN, AUDIO_STD = -4.268, 9.138
AUDIO_RATE = 16_000  # Hz
CLIP_SECONDS = 2.0
VIDEO_CLIPS, AUDIO_CLIPS = 5, 3
FRAME_SECONDS, HOP_SECONDS = 0.025, 0.010
_LOWEST_HERTZ = 20.0
_FLOOR = 1.1920928955078125e-07  # of mel energies: the least difference from 1 in float32
_PREEMPHASIS = 0.97


def starts(seconds: float, clips: int, length: float = CLIP_SECONDS) -> list[float]:
    """Where pieces of a recording begin, evenly spread from its beginning to its end, in seconds.

    Example:
        >>> starts(10.0, 5)
        [0.0, 2.0, 4.0, 6.0, 8.0]
        >>> starts(1.0, 3)
        [0.0, 0.0, 0.0]
    """
    last = max(seconds - length, 0.0)
    return [last * k / max(clips - 1, 1) for k in range(clips)]


def moments(count: int, fps: float, *, clips: int = VIDEO_CLIPS, each: int = 2) -> list[list[int]]:
    """Which frames are looked at: of each piece, frames evenly spread from its first to its last.

    Args:
        count: frames of the whole.
        fps: frames per second.
        clips: pieces of two seconds.
        each: frames of a piece.

    Example:
        >>> moments(100, fps=10.0, clips=3)
        [[0, 19], [40, 59], [80, 99]]
        >>> moments(3, fps=10.0, clips=2)
        [[0, 2], [0, 2]]
    """
    found = []
    for start in starts(count / fps, clips):
        # Rounded a little: 0.1 * 30 is more than 3.
        first = min(math.ceil(round(fps * start, 6)), count - 1)
        end = max(min(math.ceil(round(fps * (start + CLIP_SECONDS), 6)), count), first + 1)
        found.append([int(place) for place in np.linspace(first, end - 1, each)])
    return found


def preprocess_image(pixels: NDArray[np.uint8], size: int = 224) -> Tensor:
    """A picture as ImageBind takes it: short side resized (bicubic), centre cropped, normalised.

    Args:
        pixels: uint8 `[H, W, 3]`, or `[B, H, W, 3]` for pictures that already have the size.
        size: height and width of the result, `ImageBindConfig.image_size`.

    Returns:
        float32 `[3, size, size]`, or `[B, 3, size, size]`.

    Raises:
        ValueError: `pixels` is not uint8 or has another shape.

    >>> preprocess_image(np.zeros((48, 64, 3), np.uint8), size=32).shape
    torch.Size([3, 32, 32])
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[-1] != 3 or not pixels.size:
        raise ValueError(f"a picture is uint8 [H, W, 3], not {pixels.dtype} {list(pixels.shape)}")
    if pixels.shape[-3:] != (size, size, 3):
        if pixels.ndim == 4:
            raise ValueError(f"a batch of pictures must be {size}x{size} already, not {list(pixels.shape)}")
        pixels = _resize_and_crop(pixels, size)
    scaled = torch.from_numpy(np.array(pixels, order="C")).movedim(-1, -3).float() / 255
    mean, std = (torch.tensor(constants).view(3, 1, 1) for constants in (IMAGE_MEAN, IMAGE_STD))
    return (scaled - mean) / std


def _resize_and_crop(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    height, width = pixels.shape[:2]
    short = min(height, width)
    new_height, new_width = size * height // short, size * width // short
    resized = Image.fromarray(pixels).resize((new_width, new_height), Image.Resampling.BICUBIC)
    top, left = round((new_height - size) / 2), round((new_width - size) / 2)
    return np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)


def preprocess_video(frames: NDArray[np.uint8], fps: float, size: int = 224, each: int = 2) -> Tensor:
    """A clip as ImageBind takes it: five pieces, each seen in three crops along the longer side.

    Args:
        frames: uint8 ``[T, H, W, 3]``.
        fps: frames per second.
        size: height and width of the result, `ImageBindConfig.image_size`.
        each: frames of a piece, the first size of `ImageBindConfig.kernel`.

    Returns:
        float32 ``[15, 3, each, size, size]``, crops of a piece beside each other.

    Example:
        >>> preprocess_video(np.zeros((30, 24, 32, 3), np.uint8), fps=10, size=16).shape
        torch.Size([15, 3, 2, 16, 16])
    """
    chosen = moments(len(frames), fps, each=each)
    places = sorted({place for piece in chosen for place in piece})
    pixels = torch.from_numpy(np.ascontiguousarray(frames[places])).movedim(-1, 1).float() / 255
    height, width = pixels.shape[2:]
    short = min(height, width)
    new = (size * height // short, size * width // short)
    pixels = functional.interpolate(pixels, new, mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(constants).view(3, 1, 1) for constants in (IMAGE_MEAN, IMAGE_STD))
    pixels = (pixels - mean) / std
    seen = [pixels[[places.index(place) for place in piece]].transpose(0, 1) for piece in chosen]
    return torch.stack([crop for piece in seen for crop in _crops(piece, size)])


def _crops(piece: Tensor, size: int) -> list[Tensor]:
    """Beginning, middle and end of the longer side; ``[..., H, W]`` to three of ``[..., size, size]``."""
    height, width = piece.shape[-2:]
    room_y, room_x = height - size, width - size
    # The middle of the shorter side has no room to move in.
    places = ((0, 0.5, 1) if room_y > room_x else (0.5,) * 3, (0.5,) * 3 if room_y > room_x else (0, 0.5, 1))
    corners = [(math.ceil(room_y * y), math.ceil(room_x * x)) for y, x in zip(*places, strict=True)]
    return [piece[..., top : top + size, left : left + size] for top, left in corners]


def log_mel(samples: NDArray[np.float32], bins: int = 128) -> NDArray[np.float32]:
    """Log mel energies in Kaldi's manner, without dither, at 16 kHz.

    Frames of 25 ms every 10 ms, each with its mean removed, pre-emphasised (0.97) and seen through a Hann
    window; 512 frequencies; triangles on the mel scale from 20 to 8000 Hz; natural logarithm.

    Args:
        samples: float32 ``[N]`` at 16 kHz, N at least 400.
        bins: triangles.

    Returns:
        float32 ``[1 + (N - 400) // 160, bins]``.

    Example:
        >>> log_mel(np.zeros(32000, np.float32)).shape
        (198, 128)
    """
    from transformers.audio_utils import spectrogram, window_function

    frame, hop = round(FRAME_SECONDS * AUDIO_RATE), round(HOP_SECONDS * AUDIO_RATE)
    length = 2 ** math.ceil(math.log2(frame))
    energies = spectrogram(
        samples,
        window_function(frame, "hann", periodic=False),
        frame_length=frame,
        hop_length=hop,
        fft_length=length,
        power=2.0,
        center=False,
        preemphasis=_PREEMPHASIS,
        mel_filters=_triangles(bins, length // 2 + 1),
        mel_floor=_FLOOR,
        log_mel="log",
        remove_dc_offset=True,
    )
    return np.ascontiguousarray(energies.T.astype(np.float32))


@cache
def _triangles(bins: int, frequencies: int) -> NDArray[np.float64]:
    from transformers.audio_utils import mel_filter_bank

    with warnings.catch_warnings():
        # The lowest triangles lie between two frequencies and hold none; so it is in the original.
        warnings.filterwarnings("ignore", message="At least one mel filter has all zero values")
        filters: NDArray[np.float64] = mel_filter_bank(
            num_frequency_bins=frequencies,
            num_mel_filters=bins,
            min_frequency=_LOWEST_HERTZ,
            max_frequency=AUDIO_RATE / 2,
            sampling_rate=AUDIO_RATE,
            norm=None,
            mel_scale="kaldi",
            triangularize_in_mel_space=True,
        )
    return filters


def preprocess_audio(samples: NDArray[np.float32], bins: int = 128, frames: int = 204) -> Tensor:
    """A sound as ImageBind takes it: three pieces of two seconds as log mel energies.

    Args:
        samples: float32 ``[N]`` at 16 kHz, at least one frame of 25 ms.
        bins: height of the result, `ImageBindConfig.mel_bins`.
        frames: width of the result, `ImageBindConfig.mel_frames`; what is missing is zero before everything
            is normalised, what is too much is cut off.

    Returns:
        float32 ``[3, 1, bins, frames]``.

    Raises:
        ValueError: the sound is shorter than one frame.

    Example:
        >>> preprocess_audio(np.zeros(80000, np.float32)).shape
        torch.Size([3, 1, 128, 204])
    """
    shortest = round(FRAME_SECONDS * AUDIO_RATE)
    if len(samples) < shortest:
        raise ValueError(
            f"a sound of {len(samples)} samples at 16 kHz is shorter than one frame ({shortest})"
        )
    pieces = []
    for start in starts(len(samples) / AUDIO_RATE, AUDIO_CLIPS):
        piece = samples[int(start * AUDIO_RATE) : int((start + CLIP_SECONDS) * AUDIO_RATE)]
        mel = torch.from_numpy(log_mel(piece - piece.mean(), bins)).T[:, :frames]
        pieces.append(functional.pad(mel, (0, frames - mel.shape[1])))
    return (torch.stack(pieces).unsqueeze(1) - AUDIO_MEAN) / AUDIO_STD
