"""ActivityNet-QA: the official files of questions and answers, and its types of questions.

name: activitynet-qa
data set: ActivityNet-QA, ``test_q.json`` and ``test_a.json``
licence: MIT, non-commercial use only
paper: Yu et al., ActivityNet-QA, AAAI 2019, arXiv:1906.02467
judged by: equality, by type; "free" are the questions of types 3 to 8, divided by their number. (The
    published script divides by the sizes of whichever types come fourth and later in the file.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.official import DataError, by_id, identity, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.videos.clips import clip
from benchmarks.tasks.videos.single_answers import AnsweredQuestion, exact_uses, read_single_answers

PROMPT = "{question}? Answer in a word or a short phrase."
FPS = 1.0  # the clips last two minutes on average
FREE = 3  # the first type of question whose form is free


def read_activitynet_qa(path: Path) -> dict[str, AnsweredQuestion]:
    """Read an official file of answers by question; what one is about is its video, its type a name.

    Raises:
        DataError: as `read_single_answers`; or a type that there is not.
    """
    from metrics.answers.videos import ACTIVITYNET_TYPES

    found = {}
    for key, row in read_single_answers(path).items():
        kinds = {str(number): name for number, name in enumerate(ACTIVITYNET_TYPES)}
        if row.type not in kinds:
            raise DataError(f"{path}: question {key} is of type {row.type}; there are 0 to {len(kinds) - 1}.")
        # "v_1QIUV7WYKXg_3" is the third question about a video.
        found[key] = replace(row, about=key.rpartition("_")[0] or key, type=kinds[row.type])
    return found


def is_free(kind: str) -> bool:
    """Whether questions of this type count among the free ones.

    >>> is_free("color"), is_free("motion")
    (True, False)
    """
    from metrics.answers.videos import ACTIVITYNET_TYPES

    return ACTIVITYNET_TYPES.index(kind) >= FREE


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the one file with the answers of the other.

    Raises:
        DataError: as `read_activitynet_qa`; or answers to questions that the other file does not ask.
    """
    answers = read_activitynet_qa(files.path("answers"))
    path = files.path("questions")
    keyed = ((identity(row, "question_id", where), (where, row)) for where, row in rows_of(path))
    asked = by_id(keyed, "question", path)
    strangers = [key for key in answers if key not in asked]
    if strangers:
        raise DataError(
            f"{files.path('answers')}: question {strangers[0]} ({len(strangers)} in all) is not asked in "
            f"{path.name}; give the two files of one split."
        )
    for key, (where, row) in asked.items():
        found = answers.get(key)
        if found is None or found.answer is None:
            yield Broken(key, f"{files.path('answers').name}: question {key} has no answer.")
            continue
        video = identity(row, "video_name", where)
        said = (clip(f"v_{video}", video), PROMPT.format(question=text(row, "question", where)))
        yield Record(key, said, {"answer": found.answer, "type": found.type}, group=video)


ACTIVITYNET_QA = published(
    card("activitynet-qa"),
    read,
    Protocol(prompt=PROMPT, metrics=exact_uses(), slices=slice_by("type"), fps=FPS),
)
