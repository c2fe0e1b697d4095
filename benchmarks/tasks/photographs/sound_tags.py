"""The class of a sound, among all classes that the folder holds.

name: sound-tags
data set: ESC-50, ``esc50.csv`` and ``audio/``; all clips, from which nothing here was trained
protocol: multiple choice, the classes of the file as options in the order of the alphabet; a reply that
    chooses no option is wrong, and counted. Its accuracy is top-1.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.lettered import LETTERS, lettered
from benchmarks.tasks.official import DataError, by_id, identity, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.stored import Stored
from benchmarks.tasks.videos.next_qa import choice_uses

PROMPT = "Which of these is to be heard?\n{options}\nAnswer with the letter of the right option."
NOTE = (
    "One clip of each of some twenty classes: intervals are wide, no number compares with a published one. "
    "YAMNet was trained on AudioSet, whose clips are of YouTube; ESC-50's are of Freesound."
)


def read(files: Files) -> Iterator[Record | Broken]:
    """The clips, in the order of the file.

    Raises:
        DataError: there are more classes than letters.
    """
    from metrics.answers.choices import Choice

    path = files.path("clips")
    keyed = ((identity(row, "filename", where), (where, row)) for where, row in rows_of(path))
    rows = {
        key: text(row, "category", where).replace("_", " ")
        for key, (where, row) in by_id(keyed, "clip", path).items()
    }
    options = tuple(sorted(set(rows.values())))
    if len(options) > len(LETTERS):
        more = f"{len(options)} classes, and {len(LETTERS)} letters"
        raise DataError(f"{path}: {more}; take a part of the file.")
    asked = PROMPT.format(options=lettered(options))
    for key, category in rows.items():
        choice = {"choice": Choice(options, options.index(category))}
        yield Record(key, (Stored("audio", (key,)), asked), choice, group=key)


SOUND_TAGS = published(card("sound-tags"), read, Protocol(prompt=PROMPT, metrics=choice_uses(), note=NOTE))
