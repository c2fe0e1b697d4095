"""Small files of many formats, made when asked for: what the tests of reading read, cut and spoil."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import soundfile
from PIL import Image as PILImage

TONE = (0.3 * np.sin(np.arange(8000) / 10)).astype(np.float32)


def picture(kind: str, mode: str = "RGB", **how: Any) -> bytes:
    """A picture file of 40 x 30 pixels."""
    pixels = np.arange(40 * 30 * 3, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8)
    buffer = io.BytesIO()
    PILImage.fromarray(pixels).convert(mode).save(buffer, kind, **how)
    return buffer.getvalue()


def moving_picture(kind: str, count: int = 5, **how: Any) -> bytes:
    """An animated picture file of 32 x 24 pixels, each shown for a tenth of a second, all different."""
    pixels = np.arange(32 * 24 * 3, dtype=np.uint32).reshape(24, 32, 3).astype(np.uint8)
    frames = [PILImage.fromarray(np.roll(pixels, 3 * k, axis=1)) for k in range(count)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100, **how)
    return buffer.getvalue()


def sound(kind: str, subtype: str | None = None, samples: np.ndarray = TONE, rate: int = 16000) -> bytes:
    """A sound file of libsndfile's."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def clip(
    kind: str,
    codec: str | None,
    sound_codec: str | None = None,
    *,
    count: int = 20,
    seconds: float = 2.0,
    start: int = 0,
    rate: int = 10,
) -> bytes:
    """A file of FFmpeg's: `count` frames of 64 x 48 from `start` seconds on, and `seconds` of sound."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as file:
        stream: Any = None
        if codec:
            stream = file.add_stream(codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0" if codec == "ffv1" else "yuv420p"
        heard: Any = None
        if sound_codec:
            heard = file.add_stream(sound_codec, rate=44100 if sound_codec == "mp2" else 48000, layout="mono")
        for k in range(count if stream else 0):
            pixels = np.zeros((48, 64, 3), np.uint8)
            pixels[:, 3 * k % 64] = 255
            pixels[:20, :30, 1] = 128
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = k + start * rate, Fraction(1, rate)
            file.mux(stream.encode(frame))
        if stream:
            file.mux(stream.encode())
        if heard:
            _hear(file, heard, seconds)
    return buffer.getvalue()


def _hear(file: Any, stream: Any, seconds: float) -> None:
    rate = stream.rate
    fit = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
    samples = (0.3 * np.sin(np.arange(int(seconds * rate)) / 9)).astype(np.float32)
    size = stream.codec_context.frame_size or 1024
    for at in range(0, len(samples) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + size], format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        for part in fit.resample(frame):
            file.mux(stream.encode(part))
    file.mux(stream.encode())


PICTURES = {
    "png": lambda: picture("PNG"),
    "palette": lambda: picture("PNG", "P"),
    "jpeg": lambda: picture("JPEG"),
    "inks": lambda: picture("JPEG", "CMYK", progressive=True),
    "gif": lambda: picture("GIF", "P"),
    "bmp": lambda: picture("BMP"),
    "tiff": lambda: picture("TIFF", compression="tiff_lzw"),
    "webp": lambda: picture("WEBP", "RGBA", lossless=True),
    "jp2": lambda: picture("JPEG2000"),
    "ppm": lambda: picture("PPM"),
}
PILImage.init()
if "AVIF" in PILImage.SAVE:  # since Pillow 11.3
    PICTURES["avif"] = lambda: picture("AVIF")
MOVING = {
    "gif": lambda: moving_picture("GIF"),
    "apng": lambda: moving_picture("PNG"),
    "webp": lambda: moving_picture("WEBP"),
}
CLIPS = {
    "mkv": lambda: clip("matroska", "ffv1"),
    "mkv with sound": lambda: clip("matroska", "libx264", "aac"),
    "webm": lambda: clip("webm", "libvpx-vp9", "libopus"),
    "mp4": lambda: clip("mp4", "libx264", "aac"),
    "mov": lambda: clip("mov", "mpeg4"),
    "avi": lambda: clip("avi", "mpeg4", "libmp3lame"),
    "flv": lambda: clip("flv", "libx264"),
    "3gp": lambda: clip("3gp", "mpeg4"),
}
SOUNDS = {
    **{
        f"{kind} {subtype}": lambda kind=kind, subtype=subtype: sound(kind, subtype)
        for kind, subtype in (
            ("WAV", "PCM_16"),
            ("WAV", "FLOAT"),
            ("WAV", "GSM610"),
            ("WAV", "IMA_ADPCM"),
            ("AIFF", "PCM_16"),
            ("AU", "PCM_16"),
            ("W64", "PCM_16"),
            ("RF64", "PCM_16"),
            ("CAF", "PCM_16"),
            ("FLAC", "PCM_16"),
            ("OGG", "VORBIS"),
            ("OGG", "OPUS"),
            ("MP3", "MPEG_LAYER_III"),
        )
    },
}
TRACKS = {
    "m4a": lambda: clip("ipod", None, "aac"),
    "mka": lambda: clip("matroska", None, "flac"),
    "mp4's": lambda: clip("mp4", "libx264", "aac"),
}
