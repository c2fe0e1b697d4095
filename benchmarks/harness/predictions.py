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

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.harness.asked import Asked
from benchmarks.harness.storage import RecordError, write_atomically
from nextgpt.media import MediaError, Medium, from_file, to_file
from nextgpt.messages import Failure, Message, Part, Role, Steps

FILE = "predictions.jsonl"
MEDIA = "media"
_MEDIA = ("image", "video", "audio")


@dataclass(frozen=True)
class Prediction:
    """What a system said to one sample.

    Attributes:
        sample: the sample's id.
        answer: the response, or why there is none.
        seconds: the sample's share of the time its batch took; None where unknown.
        asked: hashes of what was asked; None where the file does not say.
    """

    sample: str
    answer: Message | Failure
    seconds: float | None = None
    asked: Asked | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no answer."""
        return isinstance(self.answer, Failure)


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
    try:
        return (json.dumps(record, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # half a surrogate pair, which a model's tokeniser can produce
        return (json.dumps(record) + "\n").encode()


def read_predictions(path: Path, root: Path | None = None) -> list[Prediction]:
    """Read a file of predictions, media included.

    Args:
        path: the file; any program may have written it.
        root: folder that media paths are relative to and must stay in; the file's own by default.

    Raises:
        RecordError: a line that is no prediction, the same sample twice, a medium that is missing,
            damaged, changed, or outside of `root`; the message names file and line.
    """
    folder = path.parent if root is None else root
    lines: dict[str, int] = {}
    predictions = []
    for number, record in read_lines(path):
        where = f"{path}, line {number}"
        prediction = _parse(record, folder, where)
        if prediction.sample in lines:
            first = lines[prediction.sample]
            raise RecordError(f"{where}: sample {prediction.sample!r} is in line {first} already; keep one")
        lines[prediction.sample] = number
        predictions.append(prediction)
    return predictions


def _store(medium: Medium, root: Path) -> dict[str, str]:
    ending, data = to_file(medium)
    digest = hashlib.sha256(data).hexdigest()
    name = f"{MEDIA}/{digest[:16]}{ending}"
    if not (root / name).exists():
        write_atomically(root / name, data)
    return {medium.modality: name, "sha256": digest}


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers, from 1, and the JSON objects on them; blank lines are skipped."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    # Split at newlines alone: answers may hold U+2028 and other characters that end a line elsewhere.
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise RecordError(f"{path}, line {number}: not JSON ({error}); delete or mend it") from error
        if not isinstance(record, dict):
            raise RecordError(f"{path}, line {number}: an object is needed, got {type(record).__name__}")
        yield number, record


def _parse(record: dict[str, Any], root: Path, where: str) -> Prediction:
    sample = record.get("sample")
    if not isinstance(sample, str) or not sample:
        raise RecordError(f'{where}: "sample" must be the id of a sample, a string; got {sample!r}')
    seconds = record.get("seconds")
    if seconds is not None and not (isinstance(seconds, int | float) and math.isfinite(seconds)):
        raise RecordError(f'{where}: "seconds" must be a finite number, got {seconds!r}')
    if ("message" in record) == ("error" in record):
        raise RecordError(f'{where}: sample {sample!r} needs either "message" or "error"')
    try:
        answer = _failure(record) if "error" in record else _message(record["message"], root, where)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{where}: sample {sample!r} is malformed: {error!r}") from None
    return Prediction(sample, answer, seconds, read_asked(record, where))


def read_asked(record: Mapping[str, Any], where: str) -> Asked | None:
    """What a line says of what was asked; None where it does not.

    Raises:
        RecordError: something else stands there.
    """
    found = record.get("asked")
    if found is None:
        return None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise RecordError(f'{where}: "asked" must hold hashes by name, got {found!r:.60}; delete or mend it')
    return found


def _failure(record: dict[str, Any]) -> Failure:
    error = record["error"]
    return Failure(str(error["stage"]), str(error["reason"]), _steps(record.get("steps", ())))


def _message(message: dict[str, Any], root: Path, where: str) -> Message:
    parts: list[Part] = []
    for part in message["parts"]:
        kind = next((name for name in ("text", *_MEDIA) if isinstance(part.get(name), str)), None)
        if kind is None:
            known = '"text" or "image", "video" or "audio"'
            raise RecordError(f"{where}: a part must hold {known}, a string; got {sorted(part)}")
        parts.append(
            part[kind] if kind == "text" else _load(kind, part[kind], part.get("sha256"), root, where)
        )
    role = cast("Role", message.get("role", "assistant"))
    return Message(role, tuple(parts), _steps(message.get("steps", ())))


def _steps(steps: Any) -> Steps:
    return tuple((str(name), str(content)) for name, content in steps)


def _load(kind: str, name: str, digest: str | None, root: Path, where: str) -> Medium:
    file = (root / name).resolve()  # follows links, so a link that leads outside is outside
    if not file.is_relative_to(root.resolve()):
        raise RecordError(f"{where}: {name!r} leaves the folder of the predictions; copy the file into it")
    try:
        data = file.read_bytes()
    except OSError as error:
        problem = f"{name} cannot be read ({error.strerror})"
        raise RecordError(f"{where}: {problem}; put it back or delete the line") from error
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise RecordError(f"{where}: {name} has changed since it was written (SHA-256 differs); put it back")
    try:
        return from_file(kind, data, name)
    except MediaError as error:
        raise RecordError(f"{where}: {error}") from error
