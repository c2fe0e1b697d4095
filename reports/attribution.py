"""Where the pipeline lost it: its caption, its plan, or its tool.

The pipeline describes the picture, plans on the description, and calls a tool with the plan. Run again
with the true caption given, and again with the true plan given, on the same samples, it climbs a
ladder whose top is a perfect score::

    its own caption  ->  true caption  ->  true plan  ->  everything right
                caption lost       plan lost      tool lost

What a rung gains over the one below is what that stage lost. The losses add up, sample by sample and
in total, to all that the pipeline is short of perfect. A loss can be negative: a wrong caption may
happen to lead to the right answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.metric import Estimate

PERFECT = 1.0


@dataclass(frozen=True)
class Loss:
    """What one stage of the pipeline lost.

    Attributes:
        stage: ``caption``, ``plan``, ``tool``; two joined by "or" where a rung was not run. Where no tool
            is called, the last one is the ``rest``: people who disagree, answers in other words.
        mean: the loss in points of the metric, with its 95 % interval; its samples are paired.
        samples: how many wrong answers the truth for this stage is the first to put right.
        share: the same as a share of all samples, with its interval.
        rival: the end-to-end system's mean score on just those samples; None without samples or rival.
    """

    stage: str
    mean: Estimate
    samples: int
    share: Estimate
    rival: float | None


@dataclass(frozen=True)
class Attribution:
    """The ladder of one benchmark.

    Attributes:
        n: samples that every rung has a score for.
        score: the pipeline's own mean score.
        right: samples that it got right by itself.
        fragile: samples it got right by itself but wrong with a truth given; they are in `right`.
        losses: stage by stage; their means add up to ``1 - score.value``.
        rival: the end-to-end system's mean score on the same samples.
    """

    n: int
    score: Estimate
    right: int
    fragile: int
    losses: tuple[Loss, ...]
    rival: float | None

    @property
    def worst(self) -> Loss:
        """The stage that lost most."""
        return max(self.losses, key=lambda loss: loss.mean.value)


def attribute(
    own: Mapping[str, float],
    true_caption: Mapping[str, float] | None,
    true_plan: Mapping[str, float] | None,
    groups: Mapping[str, str],
    *,
    rival: Mapping[str, float] | None = None,
    right_from: float = PERFECT,
    last: str = "tool",
) -> Attribution:
    """Split what a pipeline lost among its stages.

    Args:
        own: score of each sample, in [0, 1], as the pipeline runs by itself.
        true_caption: the same with the true caption given; None where that was not run.
        true_plan: the same with the true plan given.
        groups: what each sample is clustered in.
        rival: the end-to-end system's scores of the same samples.
        right_from: the score from which an answer counts as right.
        last: what is blamed for what even the true plan does not win back.

    Raises:
        ValueError: neither truth was run, no sample is common to all rungs, or a score outside [0, 1].

    Example:
        >>> own = {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}
        >>> ladder = attribute(own, {**own, "b": 1.0}, {**own, "b": 1.0, "c": 1.0}, {s: s for s in own})
        >>> [(loss.stage, loss.samples, loss.mean.value) for loss in ladder.losses]
        [('caption', 1, 0.25), ('plan', 1, 0.25), ('tool', 1, 0.25)]
    """
    from metrics.statistics import bootstrap

    truths = (("caption", true_caption), ("plan", true_plan))
    given = [(stage, run) for stage, run in truths if run is not None]
    if not given:
        raise ValueError("attribution needs a run with the true caption or with the true plan given")
    samples = sorted(set(own).intersection(*(run for _, run in given)))
    if not samples:
        raise ValueError("attribution needs samples that all of the pipeline's runs have scores for")
    rungs = [_column(run, samples) for run in (own, *(run for _, run in given))]
    rungs.append(np.full(len(samples), PERFECT))
    clusters = [groups.get(sample, sample) for sample in samples]
    right = rungs[0] >= right_from
    open_ = ~right  # wrong so far: no rung below has put these right
    theirs = None if rival is None else np.array([rival.get(sample, np.nan) for sample in samples])
    losses = []
    for stage, below, above in zip(
        _stages([stage for stage, _ in given], last), rungs, rungs[1:], strict=False
    ):
        rescued = open_ & (above >= right_from)
        open_ = open_ & ~rescued
        losses.append(
            Loss(
                stage,
                bootstrap(above - below, clusters),
                int(rescued.sum()),
                bootstrap(rescued.astype(np.float64), clusters),
                _mean(theirs, rescued),
            )
        )
    fragile = int((right & np.any([rung < right_from for rung in rungs[1:-1]], axis=0)).sum())
    everyone = np.ones(len(samples), dtype=bool)
    score = bootstrap(rungs[0], clusters)
    return Attribution(len(samples), score, int(right.sum()), fragile, tuple(losses), _mean(theirs, everyone))


def _stages(given: Sequence[str], last: str) -> list[str]:
    """Names of the steps between the rungs, when some rungs are missing."""
    if list(given) == ["caption", "plan"]:
        return ["caption", "plan", last]
    return ["caption", f"plan or {last}"] if given[0] == "caption" else ["caption or plan", last]


def _column(run: Mapping[str, float], samples: Sequence[str]) -> NDArray[np.float64]:
    column = np.array([run[sample] for sample in samples], dtype=np.float64)
    outside = (column < 0) | (column > PERFECT) | ~np.isfinite(column)
    if outside.any():
        worst = samples[int(np.argmax(outside))]
        raise ValueError(f"sample {worst}: {run[worst]} is not in [0, 1]; losses need a top to count from")
    return column


def _mean(values: NDArray[np.float64] | None, where: NDArray[np.bool_]) -> float | None:
    """Mean over some samples, leaving out those without a value."""
    if values is None:
        return None
    chosen = values[where & np.isfinite(values)]
    return float(chosen.mean()) if len(chosen) else None
