"""The evidence a report is written from: runs, read from their folders and put in order.

A system plays one part: it is compared (``main``), or it is a variant of a compared system that
answers a question of its own: what a truth given away would win back (``given``), what sight and hearing are
worth (``blind``, ``deaf``), what grouping is worth (``linear``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from benchmarks.harness.records import (
    Manifest,
    Prediction,
    RecordError,
    Result,
    Run,
    read_run,
    run_folders,
    without_runs,
)
from nextgpt.messages import Failure
from reports.tabular import whole

PIPELINE = "caption-then-tool"
Part = Literal["main", "given", "blind", "deaf", "linear"]
_VARIANTS: tuple[Part, ...] = ("blind", "deaf", "linear")


class ReportError(ValueError):
    """A report that can't be made; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Evidence:
    """One system on one benchmark, as a report reads it."""

    run: Run

    @cached_property
    def about(self) -> Manifest:
        """What ``run.json`` says, with names as frames hold them."""
        made = self.run.manifest
        return replace(
            made, benchmark=whole(made.benchmark), system=whole(made.system), headline=whole(made.headline)
        )

    @property
    def system(self) -> str:
        """The system's name."""
        return self.about.system

    @property
    def benchmark(self) -> str:
        """The benchmark's name."""
        return self.about.benchmark

    def result(self, metric: str, part: str | None = None) -> Result | None:
        """The scored value of a metric, on the whole or on one slice."""
        found = (r for r in self.run.results if r.metric == metric and r.slice == part)
        return next(found, None)

    def items(self, metric: str) -> Mapping[str, float]:
        """Per-sample values of a metric; empty where a sample alone has none."""
        return self._items.get(metric, {})

    def is_mean(self, metric: str) -> bool:
        """Whether the metric's value is the mean of its per-sample values, so that these can be compared."""
        result, values = self.result(metric), self.items(metric)
        if result is None or result.value is None or not values:
            return False
        mean = sum(values.values()) / len(values)
        return abs(mean - result.value) <= 1e-6 * max(1.0, abs(mean))

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """What each sample is clustered in."""
        return {score.sample: score.group for score in self.run.scores}

    @cached_property
    def slices(self) -> Mapping[str, str]:
        """The part of the benchmark that each sample belongs to."""
        return {score.sample: score.slice for score in self.run.scores if score.slice is not None}

    @cached_property
    def answers(self) -> Mapping[str, Prediction]:
        """What the system said, by sample."""
        return {prediction.sample: prediction for prediction in self.run.predictions}

    @cached_property
    def failures(self) -> Mapping[str, Failure]:
        """Samples without an answer, and why."""
        return self.run.failures

    @cached_property
    def _items(self) -> Mapping[str, Mapping[str, float]]:
        table: dict[str, dict[str, float]] = {}
        for score in self.run.scores:
            table.setdefault(score.metric, {})[score.sample] = score.value
        return table


@dataclass(frozen=True)
class Dossier:
    """All evidence of one report.

    Attributes:
        entries: by benchmark and system.
        main: systems that are compared, the baseline last.
        parts: the part that each system plays.
        stems: of each variant, the system that it is a variant of.
        left_out: runs that are no part of the evidence, and why, a line each.
    """

    entries: Mapping[tuple[str, str], Evidence]
    main: tuple[str, ...]
    parts: Mapping[str, Part]
    stems: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def baseline(self) -> str | None:
        """The system that all others are compared with; None when there is only one."""
        return self.main[-1] if len(self.main) > 1 else None

    @cached_property
    def benchmarks(self) -> tuple[str, ...]:
        """Benchmarks in reading order: by task, toyworld before photographs, test before compositional."""
        names = {name for name, _ in self.entries}
        return tuple(sorted(names, key=self._reading_order))

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """All systems, those that are compared first."""
        rest = sorted({system for _, system in self.entries} - set(self.main))
        return (*self.main, *rest)

    def series(self, system: str) -> int:
        """Colour and shape of a system: its own when it is compared, the last ones for all variants."""
        return self.main.index(system) % 3 if system in self.main else 3

    def get(self, benchmark: str, system: str | None) -> Evidence | None:
        """One system's run on one benchmark, if there is one."""
        return None if system is None else self.entries.get((benchmark, system))

    def on(self, benchmark: str) -> list[Evidence]:
        """All runs on a benchmark, in the order of `systems`."""
        runs = (self.get(benchmark, system) for system in self.systems)
        return [run for run in runs if run is not None]

    def variants(self, part: Part) -> list[tuple[str, str]]:
        """Pairs of a system and its variant of this kind."""
        return [(stem, name) for name, stem in sorted(self.stems.items()) if self.parts[name] == part]

    def _reading_order(self, name: str) -> tuple[object, ...]:
        families = ("image-captioning", "vqa", "text-to-image", "editing")
        family = self.on(name)[0].about.family
        rank = families.index(family) if family in families else len(families)
        return ("compositional" in name, not name.startswith("toy"), rank, name)


def read_dossier(folder: Path, baseline: str | None = None) -> Dossier:
    """Read all runs below a folder; a run that can't be read is left out, and spoils no other.

    Args:
        folder: holds runs at any depth.
        baseline: the system to compare the others with; by default the text pipeline
            ``caption-then-tool`` where it was run, with a tuned planner if there is one, since then only the
            path of the information differs; else the last in alphabetical order.

    Raises:
        ReportError: no run, none that can be read or is scored, or an unknown baseline.
    """
    # What is damaged must not turn up in the middle of a page.
    entries, left_out = read_evidence(folder, Run.check)
    if not entries:
        raise ReportError(f"{folder}: none of its runs can be shown; the first: {left_out[0]}")
    if not any(entry.run.results for entry in entries.values()):
        why = next(iter(entries.values())).run.unscored
        raise ReportError(
            f"{folder}: none of its runs is scored; run `nextgpt-bench run` to its end (the first: {why})"
        )
    manifests = {entry.system: entry.about for entry in entries.values()}
    parts, stems = assign_parts(manifests.values(), baseline)
    main = order_main([name for name, part in parts.items() if part == "main"], baseline)
    return Dossier(entries, main, parts, stems, tuple(left_out))


def read_evidence(
    folder: Path, check: Callable[[Run], object]
) -> tuple[dict[tuple[str, str], Evidence], list[str]]:
    """The runs below a folder by benchmark and system, and why others are left out, a line each.

    Args:
        folder: holds runs at any depth.
        check: reads what a report will need of a run, so that a damaged one is left out now.

    Raises:
        ReportError: no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise ReportError(f"{folder}: no such folder; give the one that `nextgpt-bench run --out` wrote to")
    found, left_out = _read_all(folder, check)
    if not found and not left_out:
        raise ReportError(without_runs(folder))
    entries, twice = _each_once(found)
    return entries, left_out + twice


def _read_all(folder: Path, check: Callable[[Run], object]) -> tuple[list[Evidence], list[str]]:
    """The runs below a folder in the order of their paths, and why others can't be read."""
    found, left_out = list[Evidence](), list[str]()
    for path in run_folders(folder):
        try:
            run = read_run(path)
            check(run)
        except RecordError as error:
            left_out.append(str(error).removeprefix(f"{folder}{os.sep}"))
        else:
            found.append(Evidence(run))
    return found, left_out


def _each_once(found: Sequence[Evidence]) -> tuple[dict[tuple[str, str], Evidence], list[str]]:
    """Runs by benchmark and system; nobody knows which of two alike is meant, and both are left out."""
    together: dict[tuple[str, str], list[Evidence]] = {}
    for entry in found:
        together.setdefault((entry.benchmark, entry.system), []).append(entry)
    twice = []
    for (benchmark, system), entries in together.items():
        if len(entries) > 1:
            folders = " and ".join(str(entry.run.folder) for entry in entries)
            twice.append(f"{folders} each hold {system} on {benchmark}: keep one")
    return {key: entries[0] for key, entries in together.items() if len(entries) == 1}, twice


def assign_parts(
    manifests: Iterable[Manifest], baseline: str | None = None
) -> tuple[dict[str, Part], dict[str, str]]:
    """The part of each system, and of each variant the system it varies.

    A variant whose own system was not run is compared like any other, unless it was given truths.
    """
    given = {manifest.system: bool(manifest.given) for manifest in manifests}
    parts: dict[str, Part] = {}
    stems: dict[str, str] = {}
    for name in sorted(given):
        part, stem = _variant(name, given[name])
        if part != "main" and name != baseline and (stem in given or part == "given"):
            parts[name], stems[name] = part, stem
        else:
            parts[name] = "main"
    return parts, stems


def order_main(names: Sequence[str], baseline: str | None) -> tuple[str, ...]:
    """Compared systems in alphabetical order, the baseline last.

    Raises:
        ReportError: the baseline was asked for and not run.

    Example:
        >>> order_main(["caption-then-tool", "nextgpt-tiny"], None)
        ('nextgpt-tiny', 'caption-then-tool')
        >>> order_main(["caption-then-tool", "caption-then-tool-tuned", "nextgpt-tiny"], None)
        ('caption-then-tool', 'nextgpt-tiny', 'caption-then-tool-tuned')
    """
    if not names:
        raise ReportError("only runs with a truth given away are here; run the systems themselves as well")
    if baseline is not None and baseline not in names:
        raise ReportError(f"no runs of the baseline {baseline!r}; there are: {', '.join(sorted(names))}")
    pipelines = sorted(name for name in names if name.startswith(PIPELINE))
    tuned = [name for name in pipelines if name.endswith("-tuned")]
    last = baseline or next(iter([*tuned, *pipelines]), max(names))
    return (*(name for name in sorted(names) if name != last), last)


def _variant(name: str, given: bool) -> tuple[Part, str]:
    """What a name says: ``caption-then-tool+plan`` is given a truth, ``x-blind`` is x without sight."""
    if given:
        return "given", name.partition("+")[0]
    for part in _VARIANTS:
        stem = name.removesuffix(f"-{part}")
        if stem != name:
            return part, stem
    return "main", name
