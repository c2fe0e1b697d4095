"""Predictions: what a system said, one line of ``predictions.jsonl`` each.

This file is the interface between running and scoring: runs write it, scoring reads it, and any
other program may have written it. One line is one of::

    {"sample": "7", "message": {"role": "assistant", "parts": [{"text": "a cat"}], "steps": []}}
    {"sample": "8", "error": {"stage": "plan", "reason": "no prompt"}, "steps": [], "seconds": 0.1}

A picture is a part ``{"image": "media/<name>.png", "sha256": "<of the file>"}``, its path relative to
the folder of the file; a clip is a ``"video"``, a sound an ``"audio"``. ``"asked": {"request": "<hash>",
"captions": "<hash>"}`` says what was asked (see `asked`). ``steps``, ``seconds``, ``sha256`` and ``asked``
may be missing.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.harness.asked import Asked
from benchmarks.harness.storage import (
    RecordError,
    brief,
    open_regular,
    parse_json,
    read_file,
    to_json,
    write_atomically,
)
from nextgpt.media import MediaError, Medium, from_file, to_file
from nextgpt.messages import Failure, Message, Role, Steps

FILE = "predictions.jsonl"
MEDIA = "media"
_MEDIA = ("image", "video", "audio")
_LONGEST = 1e9  # seconds, thirty years; what is above is no time, and sums of it overflow


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system said to one sample.

    Attributes:
        sample: the sample's id.
        said: the response, as it is or as it lies in files, or why there is none.
        seconds: the sample's share of the time its batch took; None where unknown.
        asked: hashes of what was asked; None where the file does not say.
    """

    sample: str
    said: Message | StoredMessage | Failure
    seconds: float | None = None
    asked: Asked | None = None

    @property
    def answer(self) -> Message | Failure:
        """The response, or why there is none; media that lie in files are opened, and not kept.

        Raises:
            RecordError: a file is missing, was changed, or lies outside; the message names it.
        """
        return self.said.open() if isinstance(self.said, StoredMessage) else self.said

    @property
    def failed(self) -> bool:
        """Whether there is no answer."""
        return isinstance(self.answer, Failure)


@dataclass(frozen=True, slots=True)
class StoredMedium:
    """A picture, clip or sound in a file: what it is, its path below `root`, and its SHA-256 if known."""

    modality: str
    name: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message whose media lie in files.

    Thousands of them are held at once, and of their media no more than one message's.

    Attributes:
        role, parts, steps: as in `Message`.
        root: the folder that holds the files.
        where: file and line, for error messages.
    """

    role: Role
    parts: tuple[str | StoredMedium, ...]
    steps: Steps
    root: Path
    where: str

    def open(self) -> Message | Failure:
        """The message, its media read and held against their hashes.

        A file that is as it was written and still no medium that can be used, such as a picture far too
        large, is what the system answered: that sample's failure.

        Raises:
            RecordError: a file is missing, was changed, or lies outside of the folder.
        """
        try:
            parts = [part if isinstance(part, str) else self._medium(part) for part in self.parts]
        except MediaError as error:
            return Failure("answer", " ".join(str(error).split()), self.steps)
        return Message(self.role, tuple(parts), self.steps)

    def _medium(self, stored: StoredMedium) -> Medium:
        try:
            file = open_regular(inside(self.root, stored.name))
        except RecordError as error:
            raise RecordError(f"{self.where}: {error}") from None
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
            problem = getattr(error, "strerror", None) or error
            raise RecordError(
                f"{self.where}: {stored.name!r} cannot be read ({problem}); put it back or delete the line"
            ) from error
        with file:
            if stored.sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
                changed = f"{stored.name} has changed since it was written (SHA-256 differs)"
                raise RecordError(f"{self.where}: {changed}; put it back")
            return from_file(stored.modality, file, stored.name)


def to_line(prediction: Prediction, root: Path) -> bytes:
    r"""The prediction as one line of the file, newline included; its media are written below `root`.

    Media are named by the hash of their bytes, so the same picture is stored once.

    Example:
        >>> from nextgpt.messages import assistant
        >>> to_line(Prediction("7", assistant("a cat")), Path("."))
        b'{"sample": "7", "message": {"role": "assistant", "parts": [{"text": "a cat"}], "steps": []}}\n'
    """
    answer = prediction.answer
    record: dict[str, Any] = {"sample": prediction.sample}
    if isinstance(answer, Failure):
        record["error"] = {"stage": answer.stage, "reason": answer.reason}
        record["steps"] = answer.steps
    else:
        parts = [{"text": part} if isinstance(part, str) else _store(part, root) for part in answer.parts]
        record["message"] = {"role": answer.role, "parts": parts, "steps": answer.steps}
    if prediction.seconds is not None:
        record["seconds"] = round(prediction.seconds, 6)
    if prediction.asked is not None:
        record["asked"] = dict(prediction.asked)
    return to_json(record)


def read_predictions(path: Path, root: Path | None = None, *, finished: bool = True) -> list[Prediction]:
    """Read a file of predictions; their media are opened when an answer is looked at.

    A line that names its sample and holds an answer that can't be used is that sample's failure.

    Args:
        path: the file; any program may have written it.
        root: folder that media paths are relative to and must stay in; the file's own by default.
        finished: False leaves out a last line that was only half written, as a run that is under way, or
            that was killed, may leave one.

    Raises:
        RecordError: a line that is no prediction, or the same sample twice; names file and line.
    """
    folder = path.parent if root is None else root
    lines: dict[str, int] = {}
    predictions = []
    with _no_search_for_cycles():
        for number, record in read_lines(path, finished=finished):
            where = f"{path}, line {number}"
            prediction = _parse(record, folder, where)
            first = lines.setdefault(prediction.sample, number)
            if first != number:
                raise RecordError(
                    f"{where}: sample {brief(prediction.sample)} is in line {first} already; keep one"
                )
            predictions.append(prediction)
    return predictions


def read_lines(path: Path, *, finished: bool = True) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers, from 1, and the JSON objects on them; blank lines are skipped, half ones too on demand.

    Raises:
        RecordError: the file can't be read, or a line is no JSON object; names file and line.
    """
    # Split at newlines alone: answers may hold U+2028 and other characters that end a line elsewhere.
    lines = read_file(path).split(b"\n")
    for number, line in enumerate(lines if finished else lines[:-1], start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
        except ValueError as error:
            raise RecordError(f"{path}, line {number}: not JSON ({error}); delete or mend it") from error
        if not isinstance(record, dict):
            raise RecordError(f"{path}, line {number}: an object is needed, got {type(record).__name__}")
        yield number, record


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Records hold no circles, and to look for them again and again takes a third of the time of reading."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def _store(medium: Medium, root: Path) -> dict[str, str]:
    ending, data = to_file(medium)
    digest = hashlib.sha256(data).hexdigest()
    name = f"{MEDIA}/{digest[:16]}{ending}"
    if not (root / name).exists():
        write_atomically(root / name, data)
    return {medium.modality: name, "sha256": digest}


def _parse(record: dict[str, Any], root: Path, where: str) -> Prediction:
    sample = record.get("sample")
    if not isinstance(sample, str) or not sample:
        raise RecordError(f'{where}: "sample" must be the id of a sample, a string; got {brief(sample)}')
    seconds = record.get("seconds")
    # NaN is in no range.
    if seconds is not None and (type(seconds) not in (int, float) or not 0 <= seconds <= _LONGEST):
        raise RecordError(f'{where}: "seconds" must be a number from 0 to 1e9, got {brief(seconds)}')
    if ("message" in record) == ("error" in record):
        raise RecordError(f'{where}: sample {brief(sample)} needs either "message" or "error"')
    failed = "error" in record
    said = _failure(record, where) if failed else _message(record["message"], root, where)
    return Prediction(sample, said, seconds, read_asked(record, where))


def read_asked(record: Mapping[str, Any], where: str) -> Asked | None:
    """What a line says of what was asked; None where it does not.

    Raises:
        RecordError: something else stands there.
    """
    found = record.get("asked")
    if found is None:
        return None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise RecordError(f'{where}: "asked" must hold hashes by name, got {brief(found)}; delete or mend it')
    return found


def _failure(record: dict[str, Any], where: str) -> Failure:
    match record["error"]:
        case {"stage": str(stage), "reason": str(reason)}:
            steps, complaint = _steps(record.get("steps", ()))
            return Failure(stage, f"{reason}; {complaint}" if complaint else reason, steps)
    raise RecordError(f'{where}: "error" must hold "stage" and "reason", two strings')


def _message(message: Any, root: Path, where: str) -> Message | StoredMessage | Failure:
    if not isinstance(message, dict) or not isinstance(message.get("parts"), list):
        raise RecordError(f'{where}: "message" must hold "parts", a list')
    role = message.get("role", "assistant")
    if role not in ("user", "assistant"):
        raise RecordError(f'{where}: the role of a message is "user" or "assistant", got {brief(role)}')
    parts = tuple([_part(part, where) for part in message["parts"]])
    steps, complaint = _steps(message.get("steps", ()))
    if complaint:
        return Failure("answer", complaint)
    if StoredMedium in map(type, parts):
        return StoredMessage(role, parts, steps, root, where)
    return Message(role, cast("tuple[str, ...]", parts), steps)


def _part(part: Any, where: str) -> str | StoredMedium:
    if isinstance(part, dict):
        text = part.get("text")
        if isinstance(text, str):
            return text
        for kind in _MEDIA:
            if isinstance(part.get(kind), str):
                return StoredMedium(kind, part[kind], part.get("sha256"))
    known = '"text" or "image", "video" or "audio"'
    raise RecordError(f"{where}: a part must hold {known}, a string; got {brief(part)}")


def _steps(steps: Any) -> tuple[Steps, str]:
    """The steps, and what is wrong with them, empty where nothing is."""
    if not isinstance(steps, list | tuple):
        return (), f'malformed "steps": pairs of texts are needed, got {brief(steps)}'
    found = []
    for step in steps:
        match step:
            case [str(name), str(content)]:
                found.append((name, content))
            case _:
                return (), f'malformed "steps": pairs of texts are needed, got {brief(step)}'
    return tuple(found), ""


def inside(root: Path, name: str) -> Path:
    """The path of a file below `root`; neither ``..`` nor a link may lead to it.

    Raises:
        RecordError: one does.
    """
    path, relative = root, Path(name)
    leaves = bool(relative.anchor) or ".." in relative.parts
    for part in relative.parts:
        path = path / part
        leaves = leaves or path.is_symlink()
    if leaves:
        raise RecordError(
            f"{name!r} leaves the folder of the predictions, by '..' or a link; copy the file into it"
        )
    return path
