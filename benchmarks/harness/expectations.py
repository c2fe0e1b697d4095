"""What is expected of a system: the line that the gate holds, a file beside the tests.

``expected/<benchmark>/<system>.json`` holds the headline metric of every sample. A line may rise by itself;
to weaken one takes a reason, which stays in the file and is shown wherever the line is held: a gate whose
line follows whatever is measured holds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from benchmarks.harness.asked import digest
from benchmarks.harness.records import Result, Run
from benchmarks.harness.storage import RecordError, build, read_json, write_atomically

FOLDER = Path(__file__).parents[1] / "expected"
MARGIN = 0.01

AGAIN = "make it again with `pytest --update-expected`, or a line of this project with `nextgpt-bench expect`"

_MAPPINGS = ("samples", "asked")


class ExpectationError(ValueError):
    """An expectation that is missing, damaged, or of something else; the message says what to do."""


@dataclass(frozen=True)
class Expectation:
    """What a system scores, sample by sample.

    Attributes:
        benchmark, version, metric, signature: what was measured; a run must share all of them.
        system, fingerprint: who was measured. A changed fingerprint is what the gate is for.
        seed: base of the samples' seeds in the run that was kept.
        margin: a drop of the mean that nobody minds, in the metric's own units.
        value: the mean, for people who read the file.
        samples: the value of every sample by its id.
        asked: a hash of what every sample asked and was held against; empty in files that do not say.
        lower_is_better: whether a drop is a gain.
        limit: the line is of the first so many samples of the benchmark; None for all of them.
        because: why the line was weakened when it was last made; empty where it was not.
    """

    benchmark: str
    version: int
    metric: str
    signature: str
    system: str
    fingerprint: str
    seed: int
    margin: float
    value: float
    samples: Mapping[str, float]
    asked: Mapping[str, str] = field(default_factory=dict)
    lower_is_better: bool = False
    limit: int | None = None
    because: str = ""


def expectation_of(
    run: Run, margin: float = MARGIN, *, lower_is_better: bool = False, limit: int | None = None
) -> Expectation:
    """What a scored run makes the line to hold.

    Args:
        run: the run.
        margin: a drop of the mean that nobody minds.
        lower_is_better: whether the headline metric falls when answers get better.
        limit: the number of samples that whoever holds the line asks for; None for all.

    Raises:
        ExpectationError: the run is of another limit or not scored, or its headline metric has no
            per-sample values.
    """
    made = run.manifest
    where = f"{made.system} on {made.benchmark}"
    if made.limit != limit:
        whole = "all samples" if limit is None else f"the first {limit} samples"
        raise ExpectationError(f"{where}: a run of --limit {made.limit} is no expectation; run {whole}")
    result = headline(run)
    samples = {row.sample: round(row.value, 6) for row in run.scores if row.metric == made.headline}
    if result.value is None or not samples:
        raise ExpectationError(f"{where}: {made.headline} has no value for each sample ({result.method})")
    return Expectation(
        benchmark=made.benchmark,
        version=made.version,
        metric=made.headline,
        signature=result.signature,
        system=made.system,
        fingerprint=made.fingerprint,
        seed=made.seed,
        margin=margin,
        value=round(result.value, 6),
        samples=samples,
        asked={sample: found for sample, found in asked_of(run).items() if sample in samples},
        lower_is_better=lower_is_better,
        limit=limit,
    )


def weaker(new: Expectation, old: Expectation) -> str:
    """In what a line is weaker than the one before, in words; empty where it is not.

    Example:
        >>> old = Expectation("b", 1, "accuracy", "a|v:1", "s", "f", 0, 0.01, 0.9, {"1": 0.9})
        >>> weaker(replace(old, value=0.85, margin=0.02), old)
        'accuracy 0.85 instead of 0.9, margin 0.02 instead of 0.01'
        >>> weaker(replace(old, value=0.95), old)
        ''
    """
    worse = new.value > old.value if old.lower_is_better else new.value < old.value
    found = [f"{new.metric} {new.value:g} instead of {old.value:g}"] if worse else []
    if new.margin > old.margin:
        found.append(f"margin {new.margin:g} instead of {old.margin:g}")
    if len(new.samples) < len(old.samples):
        found.append(f"{len(new.samples)} samples instead of {len(old.samples)}")
    return ", ".join(found)


def renewed(new: Expectation, folder: Path = FOLDER, because: str = "") -> Expectation:
    """The line to write in place of the one that stands in the folder.

    Args:
        new: the new line.
        folder: of the expectations.
        because: why it may be weaker than the one before; kept where it is.

    Raises:
        ExpectationError: it is weaker, or nobody can tell, and no reason is given.
    """
    where = f"{new.system} on {new.benchmark}"
    if not (folder / new.benchmark / f"{new.system}.json").exists():
        return new
    try:
        change = weaker(new, read_expectation(new.benchmark, new.system, folder))
    except ExpectationError as error:
        change = f"what stands there can't be read ({error})"
    reason = " ".join(because.split())
    if change and not reason:
        raise ExpectationError(f'{where}: the line would be lowered: {change}; say why with --because "..."')
    return replace(new, because=f"{change}: {reason}" if change else "")


def write_expectation(expected: Expectation, folder: Path = FOLDER) -> Path:
    """Write an expectation, one line for each sample, so that a change of it reads well; returns the file."""
    path = folder / expected.benchmark / f"{expected.system}.json"
    # What says nothing is left out, so that a file of before stays as it is.
    silent = {each.name for each in fields(Expectation) if getattr(expected, each.name) == each.default}
    row = {name: value for name, value in asdict(expected).items() if name not in silent}
    for name in _MAPPINGS:
        row[name] = dict(sorted(row.pop(name).items()))  # at the end, below what a person reads
    write_atomically(path, (json.dumps(row, indent=0, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return path


def read_expectation(benchmark: str, system: str, folder: Path = FOLDER) -> Expectation:
    """Read what is expected of a system.

    Raises:
        ExpectationError: there is none, or the file is damaged.
    """
    path = folder / benchmark / f"{system}.json"
    shown = f"{folder.name}/{benchmark}/{system}.json"
    if not path.exists():
        raise ExpectationError(
            f"{shown}: nothing is expected of {system} yet; look at what it scores, then make it the line "
            "with `pytest --update-expected`, or one of this project with `nextgpt-bench expect`"
        )
    try:
        expected = build(Expectation, read_json(path, dict), path)
    except RecordError as error:
        raise ExpectationError(f"{shown}: damaged ({error}, or {AGAIN})") from error
    if not expected.samples or (expected.benchmark, expected.system) != (benchmark, system):
        raise ExpectationError(f"{shown}: not the scores of {system} on {benchmark}; restore it, or {AGAIN}")
    return expected


def holds_line(benchmark: str, system: str, folder: Path = FOLDER) -> bool:
    """Whether anything is expected of a system on a benchmark."""
    return (folder / benchmark / f"{system}.json").exists()


def asked_of(run: Run) -> dict[str, str]:
    """A hash of what each sample asked, where the run kept that."""
    return {each.sample: digest(each.asked) for each in run.predictions if each.asked is not None}


def headline(run: Run) -> Result:
    """The value that the gate holds.

    Raises:
        ExpectationError: the run is not scored.
    """
    for row in run.results:
        if row.metric == run.manifest.headline and row.slice is None:
            return row
    why = run.unscored or f"no {run.manifest.headline} among its results"
    raise ExpectationError(f"{run.folder}: {why}; score the run first")
