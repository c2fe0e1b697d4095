"""What a card says, and who says so. Nothing here loads anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextgpt.messages import Modality

PACKED = ".gz"
NOT_CONFIRMED = "not confirmed"
# What a card claims of somebody else's data, each to be looked up.
FACTS = ("paper", "origin", "licence", "samples", "references", "scored")
# What several cards of one kind share.
CAPTION_METRICS = ("cider_d", "bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l")
CHOICE_METRICS = ("choice_accuracy", "choice_unparsed")
EXACT_METRICS = ("exact_match", "exact_match_normalized")


@dataclass(frozen=True)
class DataFile:
    """One file of a data set, as its owners publish it.

    Attributes:
        role: what it is to the reader: ``questions``, ``annotations``, ``captions``.
        names: what it may be called below the data set's folder, the official name first; each may also be
            gzipped.
        records: how many records the official file holds, of all its splits: lines of a table, objects of the
            longest list of a JSON file; None where nobody counted.
        optional: whether the reader does without it.
        others: how many the files hold that are easily taken for it: another version's, another split's.
        counted: the document that states `records`, where these are not the card's samples.
    """

    role: str
    names: tuple[str, ...]
    records: int | None = None
    optional: bool = False
    others: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    counted: str = ""

    def find(self, folder: Path) -> Path | None:
        """The first of its names that is a file below `folder`; None where there is none.

        >>> DataFile("captions", ("captions.json",)).find(Path("nowhere")) is None
        True
        """
        candidates = (folder / f"{name}{ending}" for name in self.names for ending in ("", PACKED))
        return next((path for path in candidates if path.is_file()), None)


@dataclass(frozen=True)
class BenchmarkEntry:
    """A benchmark: where it is found, and what a person must know before running it.

    Attributes:
        name: unique, safe as a folder name.
        family: the task, and the tests it runs under.
        about: one line.
        target: ``package.module:attribute``; of this project's own it follows from room, task and name.
        room: where its task stands below ``benchmarks/tasks``.
        task: the module there, where it is not called as the benchmark is.
        paper: authors, title, where.
        origin: where the files are published.
        revision: which publication of them is meant.
        licence: terms of annotations, and of media where they differ.
        language: of questions and references, ISO 639-1.
        split: which part of the data set.
        samples: official count; None where the folder given decides.
        references: what an answer is held against, as many as its owners give.
        scored: how its owners score answers, and what differs here.
        accepts, produces: modalities in and out.
        metrics: what is measured.
        headline: the one of them that stands for the others.
        folder: the data set's folder below ``--data``, where that holds many.
        files: the official files.
        media: folders, below the data set's, that pictures, clips and sounds may lie in.
        superseded_by: what to use instead; empty where nothing is better.
        sources: names of `FACTS`, and the document that states them; what no document was found for is
            `unconfirmed`.
    """

    name: str
    family: str
    about: str
    target: str = ""
    room: str = ""
    task: str = ""
    paper: str = ""
    origin: str = ""
    revision: str = ""
    licence: str = ""
    language: str = "en"
    split: str = ""
    samples: int | None = None
    references: str = ""
    scored: str = ""
    accepts: tuple[Modality, ...] = ("text",)
    produces: tuple[Modality, ...] = ("text",)
    metrics: tuple[str, ...] = ()
    headline: str = ""
    folder: str = ""
    files: tuple[DataFile, ...] = ()
    media: tuple[str, ...] = ()
    superseded_by: str = ""
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Say where its task stands, where the card does not."""
        name = self.name.replace("-", "_")
        if not self.target:
            where = f"benchmarks.tasks.{self.room}.{self.task or name}:{name.upper()}"
            object.__setattr__(self, "target", where)

    def source(self, fact: str) -> str:
        """The document that states a fact; empty where none was found.

        >>> BenchmarkEntry("riddles", "vqa", "", sources={"samples paper": "Sphinx"}).source("paper")
        'Sphinx'
        """
        return next((where for facts, where in self.sources.items() if fact in facts.split()), "")

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Facts that the card claims, though no document was found that states them.

        >>> BenchmarkEntry("riddles", "vqa", "", samples=3, paper="Sphinx").unconfirmed
        ('paper', 'samples')
        """
        return tuple(fact for fact in FACTS if getattr(self, fact) and not self.source(fact))

    def confirmed(self, file: DataFile) -> bool:
        """Whether some document states how many records a file has."""
        return bool(file.counted or (file.records == self.samples and self.source("samples")))

    def inside(self, data: Path) -> Path:
        """The data set's folder: the one of its name below `data`, or else `data` itself."""
        named = data / self.folder
        return named if self.folder and named.is_dir() else data

    def here(self, data: Path) -> bool:
        """Whether all that the reader needs lies below `data`; media are not looked at one by one."""
        folder = self.inside(data)
        files = all(file.optional or file.find(folder) is not None for file in self.files)
        stand_in = any(file.role.startswith("real ") and file.find(folder) for file in self.files)
        media = not self.media or any((folder / name).is_dir() for name in self.media)
        return files and (media or stand_in)
