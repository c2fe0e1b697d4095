"""What a benchmark is: samples, metrics, and the protocol that makes its numbers comparable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from nextgpt.messages import Message, Modality, Request

if TYPE_CHECKING:
    from metrics.metric import Metric

Family = Literal[
    "image-captioning",
    "vqa",
    "video-captioning",
    "video-qa",
    "audio-captioning",
    "text-to-image",
    "text-to-video",
    "text-to-audio",
    "editing",
    "any-to-any",
    "judging",
]


def _no_hints() -> Mapping[str, str]:
    return MappingProxyType({})


class BenchmarkError(ValueError):
    """A benchmark that contradicts itself; the message says where."""


@dataclass(frozen=True)
class Shard:
    """One of several parts that a benchmark's samples fall into, by their groups and nothing else.

    The plan is the same on every machine that reads the same data, and what is clustered, such as all
    questions about one picture, stays together.

    Attributes:
        index: which part, from 1.
        of: number of parts.

    Example:
        >>> Shard.parse("3/16")
        Shard(index=3, of=16)
        >>> Shard.parse("0/16")
        Traceback (most recent call last):
        benchmarks.harness.benchmark.BenchmarkError: '0/16' is no shard; write 3/16 for the third of sixteen
    """

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that is written ``3/16``.

        Raises:
            BenchmarkError: it is written differently, or there is no such part.
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise BenchmarkError(f"{text!r} is no shard; write 3/16 for the third of sixteen")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"

    @staticmethod
    def holding(sample: Sample | Broken, of: int) -> Shard:
        """The part that a sample belongs to; a broken record, whose group nobody knows, goes by its id."""
        key = sample.group if isinstance(sample, Sample) else sample.id
        return Shard(int.from_bytes(sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]) % of + 1, of)


@dataclass(frozen=True)
class Options:
    """What a person may choose when samples are loaded.

    Attributes:
        data: folder of the data set's official files; None for benchmarks that make their own.
        limit: load the first so many samples only; None for all.
        shard: of these, the samples of one part only; None for all.
    """

    data: Path | None = None
    limit: int | None = None
    shard: Shard | None = None


@dataclass(frozen=True)
class Sample:
    """One question put to a system, with what the answer is held against.

    Attributes:
        id: unique within its benchmark and the same on every machine; the seed comes from it.
        request: what the system sees. Its seed and hints are filled in by the run.
        references: what metrics compare with: ``captions`` tuple of str, ``annotation`` dict in VQA v2
            form, ``scene`` toyworld Scene, ``image`` Image, ``prompt`` str.
        group: what the sample is clustered in, such as its image; intervals resample groups.
        hints: truths that only an attribution run gives away, by key ``caption`` and ``plan``.
    """

    id: str
    request: Request
    references: Mapping[str, Any]
    group: str
    hints: Mapping[str, str] = field(default_factory=_no_hints)


@dataclass(frozen=True)
class Broken:
    """A record of the data that can't be loaded; it is recorded as that sample's failure.

    Attributes:
        id: the id that the sample would have had.
        reason: one line that names the file and says what is wrong with it.
    """

    id: str
    reason: str


@dataclass(frozen=True)
class MetricUse:
    """How one benchmark uses one metric.

    Attributes:
        name: the metric's name in tables, such as ``cider_d``.
        make: builds the metric; called when scoring starts, so heavy imports belong in it.
        prediction: picks from an answer what the metric judges, such as its text. For a failed sample
            under ``failure="wrong"`` it is handed an assistant message without parts. None under
            ``failure="left-out"`` says that there is nothing to judge: no picture in the answer.
        reference: picks from a sample what the metric compares with.
        failure: ``wrong`` scores a failed sample 0 where the metric is a mean of items, and as an empty
            answer where it is computed from counts over all of them (BLEU); ``left-out`` leaves it out, for
            metrics of whole sets that have no value for "nothing". Either is counted and printed.
        network: the registry's extractor that the metric looks through; empty where it needs none.
    """

    name: str
    make: Callable[[], Metric[Any]]
    prediction: Callable[[Message], Any]
    reference: Callable[[Sample], Any]
    failure: Literal["wrong", "left-out"] = "wrong"
    network: str = ""


@dataclass(frozen=True)
class Benchmark:
    """Samples, metrics and protocol. Changing any of them changes `version`.

    Attributes:
        name: unique, safe as a folder name, such as ``toyworld-vqa``.
        family: the task, and the tests it runs under.
        version: raised by whoever changes anything that can move a number.
        source: where its data come from.
        licence: and under which terms.
        protocol: prompt, split, sample count, decoding: everything a number depends on.
        load: yields samples in a fixed order, and `Broken` for records that can't be loaded.
        metrics: what is measured.
        headline: the name of the one metric that the regression gate holds.
        accepts: modalities a system must accept to take part.
        produces: modalities it must produce.
        slices: names the part of the benchmark that a sample belongs to (``two objects``), or None;
            parts are reported beside the whole. What a metric counts over all items (CIDEr-D's document
            frequencies) it counts over the whole for a part too.
        note: what a reader of its numbers must know; no number depends on it.
        origin: where its code stands, ``package.module:NAME``, if not in this project; the registry sets it.
    """

    name: str
    family: Family
    version: int
    source: str
    licence: str
    protocol: Mapping[str, str | int | float]
    load: Callable[[Options], Iterable[Sample | Broken]]
    metrics: tuple[MetricUse, ...]
    headline: str
    accepts: frozenset[Modality]
    produces: frozenset[Modality]
    slices: Callable[[Sample], str | None] | None = None
    note: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        names = [use.name for use in self.metrics]
        if self.headline not in names:
            known = ", ".join(names)
            raise BenchmarkError(f"benchmark {self.name}: headline {self.headline!r} is not one of {known}")
        if len(set(names)) != len(names):
            raise BenchmarkError(f"benchmark {self.name}: a metric name occurs twice in {', '.join(names)}")

    def samples(self, options: Options) -> Iterator[Sample | Broken]:
        """The samples in order, no more than `options.limit`, and of these the ones in `options.shard`.

        Raises:
            BenchmarkError: two samples of the same id.
        """
        seen: set[str] = set()
        for sample in islice(self.load(options), options.limit):
            if sample.id in seen:
                raise BenchmarkError(f"{self.name}: two samples have the id {sample.id!r}; keep one of them")
            seen.add(sample.id)
            if options.shard is None or Shard.holding(sample, options.shard.of) == options.shard:
                yield sample
