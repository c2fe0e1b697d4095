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
from reports.differences import check_same_measurement
from reports.evidence import Dossier, Evidence
from reports.tables import UNBOUNDED, number, right_from

PERFECT = 1.0
_DRAWING = ("text-to-image", "editing")  # where the pipeline's last step is a tool


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

    @property
    def who(self) -> str:
        """The stage as the culprit of a sentence: ``its plan``, ``the rest``."""
        return " or ".join(
            "the rest" if stage == "rest" else f"its {stage}" for stage in self.stage.split(" or ")
        )


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


@dataclass(frozen=True)
class AttributionAccount:
    """Where the pipeline lost it on one benchmark."""

    benchmark: str
    metric: str
    pipeline: str
    rival: str
    ladder: Attribution

    @property
    def words(self) -> str:
        """The ladder in a sentence or two."""
        worst, ladder = self.ladder.worst, self.ladder
        short = 1.0 - ladder.score.value
        if short <= 1e-9:
            return f"{self.pipeline} lost nothing here."
        share = f", {100 * worst.mean.value / short:.0f} % of it" if worst.mean.value > 0 else ""
        text = (
            f"{self.pipeline} scores {number(ladder.score.value)} by itself, {number(short)} short of "
            f"perfect. Most of that was lost by {worst.who}: {number(worst.mean.value)}{share}."
        )
        if worst.rival is not None and worst.samples:
            lost = f" On the {worst.samples} samples that {worst.who} lost, "
            text += f"{lost}{self.rival} scores {number(worst.rival)}."
        if ladder.fragile:
            text += f" Right by itself and wrong with a truth given: {ladder.fragile}."
        return text

    @property
    def picture(self) -> str:
        """The bar in words."""
        parts = [f"right by itself {self.ladder.right}"]
        parts += [f"lost by {loss.who} {loss.samples}" for loss in self.ladder.losses]
        return f"Of {self.ladder.n} samples: {', '.join(parts)}."


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


def attribute_runs(dossier: Dossier) -> tuple[list[AttributionAccount], list[str]]:
    """A ladder for each benchmark on which a pipeline ran by itself and with a truth given; and refusals."""
    found, refused = list[AttributionAccount](), list[str]()
    for stem in dict.fromkeys(stem for stem, _ in dossier.variants("given")):
        rival = next((name for name in dossier.main if name != stem), None)
        for benchmark in dossier.benchmarks:
            try:
                account = _ladder(dossier, benchmark, stem, rival)
            except ValueError as error:  # not comparable, or scores that have no top to count from
                refused.append(f"{benchmark} is left out: {error}.")
                continue
            if account is not None:
                found.append(account)
    return found, refused


def _ladder(dossier: Dossier, benchmark: str, stem: str, rival: str | None) -> AttributionAccount | None:
    own = dossier.get(benchmark, stem)
    variants = (dossier.get(benchmark, name) for s, name in dossier.variants("given") if s == stem)
    given = {entry.about.given: entry for entry in variants if entry is not None}
    caption, plan = given.get(("caption",)), given.get(("plan",))
    truths = [entry for entry in (caption, plan) if entry is not None]
    metric = None if own is None or not truths else _bounded_metric(own)
    if own is None or metric is None:
        return None
    for entry in truths:
        check_same_measurement(own, entry, metric)
    theirs = dossier.get(benchmark, rival)
    ladder = attribute(
        own.items(metric),
        None if caption is None else caption.items(metric),
        None if plan is None else plan.items(metric),
        own.groups,
        rival=None if theirs is None else theirs.items(metric),
        right_from=right_from(metric),
        last="tool" if own.about.family in _DRAWING else "rest",
    )
    return AttributionAccount(benchmark, metric, stem, rival if theirs is not None and rival else "", ladder)


def _bounded_metric(entry: Evidence) -> str | None:
    """The headline metric, or else the first one, whose perfect value is 1 and which samples have."""
    names = [entry.about.headline, *sorted({result.metric for result in entry.run.results})]
    return next((name for name in names if name not in UNBOUNDED and entry.is_mean(name)), None)


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
