"""A folder of runs as pandas DataFrames: what was said, each sample's scores, results, comparisons.

The tables of a page are selections of such frames, `Report.results` and `Report.comparisons`. A run that is
cut off, not scored or damaged is a row of `Frames.runs` whose `state` and `why` say so; what can be read of
it stands in the other frames, and nothing raises because of it.

`RUNS`, `PREDICTIONS`, `SCORES`, `RESULTS` and `COMPARISONS` name the columns of each frame and their dtypes,
which are there for an empty frame too. Missing text is `<NA>`, a missing number `NaN` or `<NA>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.harness.predictions import FILE, Prediction, StoredMedium, read_predictions
from benchmarks.harness.records import RecordError, Run, read_run, run_folders, without_runs
from nextgpt.messages import Failure
from reports.differences import comparisons_frame, differences
from reports.evidence import Evidence, ReportError
from reports.tabular import COMPARISONS, PREDICTIONS, RESULTS, RUNS, SCORES, Columns, frame, results_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPARISONS", "PREDICTIONS", "RESULTS", "RUNS", "SCORES", "Columns", "Frames", "read_frames"]

State = Literal["scored", "not scored", "cut", "damaged"]


@dataclass(frozen=True)
class _Entry:
    """One run as far as it can be read."""

    folder: Path
    state: State
    why: str = ""
    run: Run | None = None
    said: tuple[Prediction, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """Of benchmark and system; where nothing can be read, of the folders that a run lies in."""
        if self.run is None:
            return self.folder.name, self.folder.parent.name
        return self.run.manifest.benchmark, self.run.manifest.system

    @property
    def words(self) -> str:
        """Why there are no results; empty where there are."""
        return self.why if self.state in ("scored", "not scored") else f"{self.state}: {self.why}"


@dataclass(frozen=True)
class Frames:
    """The frames of a folder of runs; each is made when it is first asked for. See `read_frames`."""

    entries: tuple[_Entry, ...]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row per run, readable or not; columns `RUNS`.

        `state` is ``scored``; ``not scored``; ``cut``, where samples are without an answer; or ``damaged``.
        `why` is one line for all but the first. `samples` is missing until the run has seen all of them.
        """
        return frame(RUNS, map(_run_row, self.entries))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """A row per answer; columns `PREDICTIONS`. Media are not opened.

        `media` are paths below the run's folder, one a line. `text` is missing where `failed`, and then
        `stage` and `reason` say what went wrong. `state` is the run's: of one that is cut, these are the
        answers that there are.
        """
        return frame(
            PREDICTIONS,
            ((*entry.names, entry.state, *_said(each)) for entry in self.entries for each in entry.said),
        )

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row per sample and metric, of metrics that have values of samples; columns `SCORES`."""
        return frame(
            SCORES,
            (
                (run.manifest.benchmark, run.manifest.system, s.metric, s.sample, s.group, s.slice, s.value)
                for run in self._scored
                for s in run.scores
            ),
        )

    @cached_property
    def results(self) -> pd.DataFrame:
        """A row per metric and slice; columns `RESULTS`. `slice` is missing for the whole benchmark.

        A run without results has one row: its headline metric without a value, and `method` says why.
        """
        return results_frame((entry.names, entry.run, entry.words) for entry in self.entries)

    def comparisons(self, metric: str | None = None, baseline: str | None = None) -> pd.DataFrame:
        """A row per benchmark and pair of systems that were scored on it; columns `COMPARISONS`.

        Differences are the first system's value minus the second's, paired by sample. `p_adjusted` is p
        after Holm's correction over the rows of this frame that could be tested, `family` in number. What
        cannot be compared has no numbers, and `words` say why.

        Args:
            metric: to compare by; by default the headline metric of each benchmark.
            baseline: the second system of every pair; by default all pairs are compared.

        Raises:
            ReportError: no scored run of the baseline.
        """
        on: dict[str, dict[str, list[Evidence]]] = {}
        for entry in map(Evidence, self._scored):
            on.setdefault(entry.benchmark, {}).setdefault(entry.system, []).append(entry)
        known = sorted({name for systems in on.values() for name in systems})
        if baseline is not None and baseline not in known:
            raise ReportError(
                f"no scored runs of the baseline {baseline!r}; there are: {', '.join(known) or 'none'}"
            )
        pairs = [
            (one, other) if other.system == baseline or baseline is None else (other, one)
            for _, systems in sorted(on.items())
            # Nobody knows which of two runs alike is meant.
            for one, other in combinations([runs[0] for runs in systems.values() if len(runs) == 1], 2)
            if baseline is None or baseline in (one.system, other.system)
        ]
        return comparisons_frame(differences(pairs, metric))

    @property
    def _scored(self) -> list[Run]:
        return [entry.run for entry in self.entries if entry.state == "scored" and entry.run is not None]


def read_frames(folder: Path | str) -> Frames:
    """Read all runs below a folder, be they finished or not; parts of runs are none until they are merged.

    Args:
        folder: holds runs at any depth, as `nextgpt-bench run --out` writes them.

    Raises:
        ReportError: no such folder, or no run in it.

    >>> frames = read_frames("runs")  # doctest: +SKIP
    >>> frames.results.query("slice.isna()")[["benchmark", "system", "metric", "value"]]  # doctest: +SKIP
    >>> list(SCORES)
    ['benchmark', 'system', 'metric', 'sample', 'group', 'slice', 'value']
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ReportError(f"{folder}: no such folder; give the one that `nextgpt-bench run --out` wrote to")
    entries = tuple(map(_entry, run_folders(folder)))
    if not entries:
        raise ReportError(without_runs(folder))
    return Frames(entries)


def _entry(folder: Path) -> _Entry:
    try:
        run = read_run(folder)
    except RecordError as error:
        return _Entry(folder, "damaged", str(error))
    try:
        said = tuple(read_predictions(folder / FILE))
    except RecordError as error:
        return _half(folder, run, str(error))
    whole = run.manifest.samples
    if whole is None or len(said) < whole:
        of = "samples are answered" if whole is None else f"of {whole} samples are answered"
        return _Entry(folder, "cut", f"{len(said)} {of}; run the same command again", run, said)
    if run.unscored:
        return _Entry(folder, "not scored", run.unscored, run, said)
    try:
        len(run.results), len(run.scores)
    except RecordError as error:
        return _Entry(folder, "damaged", str(error), run, said)
    return _Entry(folder, "scored", "", run, said)


def _half(folder: Path, run: Run, why: str) -> _Entry:
    """A run whose answers cannot all be read; a last line that was only half written hides no other."""
    try:
        said = tuple(read_predictions(folder / FILE, finished=False))
    except RecordError:
        return _Entry(folder, "damaged", why, run)
    return _Entry(folder, "cut", why, run, said)


def _run_row(entry: _Entry) -> tuple[Any, ...]:
    about = entry.run.manifest if entry.run is not None else None
    told: dict[str, Any] = {"state": entry.state, "why": entry.why or None, "folder": str(entry.folder)}
    if about is not None:
        told["answered"] = len(entry.said)
    names = list(RUNS)[len(entry.names) :]
    return (*entry.names, *(told[name] if name in told else getattr(about, name, None) for name in names))


def _said(prediction: Prediction) -> tuple[Any, ...]:
    """The columns of `PREDICTIONS` from `sample` on."""
    sample, said, seconds = prediction.sample, prediction.said, prediction.seconds
    if isinstance(said, Failure):
        return sample, None, None, True, said.stage, said.reason, seconds
    text = " ".join(part for part in said.parts if isinstance(part, str)).strip()
    media = "\n".join(part.name for part in said.parts if isinstance(part, StoredMedium))
    return sample, text, media or None, False, None, None, seconds
