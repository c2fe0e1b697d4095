"""Scenes, clips and sounds alike: how each is made, told, asked about and changed. One entry for each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import toyworld.clips.instructions
import toyworld.clips.language
import toyworld.clips.questions
import toyworld.clips.render
import toyworld.instructions
import toyworld.language
import toyworld.questions
import toyworld.render
import toyworld.sounds.instructions
import toyworld.sounds.language
import toyworld.sounds.questions
import toyworld.sounds.render
from nextgpt.media import Medium
from toyworld.clips.clip import Clip
from toyworld.clips.instructions import ClipEdit
from toyworld.instructions import Edit
from toyworld.questions import Question
from toyworld.scene import Scene
from toyworld.sounds.instructions import SoundEdit
from toyworld.sounds.sound import Sound
from toyworld.splits import Value, clip_stream, sound_stream, stream

Modality = Literal["image", "video", "audio"]
AnyEdit = Edit | ClipEdit | SoundEdit


@dataclass(frozen=True)
class Kind:
    """What can be done with the values of one modality.

    Attributes:
        modality: Of the media that show them.
        noun: What people call them.
        call: How a system asks its tool for one; ``{caption}`` stands for the description.
        render: The medium.
        describe: The canonical description.
        captions: Five captions, the first of which is the description.
        paraphrase: One wording of many.
        parse: The value that a text describes, or None.
        questions: Open-ended questions.
        instruct: One instruction that changes it.
        stream: Values of a split without end.
        describe_requests: Wordings that ask for a description.
        make_requests: Wordings that ask for one; ``{caption}`` stands for what it should be.
    """

    modality: Modality
    noun: str
    call: str
    render: Callable[[Any], Medium]
    describe: Callable[[Any], str]
    captions: Callable[[Any, random.Random], tuple[str, ...]]
    paraphrase: Callable[[Any, random.Random], str]
    parse: Callable[[str], Value | None]
    questions: Callable[..., list[Question]]
    instruct: Callable[..., AnyEdit | None]
    stream: Callable[..., Any]
    describe_requests: tuple[str, ...]
    make_requests: tuple[str, ...]


KINDS: Mapping[type, Kind] = MappingProxyType(
    {
        Scene: Kind(
            "image",
            "picture",
            "draw: {caption}",
            toyworld.render.render,
            toyworld.language.describe,
            toyworld.language.captions,
            toyworld.language.paraphrase,
            toyworld.language.parse,
            toyworld.questions.questions,
            toyworld.instructions.instruct,
            stream,
            ("describe the picture.", "what is in the picture?", "caption this picture."),
            ("draw a picture of {caption}.", "draw {caption}.", "i want a picture of {caption}."),
        ),
        Clip: Kind(
            "video",
            "clip",
            "film: {caption}",
            toyworld.clips.render.render,
            toyworld.clips.language.describe,
            toyworld.clips.language.captions,
            toyworld.clips.language.paraphrase,
            toyworld.clips.language.parse,
            toyworld.clips.questions.questions,
            toyworld.clips.instructions.instruct,
            clip_stream,
            ("describe the clip.", "what happens in the clip?", "caption this clip."),
            ("film a clip in which {caption}.", "film this: {caption}.", "i want a clip in which {caption}."),
        ),
        Sound: Kind(
            "audio",
            "sound",
            "play: {caption}",
            toyworld.sounds.render.render,
            toyworld.sounds.language.describe,
            toyworld.sounds.language.captions,
            toyworld.sounds.language.paraphrase,
            toyworld.sounds.language.parse,
            toyworld.sounds.questions.questions,
            toyworld.sounds.instructions.instruct,
            sound_stream,
            ("describe the sound.", "what do you hear?", "caption this sound."),
            ("play {caption}.", "play me a sound: {caption}.", "i want to hear {caption}."),
        ),
    }
)


def kind_of(value: Value) -> Kind:
    """The entry of a value.

    Example:
        >>> from toyworld.scene import Thing
        >>> kind_of(Scene.of(Thing(0, "small", "red", "star"))).noun
        'picture'
    """
    return KINDS[type(value)]


def call(value: Value) -> str:
    """How a system asks its tool for a value.

    Example:
        >>> from toyworld.scene import Thing
        >>> call(Scene.of(Thing(0, "small", "red", "star")))
        'draw: a small red star in the top left'
    """
    kind = kind_of(value)
    return kind.call.format(caption=kind.describe(value))


def called(text: str) -> Value | None:
    """The value that a call asks for, or None: the inverse of `call`, for any wording of the description.

    Example:
        >>> called("film: a small red star at the top vanishes").acting[0].deed.kind
        'vanishes'
    """
    for kind in KINDS.values():
        head = kind.call.removesuffix("{caption}")
        if text.startswith(head):
            return kind.parse(text.removeprefix(head))
    return None
