"""What made pictures, clips and sounds are judged by: the metrics of the tables, through networks by name.

An extractor is made once in a process and shared by all metrics that look through it. Where its weights are
not at hand, the metric's row says so and has no value. What failed is left out of sets, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.tasks.official import reference
from nextgpt.messages import Message

if TYPE_CHECKING:
    from metrics.metric import Metric


def picture_uses(*, reference_set: bool = True) -> tuple[MetricUse, ...]:
    """FID against a sample's ``image`` or a real set, unless there is none, and CLIPScore with ``prompt``."""
    score = _use("clip_score", _clip_score, "clip", _pixels, reference("prompt"))
    fid = _use("fid", _fid, "inception", _pixels, _true("image", "real fid", lambda image: image.pixels))
    return (fid, score) if reference_set else (score,)


def clip_uses(*, reference_set: bool = True, fvd: bool = False) -> tuple[MetricUse, ...]:
    """CLIPSIM with a sample's ``prompt``, and FID of middle frames, and FVD, against its ``video``.

    FVD looks through I3D, which is not here: an installed package may bring an extractor of that name, whose
    ``features`` takes frames, uint8 [T, H, W, 3], of each clip.
    """
    similarity = _use("clipsim", _clipsim, "clip", _frames, reference("prompt"))
    fid = _use("fid", _fid, "inception", _middle_frame, _true("video", "real fid", _middle))
    if not reference_set:
        return (similarity,)
    both = (similarity, fid)
    true = _true("video", "real fvd", lambda clip: clip.frames)
    return (*both, _use("fvd", _fvd, "i3d", _frames, true)) if fvd else both


def sound_uses(*, reference_set: bool = True) -> tuple[MetricUse, ...]:
    """FAD, FD, Inception Score and KL against a sample's ``audio``, and CLAP with its ``prompt``."""
    clap = _use("clap_score", _clap_score, "clap", _sound, reference("prompt"))
    if not reference_set:
        return (clap,)
    return (
        _use("fad", _fad, "vggish", _sound, _true("audio", "real fad")),
        _use("fd", _fd, "panns", _sound, _true("audio", "real fd")),
        _use("audio_inception_score", _inception_score, "panns", _sound, _true("audio", "real fd")),
        _use("kl_reference_prediction", _kl, "panns", _sound, _true("audio", "")),
        clap,
    )


def edit_picture_uses() -> tuple[MetricUse, ...]:
    """CLIP-T with a sample's ``prompt``, and FID against its ``source``."""
    return (
        _use("clip_t", _clip_t, "clip", _pixels, reference("prompt")),
        _use("fid", _fid, "inception", _pixels, lambda sample: sample.references["source"].pixels),
    )


def edit_clip_uses() -> tuple[MetricUse, ...]:
    """CLIP-T of the middle frame with a sample's ``prompt``, CLIP-I of it with the ``source``'s."""
    source = "source"
    return (
        _use("clip_t", _clip_t, "clip", _middle_frame, reference("prompt")),
        _use("clip_i", _clip_i, "clip", _middle_frame, lambda sample: _middle(sample.references[source])),
    )


def edit_sound_uses() -> tuple[MetricUse, ...]:
    """Mel-cepstral distortion to a sample's ``target``; it needs no network."""
    return (MetricUse("mcd_dtw", _distortion, _sound, reference("target"), failure="left-out"),)


def _use(
    name: str,
    make: Callable[[str], Metric[Any]],
    network: str,
    prediction: Callable[[Message], Any],
    true: Callable[[Sample], Any],
) -> MetricUse:
    return MetricUse(name, partial(make, network), prediction, true, failure="left-out", network=network)


@lru_cache(maxsize=8)
def _extractor(name: str, **options: Any) -> Any:
    from benchmarks.registry import load_extractor
    from metrics.extractors.cache import CachedExtractor

    return CachedExtractor(load_extractor(name, **options))


@lru_cache(maxsize=1)
def _classifier(name: str) -> Any:
    from benchmarks.registry import load_extractor

    return load_extractor(name, layer="logits")


def _fid(network: str) -> Metric[Any]:
    from metrics.sets.metrics import FID

    return FID(_extractor(network))


def _clip_score(network: str) -> Metric[Any]:
    from metrics.pairs.similarity import CLIPScore

    return CLIPScore(_extractor(network))


def _clipsim(network: str) -> Metric[Any]:
    from metrics.pairs.similarity import CLIPSim

    return CLIPSim(_extractor(network))


def _clip_t(network: str) -> Metric[Any]:
    from metrics.pairs.similarity import CLIPT

    return CLIPT(_extractor(network))


def _clip_i(network: str) -> Metric[Any]:
    from metrics.pairs.similarity import CLIPI

    return CLIPI(_extractor(network))


def _fvd(network: str) -> Metric[Any]:
    from benchmarks.registry import RegistryError
    from metrics.sets.metrics import FVD

    try:
        return FVD(_extractor(network))
    except RegistryError as error:
        raise RegistryError(
            f"no extractor {network} here, which FVD looks through: install a package that brings one, or "
            "score features: `nextgpt-bench score text-to-video --predictions made.npy --references real.npz`"
        ) from error


def _fad(network: str) -> Metric[Any]:
    from metrics.sets.sounds import FAD

    return FAD(_extractor(network))


def _fd(network: str) -> Metric[Any]:
    from metrics.sets.sounds import FD

    return FD(_extractor(network))


def _inception_score(network: str) -> Metric[Any]:
    from metrics.sets.sounds import AudioInceptionScore

    return AudioInceptionScore(_classifier(network))


def _kl(network: str) -> Metric[Any]:
    from metrics.pairs.sounds import AudioKL

    return AudioKL(_classifier(network))


def _clap_score(network: str) -> Metric[Any]:
    from metrics.pairs.sounds import CLAPScore

    return CLAPScore(_extractor(network))


def _distortion() -> Metric[Any]:
    from metrics.pairs.sounds import MelCepstralDistortion

    return MelCepstralDistortion()


def _pixels(answer: Message) -> Any:
    return answer.images[0].pixels if answer.images else None


def _frames(answer: Message) -> Any:
    return answer.videos[0].frames if answer.videos else None


def _middle_frame(answer: Message) -> Any:
    return _middle(answer.videos[0]) if answer.videos else None


def _sound(answer: Message) -> Any:
    return answer.sounds[0] if answer.sounds else None


def _true(
    name: str, real: str, seen: Callable[[Any], Any] = lambda medium: medium
) -> Callable[[Sample], Any]:
    """The real set of that name where one is given, else what is seen of a sample's own true medium.

    None where the true medium is not here, for a set of another metric stands in for it: there is no value.
    """

    def of(sample: Sample) -> Any:
        medium = sample.references.get(name)
        return sample.references.get(real) or (None if medium is None else seen(medium))

    return of


def _middle(clip: Any) -> Any:
    return clip.frames[len(clip.frames) // 2]
