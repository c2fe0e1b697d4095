"""UniM: questions with media in their words, and answers with media in theirs.

name: unim
data set: ``unim_input_gt.jsonl``: records of domain, id, input and output; each side holds ``content``, a
    text in which ``<image1>`` stands for a medium, and ``modal``, which names its file
protocol: the media of a question stand where its text names them, those that it does not name behind it; what
    is asked for is the sequence of media in the true answer's text (those of ``modal`` that it does not name
    come last). Judged by plain code: kinds, numbers and order of the media; what they show is not judged. A
    record that asks for documents, code or 3D is broken here, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.any_to_any.structure import asked_for, number_of_kinds, structure_uses
from benchmarks.tasks.official import DataError, by_id, identity, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored
from nextgpt.messages import Modality

PROMPT = "{content}"
KINDS: tuple[Modality, ...] = ("image", "video", "audio")
_PLACE = re.compile(r"<([a-z0-9]*[a-z])(\d+)>")


class _OtherKindError(ValueError):
    """A medium of a kind that is not read here."""


def read(files: Files) -> Iterator[Record | Broken]:
    """The records of the file; a record's id counts within its subdomain.

    Raises:
        DataError: cut off or of another kind, or a record twice.
    """
    path = files.path("records")
    keyed = ((_key(row, where), (where, row)) for where, row in rows_of(path))
    for key, (where, row) in by_id(keyed, "record", path).items():
        try:
            said = _said(row, where)
            media = _asked(row, where)
        except _OtherKindError as error:
            yield Broken(key, f"{path.name}: record {key} {error}.")
            continue
        references = {"media": media, "content": text(row["output"], "content", where)}
        yield Record(key, said, references, group=key, wanted=asked_for(media, with_text=True))


def _key(row: Mapping[str, Any], where: str) -> str:
    return "/".join(identity(row, name, where) for name in ("domain", "subdomain", "id") if name in row)


def _side(row: Mapping[str, Any], name: str, where: str) -> tuple[str, dict[str, str]]:
    """A side's text, and its media by name."""
    side = row.get(name)
    if not isinstance(side, dict):
        raise DataError(f"{where} has no {name} but {side!r:.60}; is this the right file?")
    modal = side.get("modal") or {}
    if not isinstance(modal, dict) or not all(isinstance(path, str) for path in modal.values()):
        raise DataError(f"{where}: the {name}'s media are no object from names to paths but {modal!r:.60}.")
    return text(side, "content", where), modal


def _said(row: Mapping[str, Any], where: str) -> tuple[str | Stored, ...]:
    content, modal = _side(row, "input", where)
    parts: list[str | Stored] = []
    end, named = 0, set[str]()
    for place in _PLACE.finditer(content):
        name = place[1] + place[2]
        if name not in modal:  # a tag of the answer that is asked for, or a slip: it stays a word
            continue
        parts += [content[end : place.start()], _medium(name, modal[name])]
        end, named = place.end(), named | {name}
    parts += [content[end:], *(_medium(name, path) for name, path in modal.items() if name not in named)]
    return tuple(part for part in parts if part)


def _asked(row: Mapping[str, Any], where: str) -> tuple[Modality, ...]:
    content, modal = _side(row, "output", where)
    names = list(dict.fromkeys([*(place[1] + place[2] for place in _PLACE.finditer(content)), *modal]))
    return tuple(_kind(name) for name in names)


def _medium(name: str, path: str) -> Stored:
    return Stored(_kind(name), (path,))


def _kind(name: str) -> Modality:
    kind = name.rstrip("0123456789")
    for known in KINDS:
        if kind == known:
            return known
    raise _OtherKindError(f"holds {name}, a kind that is not read here; there are {', '.join(KINDS)}")


UNIM = published(
    card("unim"),
    read,
    Protocol(prompt=PROMPT, metrics=structure_uses(), slices=number_of_kinds),
)
