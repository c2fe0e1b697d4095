"""The regression gate: a run may not fall significantly below what is expected of its system.

``benchmarks/expected/<benchmark>/<system>.json`` holds the headline metric of every sample. A run is
compared with it pair by pair, so noise that both share cancels. It falls *short* when the difference is
below zero beyond doubt (the whole 95 % interval) and larger than a practical margin; it *holds* when a
drop of the margin is excluded; otherwise the verdict is *inconclusive* and says how many samples
would settle it. An expectation that can't be read is an error, never a pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.harness.asked import digest
from benchmarks.harness.records import Result, Run
from benchmarks.harness.storage import RecordError, build, read_json, write_atomically

if TYPE_CHECKING:
    from metrics.metric import Comparison

FOLDER = Path(__file__).parents[1] / "expected"
MARGIN = 0.01

_AGAIN = "make it again with `nextgpt-bench expect`"


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


@dataclass(frozen=True)
class Verdict:
    """How a run stands to what is expected of it.

    Attributes:
        kind: ``holds``, ``short`` or ``inconclusive``.
        words: one line for people.
        comparison: the run minus the expectation.
    """

    kind: Literal["holds", "short", "inconclusive"]
    words: str
    comparison: Comparison

    @property
    def passed(self) -> bool:
        """Whether there is no evidence of a regression."""
        return self.kind != "short"


def hold(run: Run, expected: Expectation) -> Verdict:
    """Compare a scored run with what is expected of it, on the samples of the run.

    Raises:
        ExpectationError: a different benchmark version, signature or data, or samples that are not expected.
    """
    from metrics.statistics import compare

    _check(run, expected)
    rows = [row for row in run.scores if row.metric == expected.metric]
    values = [row.value for row in rows]
    groups = [row.group for row in rows]
    found = compare(values, [expected.samples[row.sample] for row in rows], groups)
    verdict = judge(found, expected.margin)
    if expected.asked:
        return verdict
    return replace(verdict, words=f"{verdict.words}; whether the data are the same is not checked: {_AGAIN}")


def judge(found: Comparison, margin: float) -> Verdict:
    """The verdict on a difference, given the margin that nobody minds.

    Example:
        >>> from metrics.metric import Comparison
        >>> judge(Comparison(-0.05, -0.08, -0.02, 0.001, 500, 0.04, "paired"), margin=0.01).kind
        'short'
        >>> print(judge(Comparison(-0.01, -0.05, 0.03, 0.6, 100, 0.06, "paired"), margin=0.01).words)
        inconclusive: -0.0100 [-0.0500, +0.0300] to what is expected, p 0.6, n 100, smallest drop
        that n would show 0.0600; need n=3600 to see a drop of 0.01
    """
    numbers = (
        f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}] to what is expected, "
        f"p {found.p:.2g}, n {found.n}, smallest drop that n would show {found.minimum_detectable:.4f}"
    )
    if found.high < 0 and found.difference < -margin:
        return Verdict("short", f"falls short: {numbers}; a drop of {margin:g} would be tolerated", found)
    if found.low >= -margin:
        return Verdict("holds", f"holds: {numbers}", found)
    # The standard error, and with it what can be seen, shrinks with the root of n.
    ratio = found.minimum_detectable / margin if margin else math.inf
    needed = found.n * max(1.0, ratio * ratio)
    need = f"n={math.ceil(needed)} to see a drop of {margin:g}" if math.isfinite(needed) else "more samples"
    return Verdict("inconclusive", f"inconclusive: {numbers}; need {need}", found)


def expectation_of(run: Run, margin: float = MARGIN) -> Expectation:
    """What a scored run makes the line to hold.

    Raises:
        ExpectationError: the run is cut short by a limit or not scored, or its headline metric has no
            per-sample values.
    """
    made = run.manifest
    where = f"{made.system} on {made.benchmark}"
    if made.limit is not None:
        raise ExpectationError(f"{where}: a run of --limit {made.limit} is no expectation; run all samples")
    result = _headline(run)
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
        asked={sample: found for sample, found in _asked(run).items() if sample in samples},
    )


def write_expectation(expected: Expectation, folder: Path = FOLDER) -> Path:
    """Write an expectation, one line for each sample, so that a change of it reads well; returns the file."""
    path = folder / expected.benchmark / f"{expected.system}.json"
    row = asdict(expected)
    for name in ("samples", "asked"):
        row[name] = dict(sorted(row[name].items()))
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
        raise ExpectationError(f"{shown}: nothing is expected of {system} yet; {_AGAIN}")
    try:
        expected = build(Expectation, read_json(path, dict), path)
    except RecordError as error:
        raise ExpectationError(f"{shown}: damaged ({error}, or {_AGAIN})") from error
    if not expected.samples or (expected.benchmark, expected.system) != (benchmark, system):
        raise ExpectationError(f"{shown}: not the scores of {system} on {benchmark}; restore it, or {_AGAIN}")
    return expected


def _check(run: Run, expected: Expectation) -> None:
    """Refuse whatever would make the comparison one of apples and pears."""
    made, result = run.manifest, _headline(run)
    where = f"{made.system} on {made.benchmark}"
    if result.value is None:
        raise ExpectationError(f"{where}: {made.headline} has no value to hold ({result.method})")
    for what, now, then in (
        ("version", made.version, expected.version),
        ("headline metric", made.headline, expected.metric),
        ("signature", result.signature, expected.signature),
    ):
        if now != then:
            raise ExpectationError(f"{where}: {what} is {now}, expected is {then}; {_AGAIN}")
    scored = {row.sample for row in run.scores if row.metric == expected.metric}
    unexpected = sorted(scored - expected.samples.keys())
    if unexpected or not scored:
        found = (
            f"sample {unexpected[0]!r} ({len(unexpected)} in all)" if unexpected else "a run without scores"
        )
        raise ExpectationError(f"{where}: {found} can't be compared with what is expected; {_AGAIN}")
    asked = _asked(run)
    for sample in sorted(scored & expected.asked.keys() & asked.keys()):
        if asked[sample] != expected.asked[sample]:
            raise ExpectationError(
                f"{where}: the data changed: sample {sample!r} is not the one that was scored for the "
                f"expectation; give the data of then, or {_AGAIN}"
            )
    missing = sorted(expected.samples.keys() - scored)
    if missing and made.limit is None:
        raise ExpectationError(
            f"{where}: {len(missing)} expected samples were not scored, the first {missing[0]!r}; "
            f"score them, or {_AGAIN}"
        )


def _asked(run: Run) -> dict[str, str]:
    """A hash of what each sample asked, where the run kept that."""
    return {each.sample: digest(each.asked) for each in run.predictions if each.asked is not None}


def _headline(run: Run) -> Result:
    for row in run.results:
        if row.metric == run.manifest.headline and row.slice is None:
            return row
    why = run.unscored or f"no {run.manifest.headline} among its results"
    raise ExpectationError(f"{run.folder}: {why}; score the run first")
