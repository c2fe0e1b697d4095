"""Paired differences between systems: intervals, p-values over a whole table, and what they say in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metrics.metric import Comparison, IncomparableError
from metrics.statistics import ALONE, compare, holm
from reports.evidence import Evidence
from reports.plots import Band, Mark, Plot, forest
from reports.tables import LOWER_IS_BETTER, by_scale, interval, metric_words, number, p_value, signed
from reports.tabular import COMPARISONS, frame

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05
Names = tuple[str, str, str, str]  # of a benchmark, a metric and two systems


@dataclass(frozen=True)
class Difference:
    """A row of the frame of comparisons: the first system's value minus the second's.

    Attributes:
        benchmark, metric, first, second: what is compared by what.
        difference, low, high, p, minimum_detectable, standard_error: as in `metrics.metric.Comparison`; NaN
            where the two can't be compared.
        p_adjusted: the p-value after Holm's correction over the family of tests.
        family: number of tests in that family.
        n: number of samples; None where the two can't be compared.
        better: the system that is better; None where that was not shown, after the correction.
        words: what the row says, whichever way it falls, or why there is no comparison.
    """

    benchmark: str
    metric: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    family: int
    n: int | None
    minimum_detectable: float
    standard_error: float
    better: str | None
    words: str

    @property
    def arrow(self) -> str:
        """Marks metrics of which less is better."""
        return " ↓" if self.metric in LOWER_IS_BETTER else ""

    @property
    def compared(self) -> bool:
        """Whether the two could be compared."""
        return self.n is not None

    @property
    def defined(self) -> bool:
        """Whether the difference is a number."""
        return math.isfinite(self.difference)

    @property
    def ahead(self) -> str:
        """The system on the better side, whether that was shown or not; empty when equal."""
        return _ahead(self.difference, self.metric, self.first, self.second)


def conclude(
    names: Names, found: Comparison | str, p_adjusted: float = math.nan, family: int = 1
) -> Difference:
    """What a comparison comes to after the correction.

    Args:
        names: of the benchmark, the metric and the two systems.
        found: the comparison, or why there is none.
        p_adjusted: its p-value after the correction.
        family: number of tests that were corrected together.
    """
    if isinstance(found, str):
        numbers = (math.nan,) * 5
        return Difference(*names, *numbers, family, None, math.nan, math.nan, None, f"Not compared: {found}.")
    _, metric, first, second = names
    ahead = _ahead(found.difference, metric, first, second)
    return Difference(
        *names,
        found.difference,
        found.low,
        found.high,
        found.p,
        p_adjusted,
        family,
        found.n,
        found.minimum_detectable,
        found.standard_error,
        (ahead or None) if p_adjusted < LEVEL else None,
        _words(found, ahead, p_adjusted, family),
    )


def _ahead(difference: float, metric: str, first: str, second: str) -> str:
    if difference == 0 or math.isnan(difference):
        return ""
    return first if (difference > 0) != (metric in LOWER_IS_BETTER) else second


def _words(c: Comparison, ahead: str, p_adjusted: float, family: int) -> str:
    if c.method == ALONE:
        return "All samples share one picture or scene: nothing can be said about chance."
    if not (math.isfinite(c.difference) and math.isfinite(c.low)):
        return f"{c.method[:1].upper()}{c.method[1:]}."
    if p_adjusted < LEVEL:
        return f"{ahead} is better by {number(abs(c.difference))}."
    detectable = f"A true difference of {number(c.minimum_detectable)} would show four times out of five."
    if c.p < LEVEL:
        return (
            f"A hint that {ahead} is better (p {p_value(c.p)} alone), which does not "
            f"hold among {family} comparisons. {detectable}"
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
    names = [(a.benchmark, metric or a.about.headline, a.system, b.system) for a, b in pairs]
    found = [_compared(*pair, each[1]) for pair, each in zip(pairs, names, strict=True)]
    tested = [each.p for each in found if isinstance(each, Comparison)]
    adjusted = iter(holm(tested).tolist() if tested else [])
    return [
        conclude(who, each, next(adjusted) if isinstance(each, Comparison) else math.nan, len(tested))
        for who, each in zip(names, found, strict=True)
    ]


def comparisons_frame(rows: Sequence[Difference]) -> pd.DataFrame:
    """The frame of comparisons; columns `reports.frames.COMPARISONS`."""
    return frame(COMPARISONS, (tuple(getattr(row, name) for name in COMPARISONS) for row in rows))


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


def _compared(first: Evidence, second: Evidence, metric: str) -> Comparison | str:
    try:
        return compare_runs(first, second, metric)
    except IncomparableError as error:
        return str(error)


def _mark(row: Difference, series: Callable[[str], int]) -> Mark:
    turn = -1.0 if row.metric in LOWER_IS_BETTER else 1.0
    low, high = sorted((turn * row.low, turn * row.high))
    span = interval(row.low, row.high)
    text = f"{signed(row.difference)}{f' ({span})' if span else ''}"
    colour = series(row.ahead or row.first)
    return Mark(row.benchmark, turn * row.difference, low, high, text, colour, row.better is not None)
