"""A folder of runs as pandas DataFrames: what was said, each sample's scores, results, comparisons.

Needs `pip install nextgpt[pandas]`. The numbers are those of the pages, read from the same files by the same
code. A run that is cut off, not scored or damaged is a row of `Frames.runs` whose `state` and `why` say so;
what can be read of it stands in the other frames, and nothing raises because of it.

`RUNS`, `PREDICTIONS`, `SCORES`, `RESULTS` and `COMPARISONS` name the columns of each frame and their dtypes,
which are there for an empty frame too. Missing text is `<NA>`, a missing number `NaN` or `<NA>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.harness.predictions import FILE, Prediction, StoredMedium, read_predictions
from benchmarks.harness.records import MANIFEST, RecordError, Run, read_run
from nextgpt.messages import Failure
from reports.differences import Difference, differences
from reports.evidence import Evidence, ReportError

if TYPE_CHECKING:
    import pandas as pd

State = Literal["scored", "not scored", "cut", "damaged"]
Columns = Mapping[str, str]

_RUN = {"benchmark": "string", "system": "string"}
RUNS: Columns = _RUN | {
    "state": "string",
    "why": "string",
    "samples": "Int64",
    "answered": "Int64",
    "family": "string",
    "version": "Int64",
    "headline": "string",
    "seed": "Int64",
    "limit": "Int64",
    "started": "string",
    "folder": "string",
}
PREDICTIONS: Columns = _RUN | {
    "state": "string",
    "sample": "string",
    "text": "string",
    "media": "string",
    "failed": "bool",
    "stage": "string",
    "reason": "string",
    "seconds": "float64",
}
SCORES: Columns = _RUN | {
    "metric": "string",
    "sample": "string",
    "group": "string",
    "slice": "string",
    "value": "float64",
}
RESULTS: Columns = _RUN | {
    "metric": "string",
    "slice": "string",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "n": "Int64",
    "failed": "Int64",
    "unjudged": "Int64",
    "answered": "float64",
    "seconds": "float64",
    "method": "string",
    "signature": "string",
    "standard_error": "float64",
}
COMPARISONS: Columns = {
    "benchmark": "string",
    "metric": "string",
    "first": "string",
    "second": "string",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "p": "float64",
    "p_adjusted": "float64",
    "family": "Int64",
    "n": "Int64",
    "minimum_detectable": "float64",
    "standard_error": "float64",
    "better": "string",
    "words": "string",
}


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
        return _frame(RUNS, map(_run_row, self.entries))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """A row per answer; columns `PREDICTIONS`. Media are not opened.

        `media` are paths below the run's folder, one a line. `text` is missing where `failed`, and then
        `stage` and `reason` say what went wrong. `state` is the run's: of one that is cut, these are the
        answers that there are.
        """
        return _frame(
            PREDICTIONS,
            ((*entry.names, entry.state, *_said(each)) for entry in self.entries for each in entry.said),
        )

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row per sample and metric, of metrics that have values of samples; columns `SCORES`."""
        return _frame(
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
        names = [name for name in RESULTS if name not in _RUN]
        rows: list[tuple[Any, ...]] = []
        for entry in self.entries:
            if entry.state == "scored" and entry.run is not None:
                rows += [
                    (*entry.names, *(getattr(result, name) for name in names)) for result in entry.run.results
                ]
            else:
                metric = None if entry.run is None else entry.run.manifest.headline
                told = {"metric": metric, "method": f"{entry.state}: {entry.why}"}
                rows.append((*entry.names, *(told.get(name) for name in names)))
        return _frame(RESULTS, rows)

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
        for run in self._scored:
            systems = on.setdefault(run.manifest.benchmark, {})
            systems.setdefault(run.manifest.system, []).append(Evidence(run))
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
        return _frame(COMPARISONS, map(_difference_row, differences(pairs, metric)))

    @property
    def _scored(self) -> list[Run]:
        return [entry.run for entry in self.entries if entry.state == "scored" and entry.run is not None]


def read_frames(folder: Path | str) -> Frames:
    """Read all runs below a folder, be they finished or not.

    Args:
        folder: holds runs at any depth, as `nextgpt-bench run --out` writes them.

    Raises:
        ReportError: no such folder, no run in it, or pandas is not installed.

    >>> frames = read_frames("runs")  # doctest: +SKIP
    >>> frames.results.query("slice.isna()")[["benchmark", "system", "metric", "value"]]  # doctest: +SKIP
    >>> list(SCORES)
    ['benchmark', 'system', 'metric', 'sample', 'group', 'slice', 'value']
    """
    _pandas()
    folder = Path(folder)
    if not folder.is_dir():
        raise ReportError(f"{folder}: no such folder; give the one that `nextgpt-bench run --out` wrote to")
    entries = tuple(_entry(path.parent) for path in sorted(folder.rglob(MANIFEST)))
    if not entries:
        raise ReportError(f"{folder}: no runs here; make some with `nextgpt-bench run --out {folder}`")
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
    names = [name for name in RUNS if name not in _RUN]
    return (*entry.names, *(told[name] if name in told else getattr(about, name, None) for name in names))


def _said(prediction: Prediction) -> tuple[Any, ...]:
    """The columns of `PREDICTIONS` from `sample` on."""
    sample, said, seconds = prediction.sample, prediction.said, prediction.seconds
    if isinstance(said, Failure):
        return sample, None, None, True, _valid(said.stage), _valid(said.reason), seconds
    text = _valid(" ".join(part for part in said.parts if isinstance(part, str)).strip())
    media = "\n".join(part.name for part in said.parts if isinstance(part, StoredMedium))
    return sample, text, media or None, False, None, None, seconds


def _valid(text: str) -> str:
    """The text with lone surrogates written out, for a column of text holds UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _difference_row(row: Difference) -> tuple[Any, ...]:
    told: dict[str, Any] = {"better": row.better or None, "words": row.words}
    if row.comparison is not None:
        told |= {"p_adjusted": row.p_adjusted, "family": row.family} | vars(row.comparison)
    names = ("benchmark", "metric", "first", "second")
    return tuple(getattr(row, name) if name in names else told.get(name) for name in COMPARISONS)


def _frame(columns: Columns, rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    return _pandas().DataFrame(list(rows), columns=list(columns), dtype=object).astype(dict(columns))


def _pandas() -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise ReportError("frames need pandas: pip install nextgpt[pandas]") from error
    return pd
