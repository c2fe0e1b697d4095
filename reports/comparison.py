"""The comparison of systems: from a folder of runs to all that its page says.

`build_report` reads runs and returns plain values; `reports.pages` writes them as HTML, Markdown and
JSON. Nothing here knows how a page looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.provenance import redact
from reports.account import (
    BenchmarkAccount,
    FailureAccount,
    Proof,
    Recipe,
    SystemAccount,
    benchmark_accounts,
    failure_accounts,
    notes,
    proofs,
    recipes,
    system_accounts,
)
from reports.attribution import AttributionAccount, attribute_runs
from reports.claim import ClaimCurve, claim_curves
from reports.costs import cost_plots
from reports.differences import Difference, comparisons_frame, difference_plots, differences
from reports.evidence import PIPELINE, Dossier, Evidence, Part, read_dossier
from reports.gallery import Album, Room, build_gallery
from reports.grid import Grid, grids
from reports.plots import Plot
from reports.samples import Browser, browse
from reports.scores import (
    MetricTable,
    Row,
    SliceTable,
    headline_rows,
    metric_tables,
    page_results,
    score_plots,
    slice_tables,
)
from reports.study.analysis import Result
from reports.study.opening import read_results
from reports.tables import metric_words, number, p_words
from reports.tabular import frame, records

if TYPE_CHECKING:
    import pandas as pd

_MAIN = "baseline"
_MOST_FAILURES = 40  # rows of the table of failures
_QUESTIONS: tuple[tuple[Part, str, str, str], ...] = (
    (
        "linear",
        "Grouping against linear",
        "The paper's ablation: the same model with a linear input projection in place of grouping.",
        "Not run: it needs runs of a system and of its variant whose name ends in -linear.",
    ),
    (
        "blind",
        "Sighted against blind",
        "The same model without any picture or clip. What it still gets right, it gets from the rest.",
        "Not run: it needs runs of a system and of its variant whose name ends in -blind.",
    ),
    (
        "deaf",
        "Hearing against deaf",
        "The same model without any sound. What it still gets right, it gets from the rest.",
        "Not run: it needs runs of a system and of its variant whose name ends in -deaf.",
    ),
)


@dataclass(frozen=True)
class Finding:
    """One sentence at the top of the page; `series` is the colour of the system it speaks for, or None."""

    benchmark: str
    words: str
    series: int | None


@dataclass(frozen=True)
class DifferenceTable:
    """Differences between two systems on all benchmarks that both ran on."""

    first: str
    second: str
    rows: tuple[Difference, ...]
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class Ablation:
    """A question about one system, answered by a variant of it; without rows, `missing` says what to run."""

    title: str
    why: str
    missing: str
    tables: tuple[DifferenceTable, ...]


@dataclass(frozen=True)
class Report:
    """All that the comparison page says, in its order.

    Attributes:
        results: a row per metric and slice of every run; columns `reports.frames.RESULTS`. Every table of
            scores is a selection of it.
        comparisons: a row per comparison of two systems; columns `COMPARISONS`, after the `question` that it
            answers: ``baseline``, ``linear``, ``blind`` or ``deaf``, each a family of tests. Every table of
            differences is a selection of it.
    """

    results: pd.DataFrame
    comparisons: pd.DataFrame
    title: str
    findings: tuple[Finding, ...]
    command: str
    systems: tuple[SystemAccount, ...]
    benchmarks: tuple[BenchmarkAccount, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    main: tuple[str, ...]
    scores: tuple[Row, ...]
    score_plots: tuple[Plot, ...]
    metrics: tuple[MetricTable, ...]
    differences: tuple[DifferenceTable, ...]
    slices: tuple[SliceTable, ...]
    grids: tuple[Grid, ...]
    claim: tuple[ClaimCurve, ...]
    ablations: tuple[Ablation, ...]
    attributions: tuple[AttributionAccount, ...]
    attribution_remarks: tuple[str, ...]
    failures: tuple[FailureAccount, ...]
    failures_left_out: str
    costs: tuple[Plot, ...]
    gallery: tuple[Room, ...]
    examples: int
    browser: Browser
    recipes: tuple[Recipe, ...]
    proofs: tuple[Proof, ...]
    people: tuple[Result, ...] = ()


def build_report(
    folder: Path,
    *,
    baseline: str | None = None,
    command: str = "",
    examples: int = 2,
    data: Path | None = None,
    samples: int = 1000,
    beside: Path | None = None,
) -> Report:
    """Read all runs below a folder and compare their systems.

    Args:
        folder: holds runs at any depth.
        baseline: the system that the others are compared with; see `reports.evidence.read_dossier`.
        command: the command that makes the report, to be printed on it.
        examples: samples of each kind and benchmark that the gallery shows.
        data: folder of official files, for the inputs of benchmarks that read them.
        samples: samples of each benchmark that can be searched on the page.
        beside: folder beside the page for thumbnails, clips and sounds; None puts a few pictures into it.

    Raises:
        ReportError: no runs, or none that can be reported on; the message says why.
    """
    dossier = read_dossier(folder, baseline)
    results, comparisons = page_results(dossier), _comparisons(dossier)
    tables = _tables(dossier, comparisons, _MAIN)
    scores = headline_rows(dossier, results)
    slices = slice_tables(dossier, results)
    failures, left_out = failure_accounts(dossier, _MOST_FAILURES)
    attributions, refused = attribute_runs(dossier)
    people, unread = read_results(folder)
    return Report(
        results=results,
        comparisons=comparisons,
        title=_title(dossier),
        findings=tuple(_findings(dossier, tables)),
        command=command,
        systems=tuple(system_accounts(dossier)),
        benchmarks=tuple(benchmark_accounts(dossier)),
        left_out=tuple(map(redact, (*dossier.left_out, *unread))),
        notes=tuple(notes(dossier)),
        main=dossier.main,
        scores=tuple(scores),
        score_plots=tuple(score_plots(dossier, scores)),
        metrics=tuple(metric_tables(dossier, results)),
        differences=tuple(tables),
        slices=tuple(slices),
        grids=tuple(grids(dossier, slices)),
        claim=tuple(claim_curves(dossier, results)),
        ablations=_ablations(dossier, comparisons),
        attributions=tuple(attributions),
        attribution_remarks=tuple(refused if attributions or refused else [_attribution_missing(dossier)]),
        failures=tuple(failures),
        failures_left_out=left_out,
        costs=tuple(cost_plots(dossier, results)),
        gallery=tuple(build_gallery(dossier, Album(beside=beside), examples, data)),
        examples=examples,
        browser=browse(dossier, samples, Album(beside=beside) if beside else None, data),
        recipes=tuple(recipes(dossier)),
        proofs=tuple(proofs(dossier)),
        people=tuple(people),
    )


def _title(dossier: Dossier) -> str:
    if dossier.baseline is None:
        return dossier.main[0]
    return f"{', '.join(dossier.main[:-1])} against {dossier.baseline}"


def _comparisons(dossier: Dossier) -> pd.DataFrame:
    """The frame of the page's comparisons, by question; those of one question are one family of tests."""
    baseline = dossier.baseline
    asked = {_MAIN: [(name, baseline) for name in dossier.main[:-1] if baseline is not None]}
    asked |= {part: dossier.variants(part) for part, *_ in _QUESTIONS}
    found = [(question, differences(_met(dossier, pairs))) for question, pairs in asked.items()]
    made = comparisons_frame([row for _, rows in found for row in rows])
    questions = frame({"question": "string"}, ((question,) for question, rows in found for _ in rows))
    made.insert(0, "question", questions["question"])
    return made


def _met(dossier: Dossier, pairs: Sequence[tuple[str, str]]) -> list[tuple[Evidence, Evidence]]:
    """The runs of each pair of systems on the benchmarks on which they met."""
    met = (
        (dossier.get(benchmark, first), dossier.get(benchmark, second))
        for first, second in pairs
        for benchmark in dossier.benchmarks
    )
    return [(a, b) for a, b in met if a is not None and b is not None]


def _tables(dossier: Dossier, comparisons: pd.DataFrame, question: str) -> list[DifferenceTable]:
    """The comparisons of one question: a table for each pair of systems that met on some benchmark."""
    chosen = records(Difference, comparisons[comparisons["question"] == question])
    tables = list[DifferenceTable]()
    for (first, second), rows in groupby(chosen, key=lambda row: (row.first, row.second)):
        members = tuple(rows)
        plots = difference_plots(f"{question}-{len(tables)}", members, dossier.series)
        tables.append(DifferenceTable(first, second, members, tuple(plots)))
    return tables


def _findings(dossier: Dossier, tables: Sequence[DifferenceTable]) -> list[Finding]:
    """One sentence for each comparison, whichever way it falls."""
    found = []
    for row in (row for table in tables for row in table.rows):
        if not row.compared:
            continue
        if not row.defined:
            found.append(Finding(row.benchmark, f"{row.first} and {row.second}: {row.words}", None))
            continue
        size = f"{number(abs(row.difference))} in {metric_words(row.metric)}"
        p = p_words(row.p_adjusted)
        if row.better is not None:
            other = row.second if row.better == row.first else row.first
            words = f"{row.better} is better than {other} by {size} ({p})."
        else:
            words = f"No difference between {row.first} and {row.second} was shown ({size}, {p})."
        found.append(
            Finding(row.benchmark, words, None if row.better is None else dossier.series(row.better))
        )
    return found


def _ablations(dossier: Dossier, comparisons: pd.DataFrame) -> tuple[Ablation, ...]:
    """The questions that a variant of a system answers; each is a family of tests of its own."""
    return tuple(
        Ablation(title, why, missing, tuple(_tables(dossier, comparisons, part)))
        for part, title, why, missing in _QUESTIONS
    )


def _attribution_missing(dossier: Dossier) -> str:
    stem = dossier.baseline if (dossier.baseline or "").startswith(PIPELINE) else PIPELINE
    return f"Not run: it needs runs of {stem}, {stem}+caption and {stem}+plan on the same benchmarks."
