"""FID and CLIPScore over toyworld's own extractor: a CLIP trained apart, which no judged system contains.

Both leave out a sample without a picture, and say how many: nothing has no place in a distribution.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.tasks.toyworld.scenes import first_picture
from nextgpt.messages import Message

if TYPE_CHECKING:
    from metrics.extractors.cache import CachedExtractor
    from metrics.extractors.clip import ClipExtractor
    from metrics.metric import Metric

WEIGHTS = Path(str(files("toyworld"))) / "weights" / "extractor"


def fid_use() -> MetricUse:
    """FID of the answers' pictures against the true pictures of the same scenes."""
    return MetricUse("fid", _fid, _pixels, _true_pixels, failure="left-out")


def clip_score_use() -> MetricUse:
    """CLIPScore of each answer's picture with the caption that it was asked for."""
    return MetricUse("clip_score", _clip_score, _pixels, _caption, failure="left-out")


def load(folder: Path | str = WEIGHTS) -> ClipExtractor:
    """The extractor itself, for any pictures."""
    from metrics.extractors.clip import ClipExtractor

    return ClipExtractor(folder)


@lru_cache(maxsize=1)
def _extractor(folder: Path) -> CachedExtractor:
    """Shared by all metrics of a process, so that each picture goes through the network once."""
    from metrics.extractors.cache import CachedExtractor
    from metrics.extractors.clip import ClipExtractor

    return CachedExtractor(ClipExtractor(folder))


def _fid() -> Metric[Any]:
    from metrics.sets.metrics import FID

    return FID(_extractor(WEIGHTS))


def _clip_score() -> Metric[Any]:
    from metrics.pairs.similarity import CLIPScore

    # The extractor learnt captions as they stand; "A photo depicts" is no phrase of this world.
    return CLIPScore(_extractor(WEIGHTS), prompt="")


def _pixels(answer: Message) -> Any:
    picture = first_picture(answer)
    return None if picture is None else picture.pixels


def _true_pixels(sample: Sample) -> Any:
    return sample.references["image"].pixels


def _caption(sample: Sample) -> str:
    return str(sample.references["prompt"])
