"""From the files of sounds to samples of one channel: libsndfile's formats, else FFmpeg's.

Both read from a list of formats, once from start to end, a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from nextgpt.media.audio import MAX_SAMPLES
from nextgpt.media.containers import refuse_if_cut
from nextgpt.media.file import MediaError, as_file, decoding

Samples = NDArray[np.float32]

FORMATS = ("AIFF", "AU", "CAF", "FLAC", "MP3", "OGG", "RF64", "W64", "WAV", "WAVEX")
LOUDEST = 8.0  # float samples beyond, 18 dB over full scale, are integers that nobody scaled
_BLOCK = 1 << 16  # samples of each channel
_UNRECOGNISED = 1  # libsndfile's number for a file of no format that it knows


def read_sound(file: bytes | BinaryIO, name: str, max_seconds: float) -> tuple[Samples, int]:
    """The samples of a sound, float32 [N] in [-1, 1], read-only, and their rate in Hz.

    Args:
        file: the file's content, or an open file.
        name: what to call it in error messages.
        max_seconds: longer sounds are refused, before they are decoded where they say how long they are.

    Raises:
        MediaError: anything that `Audio.open` refuses.
    """
    file = as_file(file, name)
    with decoding(name):
        refuse_if_cut(file, name)
        try:
            with _Straight(file) as sound:
                return _read_straight(sound, name, max_seconds)
        except soundfile.LibsndfileError as error:
            if error.code != _UNRECOGNISED:
                raise MediaError(
                    f"{name}: not a sound in any known format, damaged or cut off ({error.error_string}); "
                    "fetch it again."
                ) from error
        file.seek(0)
        return _read_track(file, name, max_seconds)


class _Straight(soundfile.SoundFile):  # type: ignore[misc]
    """A sound that is read from start to end. soundfile would seek after each block.

    Not every format can: GSM 6.10 cannot at all, FLAC of unknown length not at its end.
    """

    def seekable(self) -> bool:
        return False


def _read_straight(sound: soundfile.SoundFile, name: str, max_seconds: float) -> tuple[Samples, int]:
    if sound.format not in FORMATS:
        raise MediaError(f"{name}: {sound.format_info}, which is not read here; save it as WAV or FLAC.")
    rate, promised = sound.samplerate, sound.frames
    known = promised < 1 << 62  # the length of a FLAC file may not be known
    stated = promised / rate if known else 0.0
    samples = _one_channel(_blocks(sound), name, rate, stated, max_seconds)
    if known and len(samples) < promised:
        raise MediaError(f"{name}: cut off: {len(samples)} of {promised} samples are there; fetch it again.")
    return _scaled(samples, name, floats=sound.subtype in ("FLOAT", "DOUBLE")), rate


def _blocks(sound: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
        yield block


def _read_track(file: BinaryIO, name: str, max_seconds: float) -> tuple[Samples, int]:
    """The first sound track of a file that FFmpeg reads."""
    import av

    from nextgpt.media.clip_files import open_container

    with open_container(file, name, "not a sound") as container:
        if not container.streams.audio:
            raise MediaError(f"{name}: not a sound: it holds none.")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise MediaError(f"{name}: its sound is of a kind that FFmpeg cannot decode; save it as WAV.")
        rate, stated = stream.rate, 0.0
        if stream.duration is not None and stream.time_base is not None:
            stated = float(stream.duration * stream.time_base)
        elif len(container.streams) == 1:
            stated = (container.duration or 0) / 1e6
        plain = av.AudioResampler(format="fltp", rate=rate)
        blocks = (
            np.ascontiguousarray(part.to_ndarray().T)
            for frame in container.decode(stream)
            for part in plain.resample(frame)
        )
        samples = _one_channel(blocks, name, rate, stated, max_seconds)
        if len(samples) / rate + 0.25 < 0.9 * stated:
            raise MediaError(
                f"{name}: cut off: {len(samples) / rate:.1f} of {stated:.1f} s are there; fetch it again."
            )
        return _scaled(samples, name, floats=stream.codec_context.name.startswith("pcm_f")), rate


def _one_channel(
    blocks: Iterable[NDArray[Any]], name: str, rate: int, stated: float, max_seconds: float
) -> Samples:
    """The mean of all channels, as it comes."""
    most = min(max_seconds, MAX_SAMPLES / rate)

    def within(seconds: float) -> None:
        if seconds > most:
            raise MediaError(f"{name}: lasts {seconds:.1f} s, longer than {most:g}; cut it first.")

    within(stated)
    samples = np.empty(max(1, round(stated * rate)), np.float32)
    count = 0
    for block in blocks:
        within((count + len(block)) / rate)
        if count + len(block) > len(samples):  # it lasts longer than it said
            samples.resize(count + len(block) + count // 2, refcheck=False)
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        samples[count : count + len(block)] = mono
        count += len(block)
    if not count:
        raise MediaError(f"{name}: the file holds no samples; record it again.")
    samples.resize(count, refcheck=False)
    return samples


def _scaled(samples: Samples, name: str, *, floats: bool) -> Samples:
    """Samples cut at full scale, in place. Floats that were never scaled to it are refused."""
    if not np.isfinite(samples).all():
        raise MediaError(f"{name}: damaged, it holds NaN or infinity; fetch it again.")
    peak = max(float(samples.max()), -float(samples.min()))
    if floats and (peak > LOUDEST or (peak > 1 and not (samples % 1).any())):
        raise MediaError(
            f"{name}: float samples reach {peak:.6g} where full scale is 1: they were never scaled to it; "
            "divide integers by their type's full range, 32768 for 16 bits, and save it again."
        )
    np.clip(samples, -1, 1, out=samples)
    samples.flags.writeable = False
    return samples
