"""Paired differences between systems: intervals, p-values over a whole table, and what they say in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from metrics.metric import Comparison, IncomparableError
from metrics.statistics import ALONE, compare, holm
from reports.evidence import Evidence
from reports.plots import Band, Mark, Plot, forest
from reports.tables import LOWER_IS_BETTER, by_scale, interval, metric_words, number, p_value, signed

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """One row of a table of differences: the first system's value minus the second's.

    Attributes:
        comparison: None where the two can't be compared; then `words` say why.
        p_adjusted: the p-value after Holm's correction over the family of tests.
        family: number of tests in that family.
    """

    benchmark: str
    metric: str
    first: str
    second: str
    comparison: Comparison | None
    p_adjusted: float = 1.0
    family: int = 1
    refusal: str = ""

    @property
    def arrow(self) -> str:
        """Marks metrics of which less is better."""
        return " ↓" if self.metric in LOWER_IS_BETTER else ""

    @property
    def defined(self) -> bool:
        """Whether the difference is a number."""
        return self.comparison is not None and math.isfinite(self.comparison.difference)

    @property
    def shown(self) -> bool:
        """Whether a difference was shown, after the correction."""
        return self.comparison is not None and self.p_adjusted < LEVEL

    @property
    def better(self) -> str:
        """The system on the better side, whether that was shown or not; empty when equal."""
        if self.comparison is None or self.comparison.difference == 0:
            return ""
        first_is_better = (self.comparison.difference > 0) != (self.metric in LOWER_IS_BETTER)
        return self.first if first_is_better else self.second

    @property
    def words(self) -> str:
        """What the row says, whichever way it falls."""
        c = self.comparison
        if c is None:
            return self.refusal
        if c.method == ALONE:
            return "All samples share one picture or scene: nothing can be said about chance."
        if not (math.isfinite(c.difference) and math.isfinite(c.low)):
            return f"{c.method[:1].upper()}{c.method[1:]}."
        if self.shown:
            return f"{self.better} is better by {number(abs(c.difference))}."
        detectable = f"A true difference of {number(c.minimum_detectable)} would show four times out of five."
        if c.p < LEVEL:
            return (
                f"A hint that {self.better} is better (p {p_value(c.p)} alone), which does not "
                f"hold among {self.family} comparisons. {detectable}"
            )
        if c.difference == 0 and c.low == c.high == 0:
            return "Equal on every sample."
        return f"No difference was shown. {detectable}"


def compare_runs(first: Evidence, second: Evidence, metric: str) -> Comparison:
    """Compare two runs of one benchmark on the samples that both have values for.

    Raises:
        IncomparableError: another benchmark, version, protocol or signature; no common samples; or a metric
            whose value is no mean over samples. The message says which.
    """
    check_same_measurement(first, second, metric)
    a, b = first.items(metric), second.items(metric)
    common = sorted(set(a) & set(b))
    if not common:
        raise IncomparableError(f"no sample has a {metric_words(metric)} in both runs")
    groups = [first.groups[sample] for sample in common]
    return compare([a[sample] for sample in common], [b[sample] for sample in common], groups)


def check_same_measurement(first: Evidence, second: Evidence, metric: str) -> None:
    """Refuse to compare what was not measured in the same way, or can't be paired.

    Raises:
        IncomparableError: as `compare_runs`.
    """
    for field in ("benchmark", "version", "protocol"):
        mine, theirs = getattr(first.about, field), getattr(second.about, field)
        if mine != theirs:
            raise IncomparableError(f"the two runs differ in {field}; run both again")
    results = [first.result(metric), second.result(metric)]
    for entry, result in zip((first, second), results, strict=True):
        if result is None or result.value is None:
            unscored = entry.run.unscored or "not scored"
            why = f"is {unscored}" if result is None else f"has no value ({result.method})"
            raise IncomparableError(f"{metric_words(metric)} of {entry.system} {why}")
    signatures = [result.signature for result in results if result is not None]
    if signatures[0] != signatures[1]:
        raise IncomparableError(
            f"signatures differ, {signatures[0]} and {signatures[1]}; score both runs with one version"
        )
    for entry in (first, second):
        if not entry.is_mean(metric):
            raise IncomparableError(
                f"{metric_words(metric)} is of the whole set, not of samples that could be paired"
            )


def differences(pairs: Sequence[tuple[Evidence, Evidence]], metric: str | None = None) -> list[Difference]:
    """Compare pairs of runs by a metric, by default the headline of each; all are one family for Holm."""
    rows = [_difference(first, second, metric or first.about.headline) for first, second in pairs]
    tested = [row.comparison.p for row in rows if row.comparison is not None]
    adjusted = iter(holm(tested).tolist() if tested else [])
    rows = [replace(row, family=len(tested)) for row in rows]
    return [row if row.comparison is None else replace(row, p_adjusted=next(adjusted)) for row in rows]


def difference_plots(name: str, rows: Sequence[Difference], series: Callable[[str], int]) -> list[Plot]:
    """Forest plots of differences between two systems; right of zero the first one is better.

    Args:
        name: prefix of the plots' names.
        rows: differences of the same two systems; metrics from 0 to 1 share a plot, others have their own.
        series: colour and shape of a system.
    """
    first, second = rows[0].first, rows[0].second
    plots: list[Plot] = []
    for scale, members in by_scale(rows).items():
        marks = tuple(_mark(row, series) for row in members if row.defined)
        if marks:
            what = "Paired differences" + (f" in {metric_words(scale)}" if scale else "")
            title = f"{what}, {first} against {second}, with 95 % intervals"
            sides = (f"{second} better", f"{first} better")
            plots.append(forest(f"{name}-{len(plots)}", title, [Band("", marks)], sides=sides))
    return plots


def _difference(first: Evidence, second: Evidence, metric: str) -> Difference:
    row = Difference(first.benchmark, metric, first.system, second.system, None)
    try:
        return replace(row, comparison=compare_runs(first, second, metric))
    except IncomparableError as error:
        return replace(row, refusal=f"Not compared: {error}.")


def _mark(row: Difference, series: Callable[[str], int]) -> Mark:
    c = row.comparison
    assert c is not None
    turn = -1.0 if row.metric in LOWER_IS_BETTER else 1.0
    low, high = sorted((turn * c.low, turn * c.high))
    span = interval(c.low, c.high)
    text = f"{signed(c.difference)}{f' ({span})' if span else ''}"
    colour = series(row.better or row.first)
    return Mark(row.benchmark, turn * c.difference, low, high, text, colour, row.shown)
