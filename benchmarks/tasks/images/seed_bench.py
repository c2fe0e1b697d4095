"""SEED-Bench: multiple choice by ability, the questions about single pictures.

name: seed-bench
data set: ``SEED-Bench.json``: questions with choice_a to choice_d, the answer's letter and its type's number
protocol: one reply to each question; a reply that chooses no option is wrong, and counted. Questions about
    clips (types 10 to 12) are left out. By ability.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.lettered import lettered
from benchmarks.tasks.official import DataError, by_id, identity, read_json, records, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.stored import Stored
from benchmarks.tasks.videos.next_qa import choice_uses

PROMPT = "{question}\n{options}\nAnswer with the letter of the right option."
OPTIONS = ("choice_a", "choice_b", "choice_c", "choice_d")
LETTERS = "ABCD"


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions about pictures.

    Raises:
        DataError: cut off or of another kind, a question twice, or an answer that is no option.
    """
    from metrics.answers.choices import Choice

    path = files.path("questions")
    data = read_json(path)
    rows = [row for row in records(data, "questions", path) if row.get("data_type", "image") == "image"]
    names = data.get("question_type", {}) if isinstance(data, dict) else {}
    abilities = {str(number): name for name, number in names.items()} if isinstance(names, dict) else {}
    keyed = ((identity(row, "question_id", f"{path}: record {k}"), row) for k, row in enumerate(rows))
    for key, row in by_id(keyed, "question", path).items():
        where = f"{path}: question {key}"
        options = tuple(text(row, option, where) for option in OPTIONS)
        answer = text(row, "answer", where)
        if len(answer) != 1 or answer not in LETTERS:
            raise DataError(f"{where} has the answer {answer!r:.60}; give the letter of an option.")
        image = identity(row, "data_id", where)
        kind = str(row.get("question_type_id"))
        asked = PROMPT.format(question=text(row, "question", where), options=lettered(options))
        picture = Stored("image", (image, f"{image}.jpg", f"{image}.png"))
        references = {"choice": Choice(options, LETTERS.index(answer)), "ability": abilities.get(kind, kind)}
        yield Record(key, (picture, asked), references, group=image)


SEED_BENCH = published(
    card("seed-bench"), read, Protocol(prompt=PROMPT, metrics=choice_uses(), slices=slice_by("ability"))
)
