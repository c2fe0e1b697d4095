"""NExT-QA, open-ended.

name: next-qa-open
data set: NExT-OE's ``test.csv`` and, where it is there, ``add_reference_answer_test.json``: a second right
    answer to some questions
protocol: WUPS, threshold 0 and 0.9, in percent of 1; counting and yes-no questions (DC, DB) by equality; by
    causal, temporal, descriptive. The official script lemmatises by pywsd and drops its own stop words, here
    words are split at spaces: figures may differ by a few tenths from published ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse
from benchmarks.tasks.official import DataError, by_id, identity, read_json, reference, rows_of, said, text
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by
from benchmarks.tasks.videos.clips import FPS, clip, vidor_paths

if TYPE_CHECKING:
    from metrics.metric import Metric

PROMPT = "{question}? Answer in a short phrase."
KINDS = {"C": "causal", "T": "temporal", "D": "descriptive"}
EXACT = ("DC", "DB")


def read(files: Files) -> Iterator[Record | Broken]:
    """The questions of the file.

    Raises:
        DataError: cut off or of another kind, a question twice, or a type that there is not.
    """
    from metrics.answers.wups import OpenAnswer

    path, paths, more = files.path("questions"), vidor_paths(files), _more(files)
    rows = (
        (f"{identity(row, 'video', at)}_{identity(row, 'qid', at)}", (at, row)) for at, row in rows_of(path)
    )
    for key, (where, row) in by_id(rows, "question", path).items():
        kind, video = text(row, "type", where), str(row["video"])
        if kind[:1] not in KINDS:
            raise DataError(f"{where} is of type {kind!r:.60}; types begin with {', '.join(KINDS)}.")
        answers = (text(row, "answer", where), *more.get(key, ()))
        references = {"open": OpenAnswer(answers, exact=kind in EXACT), "type": KINDS[kind[0]]}
        said = (clip(video, paths.get(video)), PROMPT.format(question=text(row, "question", where)))
        yield Record(key, said, references, group=video)


def _more(files: Files) -> dict[str, tuple[str, ...]]:
    """Second answers by question; the file goes from videos to question numbers to answers."""
    path = files.optional("more answers")
    if path is None:
        return {}
    data = read_json(path)
    if not isinstance(data, dict) or not all(isinstance(each, dict) for each in data.values()):
        raise DataError(f"{path}: holds no object from videos to questions; is this the right file?")
    return {
        f"{video}_{number}": (str(answer),) for video, row in data.items() for number, answer in row.items()
    }


def _make(threshold: float) -> Metric[Any]:
    from metrics.answers.wups import Wups, wordnet_similarity

    return Wups(wordnet_similarity("next-qa"), "wordnet,spaces", threshold=threshold)


def wups_uses() -> tuple[MetricUse, ...]:
    """WUPS at both thresholds, by a sample's ``open``."""
    return tuple(
        MetricUse(f"wups_{threshold:g}_next_qa", partial(_make, threshold), said, reference("open"))
        for threshold in (0.0, 0.9)
    )


NEXT_QA_OPEN = published(
    card("next-qa-open"),
    read,
    Protocol(prompt=PROMPT, metrics=wups_uses(), slices=slice_by("type"), fps=FPS),
)
