"""Scores between any two media by one embedding space, ImageBind's, in the three published aggregations.

`cosines` of whole items is the ImageBind score (text and clip, text and sound, clip and sound); `avh_score`
takes the mean over frames (AVHScore, TAVGBench); `javis_score` takes the frames that fit worst in each of
overlapping windows (JavisScore, JavisBench). None is scaled; some print them times 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths, check_name
from metrics.pairs.alignment import Recording
from metrics.pairs.similarity import cosines

Embeddings = NDArray[np.floating]
Aggregation = Literal["whole", "frames", "windows"]
WINDOW, OVERLAP, LOWEST = 2.0, 1.5, 0.4  # seconds, seconds, share of a window's frames


class MediaEmbedder(Protocol):
    """What puts media of all kinds into one space; see `benchmarks.registry.EXTRACTORS`, ``imagebind``."""

    @property
    def signature(self) -> str:
        """The network, its weights and its preprocessing."""

    def media(self, items: Sequence[Any]) -> Embeddings:
        """One embedding of each medium or text, [N, D]."""

    def frames(self, recording: Recording) -> Embeddings:
        """One embedding of each frame of a clip, as of a picture, [T, D]."""

    def windows(self, recording: Recording, spans: Sequence[tuple[float, float]]) -> Embeddings:
        """One embedding of the sound in each span of seconds, [M, D]."""


def avh_score(frames: ArrayLike, sound: ArrayLike) -> float:
    """AVHScore of one clip: the mean cosine of its frames with its sound.

    Args:
        frames: embeddings of the frames, [T, D].
        sound: embedding of the whole sound, [D].

    Raises:
        MetricInputError: as `metrics.pairs.similarity.cosines`.

    >>> avh_score([[1.0, 0.0], [0.0, 2.0]], [3.0, 0.0])
    0.5
    """
    rows = np.asarray(frames)
    return float(cosines(rows, np.broadcast_to(np.asarray(sound), rows.shape)).mean())


def javis_score(
    frames: ArrayLike, sounds: ArrayLike, members: Sequence[Sequence[int]], *, lowest: float = LOWEST
) -> float:
    """JavisScore of one clip: of each window of time, the frames that fit its sound worst; their mean.

    Args:
        frames: embeddings of the frames, [T, D].
        sounds: embedding of the sound in each window, [M, D].
        members: which frames each window holds, M lists of places.
        lowest: share of a window's frames, rounded down, that counts: those of the lowest cosine.

    Raises:
        MetricInputError: no window, one in which so small a share is no frame, or as `cosines`.

    >>> frames = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [3.0, 4.0], [1.0, 0.0]]
    >>> round(javis_score(frames, [[1.0, 0.0]], [range(5)]), 6)  # two of five: 0 and 0.6
    0.3
    """
    rows, heard = np.asarray(frames), np.asarray(sounds)
    check_lengths("javis_score", heard, members)
    worst = []
    for number, places in enumerate(members):
        kept = int(len(places) * lowest)
        if kept < 1:
            raise MetricInputError(f"window {number} has {len(places)} frames; {lowest:g} of them is none")
        inside = rows[list(places)]
        fits = cosines(inside, np.broadcast_to(heard[number], inside.shape))
        worst.append(float(np.sort(fits)[:kept].mean()))
    if not worst:
        raise MetricInputError("javis_score: no window; give a clip of at least one frame")
    return float(np.mean(worst))


def window_spans(
    seconds: float, *, window: float = WINDOW, overlap: float = OVERLAP
) -> list[tuple[float, float]]:
    """Windows of time over a clip, in seconds; the last ends within it, and a short clip is one window.

    >>> window_spans(3.0)
    [(0.0, 2.0), (0.5, 2.5), (1.0, 3.0)]
    """
    step = window - overlap
    count = max(1, int((seconds - window + 1e-9) // step) + 1)
    return [(number * step, min(seconds, number * step + window)) for number in range(count)]


def window_members(count: int, fps: float, spans: Sequence[tuple[float, float]]) -> list[list[int]]:
    """The frames, of so many at so many a second, that begin in each span.

    >>> window_members(6, 2.0, [(0.0, 2.0), (0.5, 2.5)])
    [[0, 1, 2, 3], [1, 2, 3, 4]]
    """
    return [[k for k in range(count) if start - 1e-9 <= k / fps < end - 1e-9] for start, end in spans]


class ImageBindScore(MeanMetric):
    """Cosine of media in one space, over whole items or over frames and windows of clips with sound.

    Args:
        embedder: see `MediaEmbedder`.
        aggregation: ``whole`` is the ImageBind score of a prediction and its reference, media or texts;
            ``frames`` is AVHScore and ``windows`` JavisScore of a `Recording`, whose references are not
            looked at.

    Raises:
        MetricInputError: an unknown aggregation.

    >>> from types import SimpleNamespace
    >>> network = SimpleNamespace(signature="toy", media=np.asarray)
    >>> metric = ImageBindScore(network)
    >>> metric.statistics([[3.0, 4.0]], [[0.0, 1.0]]).tolist(), metric.signature
    ([0.8], 'imagebind_score|model:toy|mean:whole items|scale:1|v:1')
    """

    higher_is_better = True
    least = -1.0

    def __init__(self, embedder: MediaEmbedder, aggregation: Aggregation = "whole") -> None:
        check_name("aggregation", aggregation, get_args(Aggregation))
        self.embedder, self.aggregation = embedder, aggregation
        self.name = {"whole": "imagebind_score", "frames": "avh_score", "windows": "javis_score"}[aggregation]

    @property
    def signature(self) -> str:
        """How cosines are put together."""
        windows = f"windows:{WINDOW:g}s,overlap:{OVERLAP:g}s,lowest:{LOWEST:g}"
        how = {"whole": "mean:whole items", "frames": "mean:frames", "windows": windows}[self.aggregation]
        return f"{self.name}|model:{self.embedder.signature}|{how}|scale:1|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The score of each item, [N].

        Raises:
            MetricInputError: different lengths, or an item that is no `Recording` where one is needed.
        """
        if self.aggregation == "whole":
            check_lengths(self.name, predictions, references)
            return cosines(self.embedder.media(predictions), self.embedder.media(references))
        return np.array([self._of(number, item) for number, item in enumerate(predictions)], dtype=np.float64)

    def _of(self, number: int, item: Any) -> float:
        if not isinstance(item, Recording):
            raise MetricInputError(
                f"{self.name}: item {number} is {type(item).__name__}; give a Recording of picture and sound"
            )
        frames, seconds = self.embedder.frames(item), len(item.frames) / item.fps
        if self.aggregation == "frames":
            return avh_score(frames, self.embedder.windows(item, [(0.0, seconds)])[0])
        spans = window_spans(seconds)
        sounds = self.embedder.windows(item, spans)
        return javis_score(frames, sounds, window_members(len(item.frames), item.fps, spans))
