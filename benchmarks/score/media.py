"""Scores of generated media: how far a folder is from another, and how well its items fit their prompts.

Each extractor asked for that is at hand makes rows of its own. Features that another program extracted
(``.npy``, ``.npz``) are scored as they are: FAD and FVD are Fréchet distances of such features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks.score.arrays import score_arrays
from benchmarks.score.clips import score_clips
from benchmarks.score.generated import Generated, Scored
from benchmarks.score.material import ARRAYS, CLIPS, PICTURES, SOUNDS, passed_over
from benchmarks.score.networks import check_networks
from benchmarks.score.pictures import PICTURE_DISTANCES, score_edits, score_pictures
from benchmarks.score.sounds import score_sounds
from benchmarks.score.spaces import EVERY, score_media
from benchmarks.tasks.official import DataError


@dataclass(frozen=True)
class Family:
    """How a family's folders are scored, and its features.

    Attributes:
        media: what its networks look at or listen to.
        extractors: those used where nobody names any.
        score: from what was asked to rows.
        distances: names in `DISTANCES` for given features.
        endings: of the files that count; others are named in a note.
    """

    media: tuple[str, ...]
    extractors: tuple[str, ...]
    score: Callable[[Generated], Scored]
    distances: tuple[str, ...]
    endings: frozenset[str]


def score_generated(asked: Generated) -> Scored:
    """Score a folder of generated media, or a file of their features.

    Raises:
        DataError: a folder without media, files that don't belong together, nothing to compare with.
        MediaError: a file that can't be read; the message names it.
        MetricInputError: features without any distance: not finite, fewer than two, of different widths.
        RegistryError: an extractor of no known name.
    """
    family = FAMILIES[asked.family]
    if asked.predictions.suffix in ARRAYS and family.distances:
        return score_arrays(asked, family.distances)
    compared = (asked.references, asked.prompts, asked.atoms)
    if not any(compared) and asked.family not in _ALONE:
        raise DataError(f"{asked.family}: nothing to compare with; give --references, --prompts, or both.")
    asked = replace(asked, extractors=asked.extractors or family.extractors)
    check_networks(asked, family.media)
    scored = family.score(asked)
    folders = [asked.predictions, asked.references if asked.real_set() is None else None]
    for folder in filter(None, folders):
        scored.notes += passed_over(folder, family.endings)
    return scored


_ALONE = ("text-to-video", "any-media")  # a clip's flicker and its own sound need nothing beside it
_SETS = (*PICTURE_DISTANCES, "cmmd")
FAMILIES: Mapping[str, Family] = {
    "text-to-image": Family(("pictures",), ("inception", "clip"), score_pictures, _SETS, PICTURES),
    "editing": Family(("pictures",), ("clip",), score_edits, _SETS, PICTURES),
    "text-to-video": Family(
        ("pictures", "clips"),
        ("clip",),
        score_clips,
        ("fvd", "fvd_infinity", "kid", "jedi", "precision_recall"),
        CLIPS | PICTURES,
    ),
    "text-to-audio": Family(
        ("sounds",), ("vggish", "panns", "clap"), score_sounds, ("fad", "fad_infinity", "kad"), SOUNDS
    ),
    "any-media": Family(("all media",), ("imagebind",), score_media, (), EVERY),
}
