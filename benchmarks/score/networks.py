"""The networks that generated media are shown to: those that are at hand, and features of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import registry
from benchmarks.harness.progress import progress
from benchmarks.score.generated import Generated, Scored
from benchmarks.score.sets import Features, Rows
from benchmarks.tasks.official import DataError
from nextgpt.media import Image, MediaError

BATCH = 32  # pictures that are open at a time


@dataclass(frozen=True)
class Network:
    """An extractor that is at hand, as it was asked for; `cached` computes nothing twice."""

    asked: str
    source: Any
    cached: Any

    @property
    def name(self) -> str:
        """Which it is, wherever its weights are."""
        return self.asked.partition(":")[0]

    @property
    def embeds(self) -> bool:
        """Whether it puts texts beside pictures."""
        return hasattr(self.source, "texts")

    def features(
        self, files: Mapping[str, Path], folder: Path | None, lost: list[str] | None = None
    ) -> dict[str, Features]:
        """A row for each picture by its name; what can't be read is an error, or appended to `lost`."""
        found: dict[str, Features] = {}
        names = list(files)
        title = f"{self.name} on {folder.name if folder else 'pictures'}"
        with progress(title, len(names)) as tick:
            for start in range(0, len(names), BATCH):
                opened = {}
                for name in names[start : start + BATCH]:
                    try:
                        opened[name] = Image.open(files[name]).pixels
                    except MediaError:
                        if lost is None:
                            raise
                        lost.append(name)
                    tick(1)
                found.update(zip(opened, self.cached.features([*opened.values()]), strict=True))
        return found


def networks(asked: Generated, scored: Scored, *, embeds: bool = False) -> Iterator[Network]:
    """The extractors that are at hand; a note for each that is not, or that is of no use here."""
    from metrics.extractors import CachedExtractor, MissingWeightsError

    for name in asked.extractors:
        options = {"resize": asked.resize} if asked.resize and name.startswith("inception") else {}
        try:
            source = registry.load_extractor(name, **options)
        except MissingWeightsError as error:
            scored.notes.append(str(error))
            continue
        if embeds and not hasattr(source, "texts"):
            scored.notes.append(f"metrics of {asked.family} by {name}, which reads no texts")
            continue
        yield Network(name, source, CachedExtractor(source, asked.cache))


def check_networks(asked: Generated, media: Sequence[str]) -> None:
    """Refuses what would be of no use, before anything is computed.

    Args:
        asked: names the networks.
        media: what its family's networks look at or listen to.

    Raises:
        DataError: a network for other media, an unknown way to resize, or one that no network takes.
    """
    from metrics.extractors.pictures import RESIZES

    for name in asked.extractors:
        entry = registry.EXTRACTORS.get(name.partition(":")[0])
        if entry is not None and entry.media not in media:
            fitting = ", ".join(each.name for each in registry.EXTRACTORS.values() if each.media in media)
            about = " and ".join(media)
            raise DataError(f"{name} takes {entry.media}, {asked.family} is about {about}: use {fitting}.")
    if asked.resize is not None and asked.resize not in RESIZES:
        raise DataError(f"unknown --resize {asked.resize!r}; there are {', '.join(RESIZES)}.")
    if asked.resize is not None and not any(name.startswith("inception") for name in asked.extractors):
        raise DataError("--resize is for the extractor inception, which is not among those asked for.")


def picture_features(
    network: Network, asked: Generated, files: Mapping[str, Path], absent: Sequence[str]
) -> tuple[dict[str, Features], Rows]:
    """The predictions' features by name, and the rows that they will make."""
    lost = list(absent)
    found = network.features(files, asked.predictions, lost if asked.allow_missing else None)
    if not found:
        raise DataError(f"{asked.predictions}: none of {len(files)} files can be read; make them again.")
    return found, Rows(asked.family, asked.predictions.resolve().name, len(lost))
