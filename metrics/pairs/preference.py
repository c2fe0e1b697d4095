"""Preference models (HPSv2, PickScore, ImageReward): how often one system is preferred, per prompt.

Such a model compares pictures of one prompt. Its scores of different prompts have no common zero, as the
authors of HPSv2 say (tgxs002/HPSv2, thread 9), so nothing here ever gives a mean of scores over prompts: each
prompt is one comparison, and what is reported is the share that a system wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import Estimate, FloatArray, MeanMetric, MetricInputError, check_lengths
from metrics.pairs.similarity import Embedder, cosines
from metrics.statistics import bootstrap

Scores = Mapping[str, ArrayLike]
"""By prompt, the score of each picture that a system made for it."""


class PreferenceModel(Protocol):
    """What says how well pictures fit prompts; only pictures of one prompt may be compared by it."""

    @property
    def signature(self) -> str:
        """The network, its weights and its preprocessing."""

    def scores(self, pictures: Sequence[Any], prompts: Sequence[str]) -> FloatArray:
        """A score of each picture for its prompt, [N]; more is preferred."""


class ClipPreference:
    """A CLIP as preference model: HPSv2 is its cosine, PickScore the cosine times a scale; both order alike.

    Args:
        embedder: CLIP with the preference model's weights, such as
            `metrics.extractors.ClipExtractor(FOLDER)`.
        scale: of the cosine; e to the power of the checkpoint's ``logit_scale`` gives PickScore's numbers.

    >>> from types import SimpleNamespace
    >>> network = SimpleNamespace(signature="toy", images=np.array, texts=lambda said: np.eye(len(said)))
    >>> model = ClipPreference(network, scale=100.0)
    >>> model.scores([[3.0, 4.0], [0.0, 2.0]], ["a cat", "a dog"]).round(6).tolist()
    [60.0, 100.0]
    """

    def __init__(self, embedder: Embedder, *, scale: float = 1.0) -> None:
        self.embedder, self.scale = embedder, scale

    @property
    def signature(self) -> str:
        """For example `clip:...,scale:1`."""
        return f"{self.embedder.signature},scale:{self.scale:g}"

    def scores(self, pictures: Sequence[Any], prompts: Sequence[str]) -> FloatArray:
        """The cosine of each picture with its prompt, scaled, [N]."""
        return self.scale * cosines(self.embedder.images(pictures), self.embedder.texts(prompts))


def prompt_wins(first: Scores, second: Scores) -> FloatArray:
    """For each prompt, the share of pairs of pictures in which the first system's has the higher score, [P].

    Ties count half. With one picture each that is 1, 0.5 or 0.

    Args:
        first: scores of one system's pictures by prompt.
        second: the other's, by the same prompts.

    Raises:
        MetricInputError: other prompts, none, one without pictures, or a score that is not finite.

    >>> prompt_wins({"a cat": [2.0, 1.0], "a dog": [0.1]}, {"a cat": [1.0], "a dog": [0.3]}).tolist()
    [0.75, 0.0]
    """
    if first.keys() != second.keys():
        odd = min(first.keys() ^ second.keys())
        raise MetricInputError(f"only one system has pictures of {odd!r}; compare on the same prompts")
    if not first:
        raise MetricInputError("no prompts; give at least one")
    return np.array([_wins(prompt, first[prompt], second[prompt]) for prompt in first], dtype=np.float64)


def preference_win_rate(first: Scores, second: Scores, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """How often the first system's pictures are preferred, each prompt counting once, with its 95 % interval.

    Args:
        first: as in `prompt_wins`, with `second`.
        second: the other system's scores.
        resamples: number of bootstrap draws, of prompts.
        seed: of the draws.

    Raises:
        MetricInputError: as `prompt_wins`.

    >>> mine, theirs = {f"p{k}": [k + 0.5] for k in range(8)}, {f"p{k}": [float(2 * k)] for k in range(8)}
    >>> preference_win_rate(mine, theirs).value
    0.125
    """
    return bootstrap(prompt_wins(first, second), resamples=resamples, seed=seed)


class PreferenceWinRate(MeanMetric):
    """How often a preference model prefers a picture to another one of the same prompt, ties counting half.

    Args:
        model: see `PreferenceModel`.

    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(signature="size", scores=lambda those, prompts: np.array([*map(len, those)]))
    >>> PreferenceWinRate(model).statistics(["xx", "x"], [("a cat", "x"), ("a dog", "x")]).tolist()
    [1.0, 0.5]
    """

    name = "preference_win_rate"
    higher_is_better = True
    least = 0.0

    def __init__(self, model: PreferenceModel) -> None:
        self.model = model

    @property
    def signature(self) -> str:
        """For example `preference_win_rate|model:clip:...|per:prompt|ties:half|v:1`."""
        return f"{self.name}|model:{self.model.signature}|per:prompt|ties:half|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """1 for a win, 0.5 for a tie, 0 for a loss, [N].

        Args:
            predictions: pictures, [N].
            references: the prompt of each and another system's picture of it, N pairs.
        """
        check_lengths(self.name, predictions, references)
        prompts = [prompt for prompt, _ in references]
        mine = self.model.scores(predictions, prompts)
        theirs = self.model.scores([picture for _, picture in references], prompts)
        return (np.sign(np.asarray(mine, np.float64) - theirs) + 1) / 2


def _wins(prompt: str, first: ArrayLike, second: ArrayLike) -> float:
    sides: list[NDArray[np.float64]] = [
        np.asarray(side, dtype=np.float64).ravel() for side in (first, second)
    ]
    if any(not len(side) or not np.isfinite(side).all() for side in sides):
        raise MetricInputError(f"prompt {prompt!r}: give each system at least one score, all finite")
    return float((np.sign(sides[0][:, None] - sides[1]).mean() + 1) / 2)
