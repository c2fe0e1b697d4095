"""What a sample asked, as a few hashes: answers are scored against the data that they answer, or not at all.

Ids alone don't tell two data sets apart: every file of annotations counts from 1. Each line of a run's
``predictions.jsonl`` therefore keeps a hash of the request and of each reference; media count by their
content, wherever their files lie. What one side did not keep can't be compared, and counts as unchanged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Broken, Sample
from benchmarks.harness.storage import RecordError
from nextgpt.media import Medium

Asked = Mapping[str, str]

REQUEST = "request"


class DataChangedError(RecordError):
    """Answers to other data than these; the message names the first sample and says what to do."""


# Kept for a record of the data that could not be loaded: nobody was asked anything.
UNUSABLE: Asked = {REQUEST: "unusable"}


def asked(sample: Sample | Broken) -> Asked:
    """Hashes of what a sample asks and is held against: ``request``, and each reference by its name.

    A sample whose conversation says nothing, as one made of a file of references alone, has no ``request``.

    Raises:
        TypeError: a reference is of a type that has no hash here.

    Example:
        >>> from nextgpt.messages import Request, user
        >>> asked(Sample("7", Request((user("what is it?"),)), {"answer": "a cat"}, group="7"))
        {'request': '0aa54382e311', 'answer': '207fe2a0613b'}
    """
    if isinstance(sample, Broken):
        return UNUSABLE
    hashes = {name: _hash(value) for name, value in sample.references.items()}
    turns, wanted = sample.request.conversation, sample.request.wanted
    if not any([turn.parts for turn in turns]):  # noqa: C419 - a generator costs more
        return hashes
    # The seed depends on the id alone, and is the run's own. Written as `_encode` writes the whole, in less
    # time: text needs no search for what JSON has no words for.
    said = ",".join([f'["{turn.role}",[{",".join(map(_encode, turn.parts))}]]' for turn in turns])
    wishes = "null" if wanted is None else _encode(wanted)
    hints = _encode(sample.hints) if sample.hints else "null"
    return {REQUEST: _sha256(f"[[{said}],{wishes},{hints}]"), **hashes}


def digest(found: Asked) -> str:
    """All hashes of a sample in one short one, for files that hold many samples.

    Example:
        >>> digest({"request": "a", "answer": "b"}) == digest({"answer": "b", "request": "a"})
        True
    """
    return _hash(dict(found))[:8]


def difference(then: Asked | None, now: Asked | None) -> str:
    """How a sample differs between two times, in words that follow its name; empty where it does not.

    Example:
        >>> difference({"request": "a", "answer": "b"}, {"request": "c", "answer": "d"})
        'has another request and answer now'
        >>> difference({"request": "a", "answer": "b"}, {"request": "a", "answer": "b", "scene": "c"})
        ''
    """
    if then is None or now is None or then == now:
        return ""
    if UNUSABLE in (then, now):
        if REQUEST not in then or REQUEST not in now:
            return ""
        return "could not be loaded then" if then == UNUSABLE else "can't be loaded any more"
    names = [name for name in now if name in then and then[name] != now[name]]
    return f"has another {' and '.join(names)} now" if names else ""


def refuse_if_changed(then: Asked | None, sample: Sample | Broken, where: Path | str) -> None:
    """Refuse an answer to something else than the sample of its id.

    Args:
        then: what was answered; None where nobody kept it.
        sample: what is asked now.
        where: what to call the answers in the error.

    Raises:
        DataChangedError: the sample is another one.
    """
    if then is None:
        return
    found = difference(then, asked(sample))
    if found:
        reason = f" ({sample.reason})" if isinstance(sample, Broken) else ""
        out = "run it again with --retry-failed" if then == UNUSABLE else "give the data that were answered"
        found = f"the data changed: sample {sample.id!r} {found}{reason}"
        raise DataChangedError(f"{where}: {found}; {out}, or run into another --out")


def _hash(value: Any) -> str:
    return _sha256(_encode(value))


def _sha256(encoded: str) -> str:
    return hashlib.sha256(encoded.encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    """What JSON has no words for, in words that are the same on every machine."""
    if isinstance(value, Medium):
        return {value.modality: value.content_hash}
    if hasattr(value, "content_hash"):  # a real set that stands for media that can't be given away
        return {"set": value.content_hash}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return value.tolist()
    raise TypeError(f"a sample can't hold a {type(value).__name__}: what changes in it would go unseen")


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
