"""From the files of sounds to their samples: whole files, of formats from a list, within bounds.

`nextgpt.media` reads its own, and more formats; the two packages know nothing of each other, and tests hold
both to the same files.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from metrics.metric import MetricInputError

FORMATS = ("AIFF", "AU", "CAF", "FLAC", "MP3", "OGG", "RF64", "W64", "WAV", "WAVEX")
MAX_SAMPLES = 120_000_000  # of one channel: 0.5 GB, forty minutes at 48 kHz
LOUDEST = 8.0  # float samples beyond, 18 dB over full scale, are integers that nobody scaled
_BLOCK = 1 << 16  # samples of each channel
_UNKNOWN = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}  # what a stream writes where a size of so many bytes stands
_MOST_CHUNKS = 100_000  # that are looked at: a file may consist of empty ones
_LONGEST_PAGE = 65_307  # of an Ogg file


def read_samples(path: Path) -> tuple[NDArray[np.float32], int]:
    """The samples of a file, all channels' mean, float32 [N] in [-1, 1], and their rate in Hz.

    Raises:
        MetricInputError: anything that `read_sound` refuses; the message names the file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise MetricInputError(f"{path}: cannot be read (a folder, a pipe or a device); is it a file?")
        with path.open("rb") as file:
            _refuse_if_cut(file, path)
            with _Straight(file) as sound:
                return _read(sound, path), sound.samplerate
    except soundfile.LibsndfileError as error:
        raise MetricInputError(
            f"{path}: no sound in a known format, or damaged ({error.error_string}); fetch it again"
        ) from error
    except OSError as error:
        raise MetricInputError(f"{path}: cannot be read ({error.strerror}); check the path") from error


class _Straight(soundfile.SoundFile):  # type: ignore[misc]
    """A sound that is read from start to end. soundfile would seek after each block, which not all can."""

    def seekable(self) -> bool:
        return False


def _read(sound: soundfile.SoundFile, path: Path) -> NDArray[np.float32]:
    if sound.format not in FORMATS:
        raise MetricInputError(f"{path}: {sound.format_info} is not read here; save it as WAV or FLAC")
    known = sound.frames < 1 << 62  # the length of a FLAC file may not be known
    _refuse_if_long(sound.frames if known else 0, path)
    blocks, count = [], 0
    for block in _blocks(sound):
        count += len(block)
        _refuse_if_long(count, path)
        blocks.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32))
    if known and count < sound.frames:
        raise MetricInputError(f"{path}: cut off: {count} of {sound.frames} samples; fetch it again")
    if not count:
        raise MetricInputError(f"{path}: it is empty; count it as a failure or leave it out")
    samples: NDArray[np.float32] = np.concatenate(blocks)
    peak = max(float(samples.max()), -float(samples.min()))
    unscaled = peak > LOUDEST or (peak > 1 and not (samples % 1).any())
    if sound.subtype in ("FLOAT", "DOUBLE") and np.isfinite(samples).all() and unscaled:
        raise MetricInputError(
            f"{path}: float samples reach {peak:.6g} where full scale is 1: they were never scaled to it; "
            "divide integers by their type's full range, 32768 for 16 bits, and save it again"
        )
    np.clip(samples, -1, 1, out=samples)  # NaN stays NaN
    return samples


def _blocks(sound: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
        yield block


def _refuse_if_long(count: int, path: Path) -> None:
    if count > MAX_SAMPLES:
        raise MetricInputError(f"{path}: {count} samples, more than {MAX_SAMPLES}; cut it first")


class _Chunks(NamedTuple):
    """A file of chunks: where the first is, what a chunk's head looks like, which holds the samples."""

    first: int
    name: int  # bytes
    size: int  # bytes
    order: Literal["little", "big"]
    align: int
    wanted: bytes


_LAYOUTS = {
    b"RIFF": _Chunks(12, 4, 4, "little", 2, b"data"),
    b"RIFX": _Chunks(12, 4, 4, "big", 2, b"data"),
    b"RF64": _Chunks(12, 4, 4, "little", 2, b"data"),
    b"FORM": _Chunks(12, 4, 4, "big", 2, b"SSND"),  # AIFF
    b"caff": _Chunks(8, 4, 8, "big", 1, b"data"),
    b"riff": _Chunks(40, 16, 8, "little", 8, b"data"),  # W64, whose sizes count a chunk's head
}


def _refuse_if_cut(file: BinaryIO, path: Path) -> None:
    """Refuses a file shorter than it says of itself: libsndfile would give a part as if it were all."""
    length = file.seek(0, os.SEEK_END)
    if not length:
        raise MetricInputError(f"{path}: the file is empty (0 bytes); fetch it again")
    file.seek(0)
    head = file.read(40)
    end = None
    if head[:4] in (b".snd", b"dns."):  # AU
        order: Literal["little", "big"] = "big" if head[:4] == b".snd" else "little"
        size = int.from_bytes(head[8:12], order)
        end = None if size == _UNKNOWN[4] else int.from_bytes(head[4:8], order) + size
    elif head[:4] in _LAYOUTS:
        end = _end_of_samples(file, head, length)
    elif head[:4] == b"OggS" and not _ogg_ends(file, length):
        raise MetricInputError(f"{path}: cut off: its last page is not the last; fetch it again")
    file.seek(0)
    if end is not None and end > length:
        raise MetricInputError(f"{path}: cut off: {length} of {end} bytes are there; fetch it again")


def _end_of_samples(file: BinaryIO, head: bytes, length: int) -> int | None:
    """Where the samples end by the file's own words; None where it does not say, as streams do not."""
    layout = _LAYOUTS[head[:4]]
    at = layout.first
    for _ in range(_MOST_CHUNKS):
        if at >= length:
            break
        file.seek(at)
        chunk = file.read(layout.name + layout.size)
        size = int.from_bytes(chunk[layout.name :], layout.order)
        begin = at + len(chunk)
        if chunk[:4] == layout.wanted:
            if size == _UNKNOWN[4] and head[:4] == b"RF64":
                return begin + int.from_bytes(head[28:36], "little")
            # A WAV file does not know its length only where it says so twice.
            whole = int.from_bytes(head[4:8], layout.order) if layout.size == 4 else size
            if size == whole == _UNKNOWN[layout.size]:
                return None
            return (at if layout.first == 40 else begin) + size
        step = max(size, len(chunk)) if layout.first == 40 else size + len(chunk)
        at += -(-step // layout.align) * layout.align
    return None


def _ogg_ends(file: BinaryIO, length: int) -> bool:
    file.seek(max(0, length - _LONGEST_PAGE))
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    count = page[26] if len(page) > 26 else 0
    return len(page) >= 27 + count + sum(page[27 : 27 + count]) and bool(page[5] & 4)
