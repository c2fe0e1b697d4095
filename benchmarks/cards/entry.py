"""What a card says. Nothing here loads anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextgpt.messages import Modality

PACKED = ".gz"
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
    """

    role: str
    names: tuple[str, ...]
    records: int | None = None
    optional: bool = False

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
        target: ``package.module:attribute``.
        paper: authors, title, where.
        origin: where the files are published.
        revision: which publication of them is meant.
        licence: terms of annotations, and of media where they differ.
        language: of questions and references, ISO 639-1.
        split: which part of the data set.
        samples: official count; None where the folder given decides.
        accepts, produces: modalities in and out.
        metrics: what is measured.
        headline: the one of them that stands for the others.
        folder: the data set's folder below ``--data``, where that holds many.
        files: the official files.
        media: folders, below the data set's, that pictures, clips and sounds may lie in.
        superseded_by: what to use instead; empty where nothing is better.
    """

    name: str
    family: str
    about: str
    target: str
    paper: str = ""
    origin: str = ""
    revision: str = ""
    licence: str = ""
    language: str = "en"
    split: str = ""
    samples: int | None = None
    accepts: tuple[Modality, ...] = ("text",)
    produces: tuple[Modality, ...] = ("text",)
    metrics: tuple[str, ...] = ()
    headline: str = ""
    folder: str = ""
    files: tuple[DataFile, ...] = ()
    media: tuple[str, ...] = ()
    superseded_by: str = ""

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
