"""Whether a file is all there, by what it says of itself: decoders give what is left as if it were all.

======================  ===========================================================================
WAV, AVI                where the chunk of samples or frames ends (the whole file's size is often wrong)
RF64, W64, AIFF, AU     likewise; CAF too
Matroska, WebM          where the segment ends
MP4, MOV                where each of the outermost boxes ends
Ogg                     the last page is whole, and says that it is the last
GIF                     blocks follow one another to the trailer
PNG                     chunks follow one another to the last, which is marked
FLV                     the last tag is followed by its own size
======================  ===========================================================================

A stream that did not know its length when it began (sizes of all ones) cannot be judged, and passes; so
do formats that never say it, such as MPEG's streams.
"""

from __future__ import annotations

import os
from typing import BinaryIO, Literal, NamedTuple

from nextgpt.media.file import MediaError

UNKNOWN_SIZE = 0xFFFFFFFF  # what a stream writes where a size of 32 bits stands
_UNKNOWN_LONG = 0xFFFFFFFFFFFFFFFF  # and of 64
_LONGEST_PAGE = 65_307  # of an Ogg file
_MOST_CHUNKS = 100_000  # that are looked at: a file may consist of empty ones
_SEGMENT = 0x18538067  # what holds all of a Matroska file but its first few bytes
_BOXES = (b"ftyp", b"free", b"mdat", b"meta", b"moof", b"moov", b"sidx", b"skip", b"uuid", b"wide")


class _Chunks(NamedTuple):
    """How a file of chunks is laid out: where the first is, and what a chunk's head looks like."""

    first: int
    name: int  # bytes
    size: int  # bytes
    order: Literal["little", "big"]
    align: int
    counts_head: bool
    wanted: bytes


_LAYOUTS = {
    b"RIFF": _Chunks(12, 4, 4, "little", 2, counts_head=False, wanted=b"data"),
    b"RIFX": _Chunks(12, 4, 4, "big", 2, counts_head=False, wanted=b"data"),
    b"RF64": _Chunks(12, 4, 4, "little", 2, counts_head=False, wanted=b"data"),
    b"FORM": _Chunks(12, 4, 4, "big", 2, counts_head=False, wanted=b"SSND"),
    b"caff": _Chunks(8, 4, 8, "big", 1, counts_head=False, wanted=b"data"),
    b"riff": _Chunks(40, 16, 8, "little", 8, counts_head=True, wanted=b"data"),  # W64
}


def refuse_if_cut(file: BinaryIO, name: str) -> None:
    r"""Refuse a file that is shorter than it says of itself. The file is at its start afterwards.

    Raises:
        MediaError: cut off; names the file.

    Example:
        >>> import io
        >>> refuse_if_cut(io.BytesIO(b"RIFF\x2c\0\0\0WAVEdata\x20\0\0\0\1\2\3\4"), "a.wav")
        Traceback (most recent call last):
        nextgpt.media.file.MediaError: a.wav: cut off: 24 of 52 bytes are there; fetch it again.
    """
    length = file.seek(0, os.SEEK_END)
    end = _stated_end(file, length)
    unfinished = _unfinished(file, length)
    file.seek(0)
    if end is not None and end > length:
        raise MediaError(f"{name}: cut off: {length} of {end} bytes are there; fetch it again.")
    if unfinished:
        raise MediaError(f"{name}: cut off: {unfinished}; fetch it again.")


def _stated_end(file: BinaryIO, length: int) -> int | None:
    """Where the file's content ends, by its own words; None where it does not say."""
    file.seek(0)
    head = file.read(40)
    if head[:4] in (b".snd", b"dns."):  # AU
        order: Literal["little", "big"] = "big" if head[:4] == b".snd" else "little"
        size = int.from_bytes(head[8:12], order)
        return None if size == UNKNOWN_SIZE else int.from_bytes(head[4:8], order) + size
    if head[:4] in _LAYOUTS:
        return _end_of_chunk(file, head, length)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _end_of_segment(file)
    return _end_of_boxes(file, length) if head[4:8] in _BOXES else None


def _end_of_chunk(file: BinaryIO, head: bytes, length: int) -> int | None:
    """Where the chunk that matters ends in a file of chunks; what comes behind it may be missing."""
    layout = _LAYOUTS[head[:4]]
    at = layout.first
    for _ in range(_MOST_CHUNKS):
        if at >= length:
            break
        file.seek(at)
        chunk = file.read(layout.name + layout.size + 4)
        name, size = chunk[:4], int.from_bytes(chunk[layout.name : layout.name + layout.size], layout.order)
        begin = at + layout.name + layout.size
        if name == layout.wanted or (name == b"LIST" and chunk[8:12] == b"movi"):
            if size == UNKNOWN_SIZE and head[:4] == b"RF64":
                return begin + int.from_bytes(head[28:36], "little")
            if size == UNKNOWN_SIZE == int.from_bytes(head[4:8], layout.order) or size == _UNKNOWN_LONG:
                return None
            return at + size if layout.counts_head else begin + size
        step = max(size, begin - at) if layout.counts_head else size + begin - at
        at += -(-step // layout.align) * layout.align
    return None


def _end_of_segment(file: BinaryIO) -> int | None:
    """Where a Matroska file's segment ends, which follows the head."""
    file.seek(4)
    head = _variable(file)
    if head is None:
        return None
    file.seek(head, os.SEEK_CUR)
    if int.from_bytes(file.read(4), "big") != _SEGMENT:
        return None
    size = _variable(file)
    return None if size is None else file.tell() + size


def _variable(file: BinaryIO) -> int | None:
    """A number of Matroska's, whose length its first bits tell; None for one that is not known."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    bits = 7 * (more + 1)
    number = int.from_bytes(first + file.read(more), "big") & ((1 << bits) - 1)
    return None if number == (1 << bits) - 1 else number


def _end_of_boxes(file: BinaryIO, length: int) -> int | None:
    """Where the last of an MP4 file's outermost boxes ends; what is no known box was put behind them."""
    at = 0
    for _ in range(_MOST_CHUNKS):
        if at + 8 > length:
            break
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if head[4:8] not in _BOXES or not size:  # no size: it reaches to the end
            return None
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        at += max(size, 8)
    return at


def _unfinished(file: BinaryIO, length: int) -> str:
    """What a file lacks that should end with a mark of its end; nothing where it is whole."""
    file.seek(0)
    start = file.read(6)
    if start[:4] == b"\x89PNG":
        return "" if _png_ends(file, length) else "its chunks break off before the end"
    if start[:4] == b"OggS":
        return _unfinished_ogg(file, length)
    if start in (b"GIF87a", b"GIF89a"):
        return "" if _gif_ends(file) else "its blocks break off before the end"
    if start[:3] == b"FLV":
        return "" if _flv_ends(file, length) else "its last tag breaks off"
    return ""


def _unfinished_ogg(file: BinaryIO, length: int) -> str:
    file.seek(max(0, length - _LONGEST_PAGE))
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    count = page[26] if len(page) > 26 else 0
    if len(page) < 27 + count + sum(page[27 : 27 + count]):
        return "its last page breaks off"
    return "" if page[5] & 4 else "its last page is not marked as the last"


def _png_ends(file: BinaryIO, length: int) -> bool:
    """Whether a PNG's chunks, from behind the signature, lead to the last one, and that is whole."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        at += 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or at > length:
            return False
        if head[4:] == b"IEND":
            break
    return True


def _flv_ends(file: BinaryIO, length: int) -> bool:
    """Whether an FLV's last four bytes are the size of the tag before them."""
    file.seek(length - 4)
    size = int.from_bytes(file.read(4), "big")
    file.seek(max(0, length - 4 - size))
    return size == 11 + int.from_bytes(file.read(4)[1:], "big")


def _gif_ends(file: BinaryIO) -> bool:
    """Whether a GIF's blocks, from behind the signature, lead to its trailer."""

    def skip_table(flags: int) -> None:
        if flags & 0x80:
            file.seek(3 << ((flags & 7) + 1), os.SEEK_CUR)

    screen = file.read(7)
    if len(screen) < 7:
        return False
    skip_table(screen[4])
    while (kind := file.read(1)) in (b"!", b","):
        if kind == b",":
            frame = file.read(10)  # its place and size, flags, and behind the colours one byte more
            if len(frame) < 10:
                return False
            file.seek(-1, os.SEEK_CUR)
            skip_table(frame[8])
        file.seek(1, os.SEEK_CUR)
        while size := file.read(1):
            if size == b"\0":
                break
            file.seek(size[0], os.SEEK_CUR)
    return kind == b";"
