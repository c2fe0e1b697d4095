"""Near-duplicates between a training file and a benchmark: the same text, nearly, or the same medium by name.

Texts are compared as sets of runs of three words, after case and punctuation are gone; two are near where the
sets' overlap, the Jaccard index, reaches a threshold. Only texts that share a rare run are compared at all,
so a training file of millions takes minutes, not weeks.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data.check import official_data
from benchmarks.harness.benchmark import Benchmark, Broken, Options
from benchmarks.tasks.official import rows_of

RUN = 3  # words
RARE = 50  # a run that more of the benchmark's texts hold than this says little, and leads to no comparison
SHORTEST = 4  # words: "a man is singing" is in every data set
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Near:
    """A sample of a benchmark, and the record of the training file that is nearest to one of its texts.

    Attributes:
        sample: the sample's id.
        text: the text of the benchmark, or the medium's name.
        record: where the other stands.
        other: its text.
        likeness: 0 to 1; 1 for the same words, or for the same name of a medium.
    """

    sample: str
    text: str
    record: str
    other: str
    likeness: float


def overlaps(benchmark: Benchmark, data: Path, training: Path, threshold: float = 0.8) -> list[Near]:
    """Samples of a benchmark that a training file holds, or nearly; the nearest record for each.

    Args:
        benchmark: one that reads official files.
        data: their folder.
        training: JSON, JSON lines or CSV; all texts in a record are looked at, however deep.
        threshold: likeness from which two texts are near.

    Raises:
        DataError: a file that cannot be read.
    """
    index, media = _Index(threshold), dict[str, str]()
    for sample, text, name in _benchmark_texts(benchmark, data):
        if text:
            index.add(sample, text)
        if name:
            media.setdefault(name, sample)
    index.finish()
    found: dict[str, Near] = {}
    for where, row in rows_of(training):
        for text in _texts(row):
            stem = Path(text).stem if len(text) < 200 else ""
            near = Near(media[stem], stem, where, text, 1.0) if stem in media else index.nearest(text, where)
            if near is not None and (near.sample not in found or found[near.sample].likeness < near.likeness):
                found[near.sample] = near
    return list(found.values())


def _benchmark_texts(benchmark: Benchmark, data: Path) -> Iterator[tuple[str, str, str]]:
    """Sample, text and medium's name: references are looked at, and what is asked where there are none."""
    source = official_data(benchmark)
    for record in source.records(Options(data=data)):
        if isinstance(record, Broken):
            continue
        for text in _texts(
            {name: record.references[name] for name in ("captions", "prompt") if name in record.references}
        ):
            yield record.id, text, ""
        if "captions" not in record.references and "prompt" not in record.references:
            for part in record.said:
                if isinstance(part, str):
                    yield record.id, part, ""
        for medium in record.media:
            if medium.names and not medium.content:
                yield record.id, "", Path(medium.names[0]).stem


def _texts(value: Any) -> Iterator[str]:
    """All texts in a record, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    if len(words) < SHORTEST:
        return frozenset()
    return frozenset(tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1))


class _Index:
    """The benchmark's texts by their rare runs."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.texts: list[tuple[str, str, frozenset[tuple[str, ...]]]] = []
        self.rare: dict[tuple[str, ...], list[int]] = {}

    def add(self, sample: str, text: str) -> None:
        if runs := _runs(text):
            self.texts.append((sample, text, runs))

    def finish(self) -> None:
        places = defaultdict[tuple[str, ...], list[int]](list)
        for number, (_, _, runs) in enumerate(self.texts):
            for run in runs:
                places[run].append(number)
        counts = Counter({run: len(numbers) for run, numbers in places.items()})
        # The rarest run of a text stays whatever its count: every text can be found.
        needed = {min(runs, key=lambda run: (counts[run], run)) for _, _, runs in self.texts}
        self.rare = {run: numbers for run, numbers in places.items() if len(numbers) <= RARE or run in needed}

    def nearest(self, text: str, where: str) -> Near | None:
        runs = _runs(text)
        candidates = {number for run in runs for number in self.rare.get(run, ())}
        best = max(candidates, key=lambda number: _jaccard(runs, self.texts[number][2]), default=None)
        if best is None:
            return None
        sample, found, others = self.texts[best]
        likeness = _jaccard(runs, others)
        return Near(sample, found, where, text, likeness) if likeness >= self.threshold else None


def _jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    return len(one & other) / len(one | other)


def samples_of(found: Iterable[Near]) -> int:
    """How many samples of the benchmark are affected."""
    return len({near.sample for near in found})
