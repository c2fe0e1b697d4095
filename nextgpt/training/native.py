"""Training examples in the json formats of the released code.

A file is a list of records. All but the pairs hold ``conversations``, turns of "human" and "gpt" in which
``<image>``, ``<video>`` and ``<audio>`` stand for media:

======================  =================================================================================
``*_comprehension``     ``input_image`` names the media of the human's turns; also T+X-T (LLaVA, VideoChat)
``*_generation``        ``output_image`` names those of the gpt's turns, ``image_captions`` describe them
T-T+X, MosIT (tuned)    ``image_captions`` alone: the media were not published
MosIT (raw)             ``image_list`` and so on, and in the text ``<Image>name</Image>``
pairs (``cc3m.json``)   ``caption`` and ``image_name``: read as the older code did, according to the stage
text (Alpaca)           ``conversations`` alone
======================  =================================================================================

``video_`` and ``audio_`` likewise; a field holds one name or a list. Media lie beside their json file, or in
``images/``, ``videos/`` and ``audios/`` there. ``*_caption_embeddings`` are counted and not read: the text
conditions are computed from the captions by the preset's own diffusion models; those that were published are
Stable Diffusion 2's, whatever is trained.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nextgpt.config import Stage
from nextgpt.documents import DocumentError, read_json
from nextgpt.errors import UserError
from nextgpt.media import Audio, Image, MediaError, Medium, Video
from nextgpt.messages import Message, Modality, Part
from nextgpt.reasoning.prompts import half_character
from nextgpt.training.data import UNSEEN, Broken, Example, TrainingError

OPEN: Mapping[Modality, Callable[[Path], Medium]] = {
    "image": Image.open,
    "video": Video.open,
    "audio": Audio.open,
}
_PLACE = re.compile(r"<(image|video|audio)>")
_NAMED = re.compile(r"<(Image|Video|Audio)>\s*(.*?)\s*</\1>", re.DOTALL)
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
_NOISE = str.maketrans("", "", '"()*#:;~')  # what the older code takes out of captions


class RecordError(UserError):
    """A record that cannot be learnt from; the message says why."""


def examples(
    stage: Stage,
    count: int,
    seed: int,
    *,
    folder: str = "data",
    encoding: Sequence[str] = (),
    decoding: Sequence[str] = (),
    instruct: Sequence[str] = (),
) -> Iterator[Example | Broken]:
    """Examples of a stage, from all its files in turn: a training source for presets.

    Args:
        stage: which.
        count: at most so many, broken ones included.
        seed: of the order within each file.
        folder: what the files' names are relative to.
        encoding: json files of the first stage; ``*`` and ``**`` stand for any name and any folders.
        decoding: of the second.
        instruct: of the third.

    Raises:
        TrainingError: there is no such file, or it is no list of records.
    """
    patterns = {"encoding": encoding, "decoding": decoding, "instruct": instruct}[stage]
    paths = [path for pattern in patterns for path in _files(Path(folder), pattern)]
    if not paths:
        raise TrainingError(
            f"stage {stage} names no data: list json files in the preset's training: options: {stage}"
        )
    return _in_turn([_shuffled(path, stage, seed) for path in paths], count)


def read(path: Path, stage: Stage, only: Sequence[int] | None = None) -> Iterator[Example | Broken]:
    """The records of one file, in order.

    Args:
        path: the file.
        stage: what they are for.
        only: numbers of records, from 0, in the order in which they are wanted; all by default.

    Raises:
        TrainingError: not json, or no list.
    """
    records = _records(path)
    for number in range(len(records)) if only is None else only:
        yield _example(records[number], path, number, stage)


def _in_turn(streams: Sequence[Iterator[Example | Broken]], count: int) -> Iterator[Example | Broken]:
    left, done = list(streams), 0
    while left:
        for stream in tuple(left):
            found = next(stream, None)
            if found is None:
                left.remove(stream)
            elif done < count:
                done += 1
                yield found
            else:
                return


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise TrainingError(f"{folder / pattern}: no such file; name the folder of your data with --data")
    return found


def _records(path: Path) -> list[Any]:
    try:
        return read_json(path, list)
    except DocumentError as error:
        lines = "Extra data" in str(error)
        hint = "; a record a line is another format: put them all into one list" if lines else ""
        raise TrainingError(f"{error}{hint}") from error


def _shuffled(path: Path, stage: Stage, seed: int) -> Iterator[Example | Broken]:
    records = _records(path)
    order = list(range(len(records)))
    # With the file's name, or two files of one world would go in step.
    random.Random(f"{path.name}-{seed}").shuffle(order)
    for number in order:
        yield _example(records[number], path, number, stage)


def _example(record: Any, path: Path, number: int, stage: Stage) -> Example | Broken:
    name = f"{path.name}: record {number}"
    try:
        if not isinstance(record, Mapping):
            raise RecordError(f"expected fields and values, got {type(record).__name__}")
        conversation, captions = _Reader(path.parent, stage).read(record)
        return Example(conversation, captions, name)
    except (RecordError, MediaError, TrainingError) as error:
        return Broken(name, str(error))


class _Reader:
    """One record's conversation, with its media and captions in order."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self.folder = folder
        self.stage = stage
        self.captions: list[str] = []
        self.inputs: dict[Modality, list[str]] = {}
        self.outputs: dict[Modality, list[tuple[str | None, str]]] = {}

    def read(self, record: Mapping[str, Any]) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        if "conversations" in record:
            self._take_lists(record)
            turns = record["conversations"]
        elif "conversation" in record:
            turns = self._raw(record)
        elif "caption" in record:
            turns = self._pair(record)
        else:
            raise RecordError("has no conversations; its fields are " + ", ".join(map(str, record)))
        conversation = tuple(self._message(turn) for turn in _list(turns, "conversations"))
        answers = [message for message in conversation if message.role == "assistant"]
        if not answers or not all(message.parts for message in answers):
            what = "an empty answer" if answers else "no answer"
            raise RecordError(f"{what} in its conversation; there is nothing to be learnt")
        for kind in OPEN:
            if more := len(self.inputs.get(kind, ())):
                raise RecordError(f"input_{kind}: {more} more than there are <{kind}> in the human's turns")
            if more := len(self.outputs.get(kind, ())):
                raise RecordError(f"{kind}_captions: {more} more than there are <{kind}> in the gpt's turns")
        return conversation, tuple(self.captions)

    def _take_lists(self, record: Mapping[str, Any]) -> None:
        for kind in OPEN:
            names = _texts(record, f"output_{kind}")
            captions = _texts(record, f"{kind}_captions")
            embeddings = _texts(record, f"{kind}_caption_embeddings")
            if embeddings and len(embeddings) != len(captions):
                raise RecordError(
                    f"{len(captions)} {kind}_captions but {len(embeddings)} {kind}_caption_embeddings; "
                    "there is to be one for each"
                )
            if names and len(names) != len(captions):
                raise RecordError(
                    f"{len(names)} output_{kind} but {len(captions)} {kind}_captions; describe each"
                )
            self.inputs[kind] = _texts(record, f"input_{kind}")
            found: list[str | None] = [*names] or [None] * len(captions)
            self.outputs[kind] = list(zip(found, captions, strict=True))

    def _raw(self, record: Mapping[str, Any]) -> list[dict[str, str]]:
        """MosIT as its makers wrote it: media are named where they stand in the text."""
        told = {
            _text(item, f"{kind}_name"): _text(item, "caption").strip()
            for kind in OPEN
            for item in _list(record.get(f"{kind}_list", []), f"{kind}_list")
        }
        turns = []
        for turn in _list(record["conversation"], "conversation"):
            role, text = _turn(turn)

            def place(match: re.Match[str], role: str = role) -> str:
                kind, name = _kind(match[1].lower()), match[2]
                if role == "user":
                    self.inputs.setdefault(kind, []).append(name)
                elif not told.get(name):
                    raise RecordError(f"{name} has no caption in {kind}_list")
                else:
                    there = any(path.exists() for path in self._paths(kind, name))
                    self.outputs.setdefault(kind, []).append((name if there else None, told[name]))
                return f"<{kind}>"

            turns.append({"from": "human" if role == "user" else "gpt", "value": _NAMED.sub(place, text)})
        return turns

    def _pair(self, record: Mapping[str, Any]) -> list[dict[str, str]]:
        """A medium and its caption, in the words of the older code."""
        kind = next((kind for kind in OPEN if record.get(f"{kind}_name")), None)
        if kind is None:
            raise RecordError("has a caption, but none of image_name, video_name and audio_name")
        caption = _text(record, "caption").translate(_NOISE).strip().lower()
        name = _text(record, f"{kind}_name")
        if self.stage == "encoding":
            self.inputs[kind] = [name]
            human, gpt = f"<{kind}>generate a caption", caption
        else:
            self.outputs[kind] = [(name, caption)]
            human, gpt = caption, f"{caption} <{kind}>"
        return [{"from": "human", "value": human}, {"from": "gpt", "value": gpt}]

    def _message(self, turn: Any) -> Message:
        role, text = _turn(turn)
        # Every second piece is a place: re.split keeps what the pattern's group has matched.
        parts: list[Part] = [
            self._medium(role, _kind(piece)) if place % 2 else piece.strip()
            for place, piece in enumerate(_PLACE.split(text))
        ]
        return Message("user" if role == "user" else "assistant", tuple(part for part in parts if part != ""))

    def _medium(self, role: str, kind: Modality) -> Medium:
        if role == "user":
            if not self.inputs.get(kind):
                raise RecordError(f"more <{kind}> in the human's turns than input_{kind}")
            return self._open(kind, self.inputs[kind].pop(0))
        if not self.outputs.get(kind):
            raise RecordError(f"more <{kind}> in the gpt's turns than {kind}_captions; describe each")
        name, caption = self.outputs[kind].pop(0)
        if not caption.strip():
            raise RecordError(f"an empty caption among {kind}_captions")
        self.captions.append(caption.strip())
        return UNSEEN[kind] if name is None else self._open(kind, name)

    def _paths(self, kind: Modality, name: str) -> list[Path]:
        return [self.folder / name, self.folder / f"{kind}s" / name]

    def _open(self, kind: Modality, name: str) -> Medium:
        for path in self._paths(kind, name):
            if path.exists():
                return OPEN[kind](path)
        raise RecordError(f"{name}: no such file, neither beside the json file nor in {kind}s/ there")


def _turn(turn: Any) -> tuple[str, str]:
    """Role and text of a turn."""
    if not isinstance(turn, Mapping) or not isinstance(turn.get("value"), str):
        raise RecordError("a turn of the conversation has no text under 'value'")
    role = _ROLES.get(str(turn.get("from")).lower())
    if role is None:
        raise RecordError(f"a turn is from {turn.get('from')!r}; there are human and gpt")
    return role, _whole(turn["value"], "a turn of the conversation")


def _text(record: Any, name: str) -> str:
    """A field that holds one text."""
    value = record.get(name) if isinstance(record, Mapping) else None
    if not isinstance(value, str):
        raise RecordError(f"{name}: expected text, got {value!r:.80}")
    return _whole(value, name)


def _whole(text: str, name: str) -> str:
    if half := half_character(text):
        raise RecordError(f"{name}: holds {half}, half of a character")
    return text


def _texts(record: Mapping[str, Any], name: str) -> list[str]:
    """A field that holds one text or a list of them, or is not there."""
    value = record.get(name)
    if value is None:
        return []
    values = [value] if isinstance(value, str) else _list(value, name)
    if not all(isinstance(item, str) for item in values):
        raise RecordError(f"{name}: expected text, got {value!r:.80}")
    return [_whole(item, name) for item in values]


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise RecordError(f"{name}: expected a list, got {type(value).__name__}")
    return value


def _kind(text: str) -> Modality:
    return next(kind for kind in OPEN if kind == text)
