"""Instruments: FluidSynth and a General MIDI soundfont play a few notes on the instrument that is named.

Both are programs and files of the system, not of a package: ``apt install fluidsynth timgm6mb-soundfont``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from baselines.optional import fingerprint
from nextgpt.media import Audio, MediaError
from nextgpt.messages import Failure, Message, Request, assistant

VERSION = 1
SOUNDFONTS = Path("/usr/share/sounds/sf2")
MISSING = "instruments need FluidSynth and a soundfont: apt install fluidsynth timgm6mb-soundfont"
# Programs of General MIDI, from 0, by words that people use.
INSTRUMENTS: Mapping[str, int] = {
    "piano": 0, "harpsichord": 6, "music box": 10, "xylophone": 13, "bell": 14, "organ": 19, "accordion": 21,
    "harmonica": 22, "electric guitar": 27, "guitar": 24, "bass": 32, "violin": 40, "cello": 42, "harp": 46,
    "strings": 48, "choir": 52, "trumpet": 56, "trombone": 57, "tuba": 58, "horn": 60, "saxophone": 65,
    "oboe": 68, "clarinet": 71, "flute": 73, "sitar": 104, "banjo": 105, "bagpipe": 109, "steel drum": 114,
    "drum": 118,
}  # fmt: skip
_FIGURES: Mapping[str, tuple[int, ...]] = {
    "scale": (60, 62, 64, 65, 67, 69, 71, 72),
    "chord": (60, 64, 67, 72),
    "note": (60,),
}
_RATE, _TICKS = 32_000, 240  # samples and, of a note, MIDI's own time
_SECONDS = 60  # a few notes take one


class Instruments:
    """A worker that plays: the instrument and the figure (a scale, a chord, a note) that a request names."""

    def __init__(self) -> None:
        self._program = shutil.which("fluidsynth")
        self._font = next(iter(sorted(SOUNDFONTS.glob("*.sf2"))), None)
        font = "" if self._font is None else f"{self._font.name} {self._font.stat().st_size}"
        self.fingerprint = fingerprint(VERSION, self._program or "", font)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """A sound for each request."""
        return [self._play(request.conversation[-1].text) for request in requests]

    def _play(self, text: str) -> Message | Failure:
        if self._program is None or self._font is None:
            return Failure("make", MISSING)
        instrument, notes = understood(text)
        if instrument is None:
            return Failure(
                "make", f"no instrument is named in {text[:80]!r}; there are {', '.join(INSTRUMENTS)}"
            )
        with tempfile.TemporaryDirectory() as folder:
            score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
            score.write_bytes(midi(INSTRUMENTS[instrument], notes))
            how = ("-ni", "-q", "-r", str(_RATE), "-g", "0.8", "-F", str(sound))
            try:
                done = subprocess.run(
                    [self._program, *how, str(self._font), str(score)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_SECONDS,
                    check=False,
                )
            except (subprocess.TimeoutExpired, OSError) as error:
                return Failure("make", f"FluidSynth did not play: {error}")
            try:
                return assistant(Audio.open(sound))
            except (MediaError, OSError) as error:
                said = done.stderr.decode(errors="replace").strip()[-160:]
                return Failure("make", f"FluidSynth made no sound: {said or error}")


def understood(text: str) -> tuple[str | None, tuple[int, ...]]:
    """The instrument and the notes that a text names; a scale where it names no figure.

    Example:
        >>> understood("a chord on the Violin")
        ('violin', (60, 64, 67, 72))
        >>> understood("a dog barks")[0] is None
        True
    """
    words = text.lower()
    named = next((name for name in INSTRUMENTS if re.search(rf"\b{name}s?\b", words)), None)
    figure = next((name for name in _FIGURES if name in words), "scale")
    return named, _FIGURES[figure]


def midi(program: int, notes: Sequence[int]) -> bytes:
    """A standard MIDI file that plays notes one after another on one instrument.

    Example:
        >>> midi(0, [60])[:4], len(midi(0, [60, 62])) > len(midi(0, [60]))
        (b'MThd', True)
    """
    events = bytes([0, 0xC0, program])
    for note in notes:
        events += bytes([0, 0x90, note, 100]) + _time(_TICKS) + bytes([0x80, note, 0])
    events += _time(2 * _TICKS) + bytes([0xFF, 0x2F, 0])
    head = b"MThd" + (6).to_bytes(4) + (0).to_bytes(2) + (1).to_bytes(2) + (480).to_bytes(2)
    return head + b"MTrk" + len(events).to_bytes(4) + events


def _time(ticks: int) -> bytes:
    """MIDI's numbers of time: seven bits a byte, the last without the eighth."""
    return bytes([0x80 | ticks >> 7, ticks & 0x7F]) if ticks > 0x7F else bytes([ticks])
