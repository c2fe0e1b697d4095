"""ActivityNet-QA: the official file of answers, and its types of questions.

data set: ActivityNet-QA, ``test_a.json`` or ``val_a.json``
licence: Apache-2.0
paper: Yu et al., ActivityNet-QA, AAAI 2019, arXiv:1906.02467
judged by: equality, by type; "free" are the questions of types 3 to 8, divided by their number. (The
    published script divides by the sizes of whichever types come fourth and later in the file.)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.tasks.official import DataError
from benchmarks.tasks.videos.single_answers import AnsweredQuestion, read_single_answers

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
