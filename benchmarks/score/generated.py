"""What is asked of the scoring of generated media, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.records import Result
from benchmarks.score.material import ARRAYS, missing_names
from benchmarks.tasks.official import DataError
from benchmarks.tasks.real_sets import read_real_set

if TYPE_CHECKING:
    from metrics.sets.real import RealSet


@dataclass(frozen=True)
class Generated:
    """What is scored, and how.

    Attributes:
        family: a key of `benchmarks.score.media.FAMILIES`.
        predictions: folder of generated media, or a file of features.
        references: the same of true ones, or their features' ``mu`` and ``sigma``; None where prompts alone
            are compared with.
        prompts: JSON from the name of each prediction's file to the text that it was asked to show.
        atoms: JSON from the same names to the statements that this text consists of, for judges.
        extractors: names for `load_extractor`; empty for the family's usual ones.
        resize: how pictures reach the Inception network, a key of `metrics.extractors.pictures.RESIZES`.
        cache: folder in which features are kept by the content that they came from.
        allow_missing: leave out predictions that are missing or can't be read, and count them.
    """

    family: str
    predictions: Path
    references: Path | None = None
    prompts: Path | None = None
    extractors: Sequence[str] = ()
    resize: str | None = None
    cache: Path | None = None
    allow_missing: bool = False
    atoms: Path | None = None

    def real_set(self) -> RealSet | None:
        """What the references are where they are a file of features or statistics; None for a folder.

        Raises:
            DataError: such a file that can't be read.
        """
        if self.references is None or self.references.suffix not in ARRAYS:
            return None
        return read_real_set(self.references)


@dataclass
class Scored:
    """Rows, and what a person must know beside them: which weights are missing, and what that disables."""

    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def of_another_network(asked: Generated, network: str, width: int, given: int) -> str:
    """The note that a network can't be held against features that another one made."""
    name = asked.references.name if asked.references else ""
    return f"distances by {network}: its features have {width} numbers, those of {name} {given}"


def absent_names(
    asked: Generated, found: Mapping[str, Any], wanted: Mapping[str, Any], of: Path | None
) -> list[str]:
    """Names that were asked for and are missing.

    Raises:
        DataError: there are some, and nobody allowed it; or predictions that belong to nothing.
    """
    if of is None:
        return []
    missing = missing_names(found, wanted, asked.predictions, of)
    if missing and not asked.allow_missing:
        raise DataError(
            f"{asked.predictions}: {len(found)} predictions for the {len(wanted)} of {of}, without "
            f"{missing[0]}; "
            "make the missing ones, or leave them out by --allow-missing."
        )
    return missing
