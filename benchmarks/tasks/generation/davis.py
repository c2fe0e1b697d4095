"""Editing DAVIS' clips, as the text guided video editing challenge of 2023 words the changes.

name: davis-editing
data set: ``LOVEU-TGVE-2023_Dataset.csv``, whose lines stand below "DAVIS Videos:", "Youtube Videos:" and
    "Videvo Videos:"; the clips as files, or as folders of frames
protocol: four changes of each clip: style, object, background, several; the caption of the result is what is
    asked for. CLIP-T of the middle frame with that caption, CLIP-I of it with the source's middle frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.generation.judged import edit_clip_uses
from benchmarks.tasks.official import DataError, by_id, read_csv
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.stored import Stored
from benchmarks.tasks.videos.clips import clip

PROMPT = "Change the video into this: {result}"
NAME, SECTION = "Video name", "DAVIS Videos:"
CHANGES = {
    "Style Change Caption": "style",
    "Object Change Caption": "object",
    "Background Change Caption": "background",
    "Multiple Changes Caption": "several",
}


def read(files: Files) -> Iterator[Record | Broken]:
    """The changes of the clips below "DAVIS Videos:"; of a file without such lines, of all its clips.

    Raises:
        DataError: cut off or of another kind, or a clip twice.
    """
    path = files.path("edits")
    head, rows = read_csv(path)
    lacking = [column for column in (NAME, *CHANGES) if column not in head]
    if lacking:
        raise DataError(f"{path}: has no column {', '.join(lacking)}; is this the right file?")
    section, chosen = SECTION, []
    for where, row in rows:
        name = row[NAME].strip()
        if name.endswith(":"):
            section = name
        elif name and section == SECTION:
            chosen.append((name, (where, row)))
    for name, (where, row) in by_id(chosen, "clip", path).items():
        source = Stored("video", (*clip(name).names, name))
        for column, kind in CHANGES.items():
            result = row[column].strip()
            if not result:
                yield Broken(f"{name}/{kind}", f"{where}: {name} has no {column}.")
                continue
            references = {"source": source, "prompt": result, "kind": kind}
            yield Record(f"{name}/{kind}", (source, PROMPT.format(result=result)), references, group=name)


DAVIS_EDITING = published(
    card("davis-editing"),
    read,
    Protocol(prompt=PROMPT, metrics=edit_clip_uses(), slices=slice_by("kind")),
)
