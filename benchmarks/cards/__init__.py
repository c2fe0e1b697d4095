"""Cards: what each published benchmark is and where its data come from, in words that load at once.

The files beside hold one card for each benchmark of their kind; how its files are read and what is asked
stands in its task, which the card names. What a card claims of somebody else's data (`FACTS`) stands there
with the document that states it; what no document was found for is shown as not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.cards.any_to_any import ANY_TO_ANY
from benchmarks.cards.entry import FACTS, NOT_CONFIRMED, BenchmarkEntry, DataFile
from benchmarks.cards.generation import GENERATION
from benchmarks.cards.images import IMAGES
from benchmarks.cards.judging import JUDGING
from benchmarks.cards.photographs import PHOTOGRAPHS
from benchmarks.cards.sounds import SOUNDS
from benchmarks.cards.toyworld import TOYWORLD, TOYWORLD_MEDIA
from benchmarks.cards.videos import VIDEOS

__all__ = ["CARDS", "FACTS", "NOT_CONFIRMED", "BenchmarkEntry", "DataFile", "card"]

CARDS: Mapping[str, BenchmarkEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            *TOYWORLD,
            *TOYWORLD_MEDIA,
            *IMAGES,
            *VIDEOS,
            *SOUNDS,
            *GENERATION,
            *ANY_TO_ANY,
            *JUDGING,
            *PHOTOGRAPHS,
        )
    }
)


def card(name: str) -> BenchmarkEntry:
    """The card of that name.

    >>> card("okvqa").samples
    5046
    """
    return CARDS[name]
