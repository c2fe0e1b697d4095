"""Answers read back into scenes, clips and sounds: media by the oracles, texts by the parsers.

Neither has learnt anything, so what they say of an answer depends on no model that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nextgpt.media import Audio, Image, Medium, Video
from toyworld import language, oracle
from toyworld.clips import language as clip_language
from toyworld.clips import oracle as clip_oracle
from toyworld.clips.clip import Clip, clip_f1
from toyworld.scene import Scene, attribute_f1
from toyworld.sounds import language as sound_language
from toyworld.sounds import oracle as sound_oracle
from toyworld.sounds.sound import Sound, sound_f1
from toyworld.splits import Value

# What is read from texts changes with the words that the languages know: raise it with them.
PARSER_VERSION = 1


@dataclass(frozen=True)
class Read:
    """What an answer holds: each part with what is stated of it, and the whole where it is one."""

    parts: Sequence[Any]
    value: Value | None


@dataclass(frozen=True)
class Reader:
    """How answers become scenes, clips or sounds.

    Attributes:
        name: in signatures.
        read: its reading; of None, no answer, nothing is read.
        f1: from parts and the true value, the F1 of their attributes.
        what: ``scene``, ``clip`` or ``sound``.
        match: how `f1` pairs parts with true ones.
        medium: the type that is read; None for texts.
    """

    name: str
    read: Callable[[Any], Read]
    f1: Callable[[Any, Any], float] = attribute_f1
    what: str = "scene"
    match: str = "best"
    medium: type | None = None


NOTHING = Read((), None)
# By the hash of the medium: several metrics read each, and the media must not be held.
_READINGS: dict[str, Read] = {}
_MOST_READINGS = 4096


def reading(medium: Medium | None) -> Read:
    """What the oracle of its kind reads in a medium; the same medium is read once."""
    if medium is None:
        return NOTHING
    key = medium.content_hash
    if key not in _READINGS:
        if len(_READINGS) == _MOST_READINGS:
            _READINGS.clear()
        _READINGS[key] = _read(medium)
    return _READINGS[key]


def _read(medium: Medium) -> Read:
    if isinstance(medium, Image):
        seen = oracle.read(medium)
        return Read(seen.things, seen.scene)
    if isinstance(medium, Video):
        watched = clip_oracle.watch(medium)
        return Read(watched.actors, watched.clip)
    heard = sound_oracle.hear(medium)
    return Read(heard.events, heard.sound)


PICTURES = Reader(f"oracle-{oracle.VERSION}", reading, medium=Image)
CLIPS = Reader(f"clip-oracle-{clip_oracle.VERSION}", reading, clip_f1, "clip", medium=Video)
SOUNDS = Reader(f"sound-oracle-{sound_oracle.VERSION}", reading, sound_f1, "sound", "in-order", Audio)


def _texts(module: Any) -> Callable[[str], Read]:
    return lambda text: Read(module.mentions(text), module.parse(text))


TEXTS = Reader(f"parser-{PARSER_VERSION}", _texts(language))
CLIP_TEXTS = Reader(f"clip-parser-{PARSER_VERSION}", _texts(clip_language), clip_f1, "clip")
SOUND_TEXTS = Reader(f"sound-parser-{PARSER_VERSION}", _texts(sound_language), sound_f1, "sound", "in-order")

# By the kind of the true value: who reads a medium of it, and who a text about it.
OF_MEDIA: dict[type, Reader] = {Scene: PICTURES, Clip: CLIPS, Sound: SOUNDS}
OF_TEXTS: dict[type, Reader] = {Scene: TEXTS, Clip: CLIP_TEXTS, Sound: SOUND_TEXTS}
