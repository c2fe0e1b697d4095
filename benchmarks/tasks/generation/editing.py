"""Editing COCO's photographs and VCTK's recordings, by a list of edits of one's own.

name: coco-editing, vctk-editing
data set: ``edits.jsonl``, for the paper published no list: an edit a line, ``{"id": "1", "source":
    "000000000042.jpg", "instruction": "make the dog a cat", "result": "a cat on a sofa", "kind": "object"}``;
    for recordings, ``"target"`` names the sound that it should become
protocol: pictures by CLIP-T with ``result`` and FID against the sources, by kind (object, background); sounds
    by mel-cepstral distortion to ``target``, warped in time. A value belongs to its list of edits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.judged import edit_picture_uses, edit_sound_uses
from benchmarks.tasks.official import by_id, identity, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.stored import Stored
from nextgpt.messages import Modality

PROMPT = "{instruction}"


def read(modality: Modality, files: Files) -> Iterator[Record | Broken]:
    """The edits of the list.

    Raises:
        DataError: cut off or of another kind, or an edit twice.
    """
    path = files.path("edits")
    keyed = ((identity(row, "id", where), (where, row)) for where, row in rows_of(path))
    for key, (where, row) in by_id(keyed, "edit", path).items():
        source = Stored(modality, (text(row, "source", where),))
        references = {"kind": row.get("kind")}
        if modality == "audio":
            references["target"] = Stored("audio", (text(row, "target", where),))
        else:
            references |= {"source": source, "prompt": text(row, "result", where)}
        said = (source, PROMPT.format(instruction=text(row, "instruction", where)))
        yield Record(key, said, references, group=source.names[0])


COCO_EDITING = published(
    card("coco-editing"),
    partial(read, "image"),
    Protocol(prompt=PROMPT, metrics=edit_picture_uses(), slices=slice_by("kind")),
)
VCTK_EDITING = published(
    card("vctk-editing"),
    partial(read, "audio"),
    Protocol(prompt=PROMPT, metrics=edit_sound_uses(), slices=slice_by("kind")),
)
