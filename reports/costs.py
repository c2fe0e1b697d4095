"""What quality costs: the headline metric of each benchmark against what an answer takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.harness.records import Result
from reports.evidence import Dossier, Evidence
from reports.plots.canvas import Plot
from reports.plots.scatter import Dot, scatter
from reports.scores import Row, of_headline, tabulate
from reports.tables import LOWER_IS_BETTER, interval, metric_words, number

if TYPE_CHECKING:
    import pandas as pd

_TOKENS = re.compile(r"([\d,]+) read, ([\d,]+) written")


@dataclass(frozen=True)
class Cost:
    """Something that answers take.

    Attributes:
        name: short, for ids.
        axis: in words, with the unit.
        unit: behind a number.
        of: how much of it a run took; None or nought where that is not known.
    """

    name: str
    axis: str
    unit: str
    of: Callable[[Evidence, Result], float | None]


def _memory(entry: Evidence, _: Result) -> float | None:
    """Of the process and of the accelerator together."""
    known = [each for each in (entry.about.memory, entry.about.device_memory) if each is not None]
    return sum(known) / 2**30 if known else None


def _tokens(entry: Evidence, _: Result) -> float | None:
    """The mean over the answers that tell theirs, as endpoints do."""
    told = [
        sum(int(number.replace(",", "")) for number in found.groups())
        for prediction in entry.run.predictions
        for name, words in prediction.said.steps
        if name == "tokens" and (found := _TOKENS.fullmatch(words))
    ]
    return sum(told) / len(told) if told else None


COSTS = (
    Cost("seconds", "seconds per answer", "s", lambda _, result: result.seconds),
    Cost("memory", "peak memory in GiB", "GiB", _memory),
    Cost("tokens", "tokens read and written per answer", "tokens", _tokens),
)


def cost_plots(dossier: Dossier, results: pd.DataFrame) -> list[Plot]:
    """A plot for each benchmark and cost that at least one system's run tells.

    Args:
        dossier: the evidence.
        results: its frame of results.
    """
    plots = list[Plot]()
    chosen = of_headline(dossier, results) & results["slice"].isna()
    for row in tabulate(results, chosen, dossier.systems):
        for cost in COSTS:
            plot = _plot(dossier, row, cost, f"cost-{len(plots)}")
            if plot is not None:
                plots.append(plot)
    return plots


def _plot(dossier: Dossier, row: Row, cost: Cost, name: str) -> Plot | None:
    dots = []
    for result in row.results:
        entry = dossier.get(row.benchmark, result.system)
        taken = None if entry is None else cost.of(entry, result)
        if result.value is None or not taken:
            continue
        span = interval(result.low, result.high)
        value = f"{number(result.value)}{f' ({span})' if span else ''}"
        words = f"{result.system}: {value} at {taken:.2g} {cost.unit}"
        dots.append(Dot(taken, result.value, result.low, result.high, words, dossier.series(result.system)))
    if not dots:
        return None
    words = f"{metric_words(row.metric)}{row.arrow}"
    title = f"{row.benchmark}: {words} against {cost.axis}"
    falls = row.metric in LOWER_IS_BETTER
    return scatter(name, title, dots, x=cost.axis, y=words, falls=falls)
