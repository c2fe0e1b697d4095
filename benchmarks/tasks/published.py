"""Published benchmarks: a card, a reader of official files and a protocol become a `Benchmark`.

A reader yields a `Record` for each question: what is said, media by their names, and references. Records
are cheap: 214,354 of them are indexed in seconds, and checked, counted or listed without a medium being
decoded. What is wrong with one record is a `Broken` in its place; what a whole run stands on is a
`DataError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.cards import BenchmarkEntry
from benchmarks.harness.benchmark import Benchmark, Broken, MetricUse, Options, Sample
from benchmarks.tasks.official import DataError
from benchmarks.tasks.stored import Stored, open_stored
from nextgpt.media import MediaError
from nextgpt.messages import Modality, Request, user

_OPEN = 2  # media that are kept open: the questions about one of them mostly follow each other


@dataclass(frozen=True, slots=True)
class Record:
    """A question of a data set, its media not yet opened.

    Attributes:
        id: unique within the benchmark.
        said: what the person says, text and media in order.
        references: as in `Sample`; media here too are opened when the sample is reached.
        group: what it is clustered in, such as its picture.
        wanted: modalities wanted back, where it is not the same for all.
    """

    id: str
    said: tuple[str | Stored, ...]
    references: Mapping[str, Any]
    group: str
    wanted: frozenset[Modality] | None = None

    @property
    def media(self) -> Iterator[Stored]:
        """The media that it needs, those of its references included."""
        return (part for part in (*self.said, *self.references.values()) if isinstance(part, Stored))


@dataclass(frozen=True)
class Files:
    """The official files of one data set, as they lie in a folder.

    >>> Files(BenchmarkEntry("x", "vqa", "", ""), Path(".")).path("questions")
    Traceback (most recent call last):
    ...
    benchmarks.tasks.official.DataError: x knows no file of questions.
    """

    entry: BenchmarkEntry
    folder: Path

    def path(self, role: str) -> Path:
        """The file of that role.

        Raises:
            DataError: it is not there; the message names it and where it is published.
        """
        found = self.optional(role)
        if found is None:
            names = next((file.names for file in self.entry.files if file.role == role), None)
            if names is None:
                raise DataError(f"{self.entry.name} knows no file of {role}.")
            raise DataError(
                f"{self.folder / names[0]}: no such file; fetch {self.entry.name}'s {role} from "
                f"{self.entry.origin}, or check --data."
            )
        return found

    def optional(self, role: str) -> Path | None:
        """The file of that role, None where it is not there."""
        return next((file.find(self.folder) for file in self.entry.files if file.role == role), None)


Reader = Callable[[Files], Iterable[Record | Broken]]


@dataclass(frozen=True)
class OfficialData:
    """A data set in its owners' files: what `Benchmark.load` calls.

    Attributes:
        entry: its card.
        read: from files to records.
        fps: frames that are kept of a clip's second; None for all.
    """

    entry: BenchmarkEntry
    read: Reader
    fps: float | None = None

    def files(self, options: Options) -> Files:
        """Where the data set lies.

        Raises:
            DataError: no folder was named, or there is no such.
        """
        if options.data is None:
            raise DataError(
                f"{self.entry.name} reads files that you have, published at {self.entry.origin}: "
                "name their folder by --data."
            )
        if not options.data.is_dir():
            raise DataError(
                f"{options.data}: no such folder; {self.entry.name} expects its official files there."
            )
        return Files(self.entry, self.entry.inside(options.data))

    def records(self, options: Options) -> Iterator[Record | Broken]:
        """All records, in the order of the files, no medium opened.

        Raises:
            DataError: a file is missing, cut off or of another kind, or asks something twice.
        """
        yield from self.read(self.files(options))

    def __call__(self, options: Options) -> Iterator[Sample | Broken]:
        """The samples: records with their media, each opened when it is reached."""
        folder = self.files(options).folder
        opened = lru_cache(maxsize=_OPEN)(partial(open_stored, folder, self.entry.media, fps=self.fps))
        wanted = frozenset(self.entry.produces)
        for record in self.records(options):
            if isinstance(record, Broken):
                yield record
                continue
            try:
                said = [opened(part) if isinstance(part, Stored) else part for part in record.said]
                references = {
                    name: opened(value) if isinstance(value, Stored) else value
                    for name, value in record.references.items()
                }
            except MediaError as error:
                yield Broken(record.id, str(error))
                continue
            request = Request((user(*said),), wanted=wanted if record.wanted is None else record.wanted)
            yield Sample(record.id, request, references, record.group)


@dataclass(frozen=True)
class Protocol:
    """How a published benchmark is put and judged.

    Attributes:
        prompt: with ``{names}`` in braces where a record's words go.
        metrics: what is measured.
        slices: as in `Benchmark`.
        version: as in `Benchmark`.
        fps: frames that are kept of a clip's second; None for all.
        more: what else a number depends on.
        note: as in `Benchmark`.
    """

    prompt: str
    metrics: tuple[MetricUse, ...]
    slices: Callable[[Sample], str | None] | None = None
    version: int = 1
    fps: float | None = None
    more: Mapping[str, str | int | float] = field(default_factory=lambda: MappingProxyType({}))
    note: str = ""


def published(entry: BenchmarkEntry, read: Reader, protocol: Protocol) -> Benchmark:
    """A benchmark of a card, a reader and a protocol; its data are looked for when samples are asked for.

    Raises:
        BenchmarkError: the card's headline is none of the metrics.
    """
    said: dict[str, str | int | float] = {"prompt": protocol.prompt, "split": entry.split, **protocol.more}
    if entry.samples is not None:
        said["samples"] = entry.samples
    if protocol.fps is not None:
        said["frames per second"] = protocol.fps
    return Benchmark(
        name=entry.name,
        family=entry.family,  # type: ignore[arg-type]  # the registry's test holds it among the families
        version=protocol.version,
        source=f"{entry.origin}, {entry.revision}",
        licence=entry.licence,
        protocol=said,
        load=OfficialData(entry, read, protocol.fps),
        metrics=protocol.metrics,
        headline=entry.headline,
        accepts=frozenset(entry.accepts),
        produces=frozenset(entry.produces),
        slices=protocol.slices,
        note=protocol.note,
    )


def slice_by(name: str) -> Callable[[Sample], str | None]:
    """What names a sample's slice: its reference of that name, None where it has none."""

    def of(sample: Sample) -> str | None:
        found = sample.references.get(name)
        return None if found is None else str(found)

    return of
