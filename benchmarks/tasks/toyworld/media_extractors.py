"""Distances and likenesses of clips and sounds over toyworld's own networks, which no judged system contains.

Their names are those of the published metrics, their signatures name the network: a value over a network of
this world is comparable with values over the same network alone. All leave out a sample without its medium,
and say how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.tasks.official import reference
from metrics.extractors.cache import CachedExtractor
from nextgpt.messages import Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metrics.metric import Metric

WEIGHTS = Path(str(files("toyworld"))) / "weights"


def clip_uses() -> tuple[MetricUse, ...]:
    """FVD's distance against the true clips, and CLIPSIM with the captions that were asked for."""
    return (
        MetricUse("fvd", _fvd, _frames, _true_frames, failure="left-out"),
        MetricUse("clipsim", _clipsim, _frames, reference("prompt"), failure="left-out"),
    )


def sound_uses() -> tuple[MetricUse, ...]:
    """FAD and KAD against the true sounds, KL to the true sound, and CLAP score with the caption."""
    true = reference("audio")
    return (
        MetricUse("fad", _fad, _sound, true, failure="left-out"),
        MetricUse("kad", _kad, _sound, true, failure="left-out"),
        MetricUse("kl_reference_prediction", _kl, _sound, true, failure="left-out"),
        MetricUse("clap_score", _clap_score, _sound, reference("prompt"), failure="left-out"),
    )


class Clips:
    """A network that sees a clip at once.

    Args:
        embedder: see `nextgpt.encoding.embedding.MediaEmbedder`.
    """

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder

    @property
    def signature(self) -> str:
        """For example `imagebind:clip_extractor@1a2b3c4d,whole clips`."""
        return f"{self._embedder.signature},whole clips"

    def features(self, clips: Sequence[Any]) -> NDArray[np.floating]:
        """One embedding of each clip, uint8 [T, H, W, 3], however many seconds it is meant to take."""
        import numpy as np

        from nextgpt.media import Video
        from toyworld.clips.render import FPS, FRAMES

        shown = [Video(np.asarray(frames), FPS * len(frames) / FRAMES) for frames in clips]
        found: NDArray[np.floating] = self._embedder.media(shown)
        return found

    def texts(self, texts: Sequence[str]) -> NDArray[np.floating]:
        """One embedding of each text, [N, D]."""
        found: NDArray[np.floating] = self._embedder.media(list(texts))
        return found


class WholeClips(CachedExtractor):
    """`Clips`, each seen once for all metrics, where they ask for the embeddings of a clip's frames."""

    def images(self, pictures: Sequence[Any]) -> NDArray[np.floating]:
        """The one embedding of a clip's frames, [1, D]."""
        return self.features([pictures])


class OneEvent:
    """A sound's likeness to each of the world's sounds of one event, as probabilities: a classifier.

    A CLAP classifies by its texts, as in CLIP's zero-shot classification: softmax of the cosines with the
    descriptions, times the scale that the network learnt.

    Args:
        clap: what embeds sounds and texts.
        scale: the network's own.
    """

    def __init__(self, clap: Any, scale: float) -> None:
        self._clap, self._scale = clap, scale

    @property
    def signature(self) -> str:
        """For example `clap:sound_extractor@1a2b3c4d,...,zero-shot:48 events,scale:14.3`."""
        return f"{self._clap.signature},zero-shot:{len(_events())} events,scale:{self._scale:.3g}"

    def probabilities(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """One distribution over the events for each sound, float64 [N, 48]."""
        from scipy.special import softmax

        likeness = self._clap.sounds(items) @ self._clap.texts(_events()).T
        found: NDArray[np.float64] = softmax(self._scale * likeness.astype(float), axis=1)
        return found


def _events() -> list[str]:
    """The descriptions of all sounds of one event."""
    from itertools import product

    from toyworld.sounds.language import describe
    from toyworld.sounds.sound import LOUDNESSES, MOST_REPEATS, PITCHES, TIMBRES, Event, Sound

    every = product(TIMBRES, PITCHES, LOUDNESSES, range(1, MOST_REPEATS + 1))
    return [describe(Sound.of(Event(*each))) for each in every]


@lru_cache(maxsize=1)
def _clips(folder: Path) -> WholeClips:
    """Shared by all metrics of a process."""
    from benchmarks.registry import load_extractor

    return WholeClips(Clips(load_extractor(f"imagebind:{folder}")))


@lru_cache(maxsize=1)
def _sounds(folder: Path) -> CachedExtractor:
    from metrics.extractors.clap import ClapExtractor

    return CachedExtractor(ClapExtractor(folder))


def _fvd() -> Metric[Any]:
    from metrics.sets.metrics import FVD

    return FVD(_clips(WEIGHTS / "clip_extractor"))


def _clipsim() -> Metric[Any]:
    from metrics.pairs.similarity import CLIPSim

    return CLIPSim(_clips(WEIGHTS / "clip_extractor"))


def _fad() -> Metric[Any]:
    from metrics.sets.sounds import FAD

    return FAD(_sounds(WEIGHTS / "sound_extractor"))


def _kad() -> Metric[Any]:
    from metrics.sets.sounds import WindowKAD

    return WindowKAD(_sounds(WEIGHTS / "sound_extractor"))


def _kl() -> Metric[Any]:
    from metrics.pairs.sounds import AudioKL

    clap = _sounds(WEIGHTS / "sound_extractor")
    return AudioKL(OneEvent(clap, clap.extractor.logit_scale))


def _clap_score() -> Metric[Any]:
    from metrics.pairs.sounds import CLAPScore

    return CLAPScore(_sounds(WEIGHTS / "sound_extractor"))


def _frames(answer: Message) -> Any:
    return answer.videos[0].frames if answer.videos else None


def _true_frames(sample: Sample) -> Any:
    return sample.references["video"].frames


def _sound(answer: Message) -> Any:
    return answer.sounds[0] if answer.sounds else None
