"""How far judges are right: accuracy and calibration on statements of known truth, and how they drift.

Runs of the family ``judging`` (see `benchmarks.tasks.judging`), of any number of judges and templates, on a
page of their own. Where two runs are of one judge by name and of other weights or code (another fingerprint),
the page says how many of its verdicts changed: that is drift, and what the two judged elsewhere can't be
compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from benchmarks.harness.predictions import StoredMessage
from benchmarks.harness.records import RecordError, Result, Run, read_run, run_folders
from metrics.judges.calibration import Bin, reliability
from metrics.metric import Comparison, Estimate
from metrics.people.kappa import cohen_kappa
from metrics.statistics import compare, holm, proportion
from nextgpt.messages import Failure, Message
from reports.evidence import Evidence, ReportError
from reports.tables import LOWER_IS_BETTER

FAMILY = "judging"
WIDTH, HEIGHT = 160, 160  # of a diagram's field, in its own units


@dataclass(frozen=True)
class Trial:
    """One judge on one benchmark.

    Attributes:
        run: its run.
        whole, parts: rows of the whole and of its slices.
        bins: what it says beside how often it is so; empty where no probabilities were judged.
        best: whether there are other judges of this benchmark, and none was more often right.
    """

    run: Run
    whole: tuple[Result, ...]
    parts: tuple[Result, ...]
    bins: tuple[Bin, ...] = ()
    best: bool = False

    @property
    def points(self) -> list[tuple[float, float, float]]:
        """The bins as circles of a diagram: across what was said, up how often it was so, and a radius."""
        most = max((each.n for each in self.bins), default=1)
        return [
            (
                round(each.stated * WIDTH, 1),
                round((1 - each.true) * HEIGHT, 1),
                round(2 + 6 * (each.n / most) ** 0.5, 1),
            )
            for each in self.bins
            if each.n
        ]

    def part(self, name: str, metric: str) -> Result | None:
        """The row of a slice."""
        return next((row for row in self.parts if (row.slice, row.metric) == (name, metric)), None)


@dataclass(frozen=True)
class Against:
    """Two judges of one benchmark on the same statements: the difference of their headline values."""

    benchmark: str
    first: str
    second: str
    comparison: Comparison
    p_adjusted: float


@dataclass(frozen=True)
class Drift:
    """One judge by name, in two versions, on the same samples.

    Attributes:
        changed: share of verdicts that are others.
        kappa: agreement of the two beyond chance; None where one says the same throughout.
        samples: some whose verdict changed.
    """

    benchmark: str
    judge: str
    versions: tuple[str, str]
    changed: Estimate
    kappa: Estimate | None
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Calibration:
    """All of the page."""

    trials: tuple[Trial, ...]
    against: tuple[Against, ...]
    drifts: tuple[Drift, ...]
    left_out: tuple[str, ...]
    command: str

    lower = LOWER_IS_BETTER

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in order."""
        return list(dict.fromkeys(trial.run.manifest.benchmark for trial in self.trials))

    def on(self, benchmark: str) -> list[Trial]:
        """The trials of a benchmark, the best judge first."""
        found = [trial for trial in self.trials if trial.run.manifest.benchmark == benchmark]
        return sorted(found, key=lambda trial: -(trial.whole[0].value or 0.0))

    @property
    def rows(self) -> list[dict[str, object]]:
        """A row for each judge, benchmark and metric."""
        return [
            {
                "benchmark": row.benchmark,
                "judge": row.system,
                "fingerprint": trial.run.manifest.fingerprint,
                "slice": row.slice,
                "metric": row.metric,
                **{name: getattr(row, name) for name in ("value", "low", "high", "standard_error")},
                **{name: getattr(row, name) for name in ("n", "failed", "unjudged", "signature")},
            }
            for trial in self.trials
            for row in (*trial.whole, *trial.parts)
        ]


def build_calibration(folders: Sequence[Path], *, command: str = "") -> Calibration:
    """Read the judges' runs below some folders.

    Args:
        folders: each as `nextgpt-bench run --out` wrote it; versions of one judge lie in different ones.
        command: what made the page.

    Raises:
        ReportError: no such folder, or no scored run of a judge in any.
    """
    found, left_out = list[Run](), list[str]()
    for folder in folders:
        if not folder.is_dir():
            raise ReportError(f"{folder}: no such folder; give one that `nextgpt-bench run --out` wrote to")
        for place in run_folders(folder):
            try:
                run = read_run(place)
            except RecordError as error:
                left_out.append(str(error))
                continue
            if run.manifest.family == FAMILY and run.unscored:
                left_out.append(f"{place}: {run.unscored}")
            elif run.manifest.family == FAMILY:
                found.append(run)
    if not found:
        raise ReportError(
            f"no scored run of a judge in {', '.join(map(str, folders))}; make one with "
            "`nextgpt-bench run --benchmark toy-statements --system judge:nextgpt-tiny`"
        )
    trials = [_trial(run) for run in found]
    judged = tuple(_with_best(trials)), tuple(_compared(found)), tuple(_drifts(found))
    return Calibration(*judged, tuple(left_out), command)


def _trial(run: Run) -> Trial:
    headline = run.manifest.headline
    rows = sorted(run.results, key=lambda row: row.metric != headline)
    whole = tuple(row for row in rows if row.slice is None)
    parts = tuple(row for row in rows if row.slice is not None)
    return Trial(run, whole, parts, _bins(run))


def _bins(run: Run) -> tuple[Bin, ...]:
    """What was said beside how often it was so: the truth follows from what was said and if it was right."""
    right = Evidence(run).items("judge_accuracy")
    said = {}
    for prediction in run.predictions:
        if prediction.sample in right and not isinstance(prediction.said, Failure):
            said[prediction.sample] = float(_words(prediction.said))
    if not said:
        return ()
    truths = [float((odds >= 0.5) == (right[sample] == 1.0)) for sample, odds in said.items()]
    return reliability(list(said.values()), truths)


def _with_best(trials: Sequence[Trial]) -> Iterable[Trial]:
    best: dict[str, float] = {}
    for trial in trials:
        name, value = trial.run.manifest.benchmark, trial.whole[0].value
        best[name] = max(best.get(name, 0.0), value or 0.0)
    among = Counter(trial.run.manifest.benchmark for trial in trials)
    for trial in trials:
        yield Trial(
            trial.run,
            trial.whole,
            trial.parts,
            trial.bins,
            best=among[trial.run.manifest.benchmark] > 1
            and trial.whole[0].value == best[trial.run.manifest.benchmark],
        )


def _compared(runs: Sequence[Run]) -> list[Against]:
    pairs = [
        (one, other)
        for one, other in combinations(runs, 2)
        if one.manifest.benchmark == other.manifest.benchmark and one.manifest.system != other.manifest.system
    ]
    found = []
    for one, other in pairs:
        metric = one.manifest.headline
        a, b = Evidence(one), Evidence(other)
        shared = sorted(a.items(metric).keys() & b.items(metric).keys())
        if shared:
            groups = [a.groups[sample] for sample in shared]
            first, second = ([each.items(metric)[sample] for sample in shared] for each in (a, b))
            found.append((one, other, compare(first, second, groups)))
    adjusted = holm([each.p for _, _, each in found]).tolist() if found else []
    return [
        Against(one.manifest.benchmark, one.manifest.system, other.manifest.system, each, p)
        for (one, other, each), p in zip(found, adjusted, strict=True)
    ]


def _drifts(runs: Sequence[Run]) -> list[Drift]:
    found = []
    for one, other in combinations(runs, 2):
        a, b = one.manifest, other.manifest
        alike = (a.benchmark, a.version, a.system) == (b.benchmark, b.version, b.system)
        if not alike or a.fingerprint == b.fingerprint:
            continue
        first, second = _verdicts(one), _verdicts(other)
        shared = sorted(first.keys() & second.keys())
        if not shared:
            continue
        sides = [[side[sample] for sample in shared] for side in (first, second)]
        changed = [sample for sample in shared if first[sample] != second[sample]]
        kappa = cohen_kappa(*sides) if len({*sides[0], *sides[1]}) > 1 else None
        share = proportion(len(changed), len(shared))
        versions = (a.fingerprint, b.fingerprint)
        found.append(Drift(a.benchmark, a.system, versions, share, kappa, tuple(changed[:5])))
    return found


def _verdicts(run: Run) -> dict[str, str]:
    """What was judged of each sample, as yes or no where it is a probability."""
    found = {}
    for prediction in run.predictions:
        if isinstance(prediction.said, Failure):
            found[prediction.sample] = "failed"
            continue
        said = _words(prediction.said).strip()
        try:
            found[prediction.sample] = "yes" if float(said) >= 0.5 else "no"
        except ValueError:
            found[prediction.sample] = said
    return found


def _words(said: Message | StoredMessage) -> str:
    return "".join(part for part in said.parts if isinstance(part, str))
