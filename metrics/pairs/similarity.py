"""How well pictures, videos and texts fit each other, by the cosine of their embeddings.

Functions take embeddings, so they know no networks; the metrics take an extractor that makes them
(`metrics.extractors.ClipExtractor`). All scores depend on the network, the prompt and the scale: a
signature names the three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths

Embeddings = NDArray[np.floating]
PROMPT = "A photo depicts "  # the published CLIPScore's


class Embedder(Protocol):
    """What puts pictures and texts into one space."""

    @property
    def signature(self) -> str:
        """The network, its weights and its preprocessing."""

    def images(self, pictures: Sequence[Any]) -> Embeddings:
        """One embedding per picture, [N, D]."""

    def texts(self, texts: Sequence[str]) -> Embeddings:
        """One embedding per text, [N, D]."""


def cosines(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Cosine of each pair of rows, [N].

    Raises:
        MetricInputError: different shapes, a value that is not finite, or an embedding of length 0, which
            has no direction; the message names the row.

    >>> cosines([[1.0, 0.0], [3.0, 4.0]], [[0.0, 2.0], [6.0, 8.0]]).tolist()
    [0.0, 1.0]
    """
    first, second = _unit(a, "the first embeddings"), _unit(b, "the second embeddings")
    if first.shape != second.shape:
        raise MetricInputError(
            f"embeddings of shapes {first.shape} and {second.shape}; give pairs from one network"
        )
    return np.asarray((first * second).sum(axis=1))


def clip_score_items(images: ArrayLike, texts: ArrayLike, *, weight: float = 2.5) -> FloatArray:
    """CLIPScore of each pair: weight * max(cosine, 0), [N]; `clip_score` says the rest.

    >>> clip_score_items([[1.0, 0.0], [1.0, 0.0]], [[3.0, 4.0], [-1.0, 0.0]]).tolist()
    [1.5, 0.0]
    """
    return weight * np.maximum(cosines(images, texts), 0.0)


def clip_score(images: ArrayLike, texts: ArrayLike, *, weight: float = 2.5) -> float:
    """CLIPScore (Hessel et al. 2021): the mean over pairs of 2.5 * max(cosine, 0).

    Args:
        images: image embeddings, [N, D]; they need not have unit length.
        texts: the paired texts' embeddings, [N, D]; the published score prefixes every text with
            "A photo depicts ".
        weight: the published score's 2.5; others report 1 or 100.

    Raises:
        MetricInputError: as `cosines`.

    >>> clip_score([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]])
    1.25
    """
    return _mean(clip_score_items(images, texts, weight=weight))


def ref_clip_score(images: ArrayLike, texts: ArrayLike, references: Sequence[ArrayLike]) -> float:
    """RefCLIPScore: the mean harmonic mean of CLIPScore and the closest reference's cosine.

    As in the paper, that cosine too is 0 where it is negative (the published code leaves it negative); a
    pair without any likeness scores 0.

    Args:
        images: image embeddings, [N, D].
        texts: the candidate captions' embeddings, [N, D].
        references: embeddings of each item's reference captions, N arrays [R_i, D].

    Raises:
        MetricInputError: as `cosines`, and for an item without references.

    >>> ref_clip_score([[1.0, 0.0]], [[1.0, 0.0]], [[[1.0, 0.0], [0.0, 1.0]]])  # 2 * 2.5 * 1 / (2.5 + 1)
    1.4285714285714286
    """
    return _mean(ref_clip_score_items(images, texts, references))


def ref_clip_score_items(images: ArrayLike, texts: ArrayLike, references: Sequence[ArrayLike]) -> FloatArray:
    """RefCLIPScore of each item, [N]; `ref_clip_score` says the rest.

    >>> ref_clip_score_items([[1.0, 0.0]], [[1.0, 0.0]], [[[1.0, 0.0], [0.0, 1.0]]]).round(4).tolist()
    [1.4286]
    """
    plain, candidates = clip_score_items(images, texts), _unit(texts, "texts")
    check_lengths("ref_clip_score", candidates, references)
    closest = np.empty(len(plain))
    for number, rows in enumerate(references):
        if len(np.asarray(rows)) == 0:
            raise MetricInputError(f"ref_clip_score: item {number} has no reference; give at least one")
        closest[number] = max(
            0.0, float((_unit(rows, f"references of item {number}") @ candidates[number]).max())
        )
    both = plain + closest
    return np.divide(2 * plain * closest, both, out=np.zeros_like(both), where=both > 0)


def clipsim_items(videos: Sequence[ArrayLike], texts: ArrayLike) -> FloatArray:
    """CLIPSIM of each video: the mean cosine of its frames with its text, [N]; `clipsim` says the rest.

    >>> clipsim_items([[[1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]], [[1.0, 0.0], [1.0, 0.0]]).tolist()
    [1.0, 0.5]
    """
    prompts = _unit(texts, "texts")
    check_lengths("clipsim", videos, prompts)
    items = np.empty(len(prompts))
    for number, frames in enumerate(videos):
        if len(np.asarray(frames)) == 0:
            raise MetricInputError(
                f"clipsim: video {number} has no frames; count it as a failure or leave it out"
            )
        items[number] = (_unit(frames, f"frames of video {number}") @ prompts[number]).mean()
    return items


def clipsim(videos: Sequence[ArrayLike], texts: ArrayLike) -> float:
    """CLIPSIM: the cosine of every frame with the text, averaged in the video and then over videos.

    A long video counts as much as a short one. No clamp, no prompt, scale 1 (others print times 100).

    Args:
        videos: frame embeddings, N arrays [T_i, D].
        texts: text embeddings, [N, D].

    Raises:
        MetricInputError: a video without frames, different numbers of videos and texts, or as `cosines`.

    >>> clipsim([[[1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]], [[1.0, 0.0], [1.0, 0.0]])
    0.75
    """
    return _mean(clipsim_items(videos, texts))


class CLIPScore(MeanMetric):
    """CLIPScore of pictures with texts; either side may be the prediction.

    Args:
        embedder: the network.
        prompt: put before every text; the published score's by default, "" for none.
        weight: of the cosine.

    >>> from types import SimpleNamespace
    >>> network = SimpleNamespace(signature="toy", images=np.array, texts=lambda said: np.eye(len(said)))
    >>> metric = CLIPScore(network, prompt="")
    >>> metric.statistics([[3.0, 0.0], [4.0, 0.0]], ["a cat", "a dog"]).tolist(), metric.signature
    ([2.5, 0.0], 'clip_score|model:toy|prompt:none|w:2.5|clamp:0|v:1')
    """

    name = "clip_score"
    higher_is_better = True
    least = 0.0

    def __init__(self, embedder: Embedder, *, prompt: str = PROMPT, weight: float = 2.5) -> None:
        self.embedder, self.prompt, self.weight = embedder, prompt, weight

    @property
    def signature(self) -> str:
        """For example `clip_score|model:clip:...|prompt:"A photo depicts "|w:2.5|clamp:0|v:1`."""
        prompt = f'"{self.prompt}"' if self.prompt else "none"
        return f"{self.name}|model:{self.embedder.signature}|prompt:{prompt}|w:{self.weight:g}|clamp:0|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The score of each pair of a picture and a text, [N]."""
        check_lengths(self.name, predictions, references)
        texts, pictures = predictions, references
        if not all(isinstance(text, str) for text in texts):
            texts, pictures = pictures, texts
        if not all(isinstance(text, str) for text in texts):
            raise MetricInputError(f"{self.name}: one side must be texts and the other pictures")
        prompted = self.embedder.texts([self.prompt + text for text in texts])
        return clip_score_items(self.embedder.images(pictures), prompted, weight=self.weight)


class CLIPSim(MeanMetric):
    """CLIPSIM of videos (sequences of frames) with their texts.

    >>> from types import SimpleNamespace
    >>> network = SimpleNamespace(signature="toy", images=np.array, texts=lambda said: np.eye(len(said)))
    >>> CLIPSim(network).statistics([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 2.0]]], ["a cat", "a dog"]).tolist()
    [0.5, 1.0]
    """

    name = "clipsim"
    higher_is_better = True

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    @property
    def signature(self) -> str:
        """For example `clipsim|model:clip:...|frames:all|mean:frames,videos|prompt:none|scale:1|v:1`."""
        how = "frames:all|mean:frames,videos|prompt:none|scale:1"
        return f"{self.name}|model:{self.embedder.signature}|{how}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The score of each video, [N]."""
        check_lengths(self.name, predictions, references)
        return clipsim_items(
            [self.embedder.images(frames) for frames in predictions], self.embedder.texts(references)
        )


class CLIPT(MeanMetric):
    """CLIP-T: cosine of an edited picture with the text that describes the result.

    >>> from types import SimpleNamespace
    >>> network = SimpleNamespace(signature="toy", images=np.array, texts=lambda said: np.eye(len(said)))
    >>> CLIPT(network).statistics([[3.0, 4.0], [0.0, 2.0]], ["a cat", "a dog"]).tolist()
    [0.6, 1.0]
    """

    name = "clip_t"
    higher_is_better = True

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    @property
    def signature(self) -> str:
        """For example `clip_t|model:clip:...|prompt:none|scale:1|v:1`."""
        return f"{self.name}|model:{self.embedder.signature}|prompt:none|scale:1|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The cosine of each picture and its text, [N]."""
        check_lengths(self.name, predictions, references)
        return cosines(self.embedder.images(predictions), self.embedder.texts(references))


class CLIPI(MeanMetric):
    """CLIP-I: cosine of an edited picture with the picture it should have become.

    >>> from types import SimpleNamespace
    >>> network = SimpleNamespace(signature="toy", images=np.array)
    >>> CLIPI(network).statistics([[3.0, 4.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]).tolist()
    [0.6, 1.0]
    """

    name = "clip_i"
    higher_is_better = True

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    @property
    def signature(self) -> str:
        """For example `clip_i|model:clip:...|scale:1|v:1`."""
        return f"{self.name}|model:{self.embedder.signature}|scale:1|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The cosine of each pair of pictures, [N]."""
        check_lengths(self.name, predictions, references)
        return cosines(self.embedder.images(predictions), self.embedder.images(references))


def _unit(embeddings: ArrayLike, name: str) -> FloatArray:
    """Rows of unit length, float64 [N, D]."""
    rows = np.asarray(embeddings, dtype=np.float64)
    if rows.ndim != 2:
        raise MetricInputError(f"{name} have shape {rows.shape}; give one embedding per item, [N, D]")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    wrong = ~(np.isfinite(lengths) & (lengths > 0))
    if wrong.any():
        raise MetricInputError(f"{name}: row {int(np.argmax(wrong))} has no direction (zero or not finite)")
    return np.asarray(rows / lengths)


def _mean(items: FloatArray) -> float:
    if len(items) == 0:
        raise MetricInputError("no items to average; give at least one pair")
    return float(items.mean())
