"""MMBench: multiple choice by ability.

name: mmbench
data set: ``mmbench_dev_20230712.tsv``: index, question, hint, options A to D, answer, category, and the
    picture in base64
protocol: one reply to each row; a reply that chooses no option is wrong, and counted. The file puts a
    question once for each turn of its options (index + 1,000,000 for the second). The headline is the
    official "CircularEval": a question counts only when all its turns are right; ``choice_accuracy`` lets
    each row count alone, and is higher. The turns of a question follow each other here, whatever their order
    in the file, so that a limit leaves whole questions. By category: MMBench's twenty abilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse
from benchmarks.tasks.lettered import lettered
from benchmarks.tasks.official import (
    DataError,
    by_id,
    identity,
    read_csv,
    reference,
    said,
    text,
    whole_number,
)
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.stored import Stored
from benchmarks.tasks.videos.next_qa import choice_uses

if TYPE_CHECKING:
    from metrics.metric import Metric

PROMPT = "{hint}{question}\n{options}\nAnswer with the letter of the right option."
OPTIONS = "ABCD"
TURN = 1_000_000  # what the index of a question grows by with each turn of its options


def read(files: Files) -> Iterator[Record | Broken]:
    """The rows of the file.

    Raises:
        DataError: cut off or of another kind, a row twice, or an answer that is no option.
    """
    path = files.path("questions")
    rows = read_csv(path, delimiter="\t")[1]
    pictures: dict[str, str] = {}
    keyed = ((identity(row, "index", where), (where, row)) for where, row in rows)
    turns: dict[str, list[Record | Broken]] = {}
    for key, (where, row) in by_id(keyed, "question", path).items():
        first = _question(key, where)
        turns.setdefault(first, []).append(_record(key, first, row, where, pictures))
    for records in turns.values():
        yield from records


def _question(key: str, where: str) -> str:
    """The index of a row's question in its first turn."""
    number = whole_number(key)
    if number is None:
        raise DataError(f"{where} has the index {key!r:.60}; give a number.")
    return str(number % TURN)


def _record(
    key: str, first: str, row: Mapping[str, str], where: str, pictures: dict[str, str]
) -> Record | Broken:
    from metrics.answers.choices import Choice, Turn

    options = tuple(row[letter] for letter in OPTIONS if row.get(letter))
    answer = row.get("answer", "")
    if answer not in OPTIONS[: len(options)] or not answer:
        raise DataError(f"{where} has the answer {answer!r:.60}; give the letter of an option.")
    # A later turn may hold its first one's index in place of the picture.
    content = row.get("image", "")
    content = pictures.get(content, pictures.get(first, "")) if len(content) < 64 else content
    if not content:
        return Broken(key, f"{where} has no picture.")
    pictures.setdefault(first, content)
    hint = f"{row['hint']}\n" if row.get("hint") else ""
    asked = PROMPT.format(hint=hint, question=text(row, "question", where), options=lettered(options))
    choice = Choice(options, OPTIONS.index(answer))
    references = {"choice": choice, "turn": Turn(choice, first), "category": row.get("category") or None}
    return Record(key, (Stored("image", (f"index {first}",), content), asked), references, group=first)


def _circular() -> Metric[Any]:
    from metrics.answers.choices import ChoiceCircular

    return ChoiceCircular()


MMBENCH = published(
    card("mmbench"),
    read,
    Protocol(
        prompt=PROMPT,
        metrics=(MetricUse("choice_circular", _circular, said, reference("turn")), *choice_uses()),
        slices=slice_by("category"),
        version=2,
    ),
)
